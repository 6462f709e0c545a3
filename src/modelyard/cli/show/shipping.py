"""Views of what was shipped: an image, a bundle, manifests, an ONNX file."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import RenderableType

from modelyard.cli.show.blocks import facts, headline, hint, link, stack
from modelyard.packaging.onnx import OnnxExport, OnnxParity
from modelyard.shipping import Context, ImageReport

__all__ = ["show_bundle", "show_image", "show_manifests", "show_onnx"]

_STEPS = {
    "lambda": "docker build -f {folder}/Containerfile -t IMAGE {folder}, push it, and create the function from it",
    "functions": "gcloud functions deploy NAME --gen2 --runtime PYTHON --source {folder} --entry-point predict --trigger-http",
}


def show_image(report: ImageReport) -> RenderableType:
    """The context, and the image if one was built."""
    name = f"{report.context.name} {report.context.version}"
    folder = link("context", Path(report.folder))
    if report.rehearsal is None:
        build = f"docker build -f {report.folder}/Containerfile -t {report.tag} {report.folder}"
        return stack(headline(f"Build context of {name}", _size(report.context)), folder, hint(build))
    rehearsed = report.rehearsal
    said = f"{rehearsed.answered} golden rows answered over HTTP as in training, {rehearsed.refused} refused by the contract"
    return stack(
        headline(f"Image {report.tag}", f"{report.size}, built by {report.builder}"),
        facts(
            (
                ("package", report.context.package_digest[:12]),
                ("image", report.image_id),
                ("rehearsed", said),
                ("ready after", f"{rehearsed.ready_s:.1f} s, as user {rehearsed.user}"),
            )
        ),
        folder,
        hint(f"docker run --read-only -p 8080:8080 -v $PWD/keys.json:/keys/keys.json:ro -v LOG:/log {report.tag}"),
    )


def show_bundle(context: Context, folder: Path) -> RenderableType:
    """The folder, and how the platform takes it."""
    return stack(
        headline(f"Bundle of {context.name} {context.version} for {context.kind}", _size(context)),
        facts((("package", context.package_digest[:12]), ("installs", f"{len(context.requirements)} pinned packages"))),
        link("folder", folder),
        hint(_STEPS[context.kind].format(folder=folder)),
    )


def show_manifests(kinds: Sequence[str], path: Path, image: str) -> RenderableType:
    """What the file holds."""
    return stack(
        headline(", ".join(kinds), f"image {image}"), link("manifests", path), hint(f"kubectl apply -f {path}")
    )


def _size(context: Context) -> str:
    return f"{context.bytes / 1e6:.1f} MB, package digest {context.package_digest[:12]}"


def show_onnx(exported: OnnxExport) -> RenderableType:
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
