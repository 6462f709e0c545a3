"""Views of packages: what was built, and what a verification found."""

from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from modelyard.cli.show.blocks import facts, headline, hint, link, stack
from modelyard.packaging import Package
from modelyard.packaging.onnx import OnnxExport, OnnxParity
from modelyard.packaging.verification import Outcome, Verification

__all__ = ["show_export", "show_package", "show_verification"]

_MARKS = {
    Outcome.PASSED: ("✓", "green"),
    Outcome.INCOMPLETE: ("!", "yellow"),
    Outcome.FAILED: ("✗", "bold red"),
    Outcome.SKIPPED: ("–", "dim"),
}


def show_package(package: Package) -> RenderableType:
    """The package's identity and what was proved about it."""
    manifest = package.manifest
    metrics = package.read_json("metrics.json")
    parity, measured = metrics["parity"], metrics["measurement"]
    difference = f"{parity['max_abs_difference']:.1e} on {parity['rows']} golden rows"
    return stack(
        headline(
            f"Package {manifest.name} {manifest.version}",
            f"{manifest.bytes / 1e6:.1f} MB, digest {manifest.digest[:12]}",
        ),
        facts(
            (
                ("parity", f"proved: largest difference to training {difference}"),
                (
                    "one row",
                    f"{measured['latency_p50_ms']:.3f} ms median, {measured['latency_p99_ms']:.3f} ms p99, in process",
                ),
            )
        ),
        link("package", package.folder),
        link("card", package.folder / "card.html"),
        hint("modelyard register"),
    )


def show_verification(result: Verification) -> RenderableType:
    """Each check with its mark; whatever is wrong or empty below it."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for check in result.checks:
        mark, style = _MARKS[check.outcome]
        table.add_row(Text(mark, style), Text(check.name, style="bold"), Text(check.said))
        for detail in check.details:
            table.add_row("", "", Text(detail, style="dim"))
    verdict = "is what was packaged." if result.ok else "must not be used."
    return stack(
        headline(f"Package {result.name} {result.version} {verdict}", f"protocol {result.protocol}"),
        table,
        link("package", Path(result.folder)),
    )


def show_export(exported: OnnxExport) -> RenderableType:
    """The file, what it takes, and how exact it is."""
    found = [("golden rows", exported.golden), ("validation rows", exported.held)]
    inputs = [f"{kind} {name}" for name, kind in exported.inputs.items()]
    note = "forced: it does not answer as the package does" if exported.forced else f"{exported.bytes / 1e6:.1f} MB"
    return stack(
        headline("Exported to ONNX.", note),
        facts((*((name, _agreement(parity)) for name, parity in found if parity), ("inputs", ", ".join(inputs)))),
        link("file", Path(exported.path)),
    )


def _agreement(parity: OnnxParity) -> str:
    differ = "no other decision" if not parity.decisions_differ else f"{parity.decisions_differ} other decisions"
    return f"largest difference {parity.max_abs_difference:.1e} on {parity.rows:,}, {differ}"
