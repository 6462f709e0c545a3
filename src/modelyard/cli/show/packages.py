"""Views of packages: what was built, and what a verification found."""

from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from modelyard.cli.show.blocks import facts, headline, hint, link, plain_table, stack
from modelyard.packaging import Package
from modelyard.packaging.bench import Benchmark
from modelyard.packaging.courses.horizon import is_forecast
from modelyard.packaging.verification import Outcome, Verification

__all__ = ["show_benchmark", "show_package", "show_verification"]

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
                    "one history" if is_forecast(package) else "one row",
                    f"{measured['latency_p50_ms']:.3f} ms median, {measured['latency_p99_ms']:.3f} ms p99, in process",
                ),
                *_kept_by_skops(package),
            )
        ),
        link("package", package.folder),
        link("card", package.folder / "card.html"),
        hint("modelyard register"),
    )


def _kept_by_skops(package: Package) -> list[tuple[str, str]]:
    """What it means that the estimator has no native form; nothing for those that have one."""
    if not any(name.endswith("estimator.skops") for name in package.manifest.files):
        return []
    types = ",".join(package.manifest.skops) or "known"
    return [("no native form", f"kept by skops: slow, and served only with --allow-skops {types}")]


def show_verification(result: Verification, measured: Benchmark | None = None) -> RenderableType:
    """Each check with its mark, whatever is wrong or empty below it; and how fast it was found to be."""
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
        _measured(measured) if measured else None,
        link("package", Path(result.folder)),
    )


def show_benchmark(found: Benchmark, path: Path) -> RenderableType:
    """Latencies by size, and each limit with its mark."""
    verdict = "keeps its limits here." if found.limits and found.ok else "was measured."
    headed = headline(
        f"Package {found.name} {found.version} {verdict if found.ok else 'exceeds its limits here.'}",
        found.measurement.machine,
    )
    return stack(headed, _measured(found), link("measured", path))


def _measured(found: Benchmark) -> RenderableType:
    """What was measured when, and the limits."""
    sizes = plain_table(
        ("rows", "median ms", "p90 ms", "p99 ms", "rows/s"),
        (
            (
                f"{batch.rows:,}",
                f"{batch.p50_ms:.3f}",
                f"{batch.p90_ms:.3f}",
                f"{batch.p99_ms:.3f}",
                f"{batch.rows_per_s:,.0f}",
            )
            for batch in found.batches
        ),
        numeric=range(5),
    )
    measurement = found.measurement
    others = facts(
        (
            ("measured", f"{found.at:%Y-%m-%d %H:%M} UTC on {measurement.machine}"),
            ("cold start", f"{measurement.cold_start_s:.2f} s to the first answer"),
            ("memory", f"{measurement.memory_mb:.0f} MB"),
            *(("limit" if limit.kept else "EXCEEDED", limit.in_words) for limit in found.limits),
        )
    )
    return stack(sizes if found.batches else None, others)
