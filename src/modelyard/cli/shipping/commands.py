"""Image, bundle and export."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelyard.cli.scheduling.files import CALLER_FORMS, caller_files
from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb
from modelyard.cli.watching.files import FORMS, watching_file

if TYPE_CHECKING:
    from modelyard.packaging import Package
    from modelyard.packaging.onnx import OnnxExport
    from modelyard.rollout import Plan

__all__ = ["add_to"]

WhichArgument = Annotated[
    str | None,
    typer.Argument(help="Version number, or folder of a package; by default production, for onnx the newest."),
]
ToOption = Annotated[Path | None, typer.Option("--to", help="Where it is written.")]
BaseOption = Annotated[
    str | None, typer.Option("--base", help="Image to build on; the slim image of this Python by default.")
]
WheelsOption = Annotated[
    Path | None, typer.Option("--wheels", help="Folder with all wheels, so that the build reaches no registry.")
]


def image(
    session: Session,
    which: WhichArgument = None,
    base: BaseOption = None,
    builder: Annotated[
        str | None, typer.Option("--builder", help="docker, podman or buildah; the first that can build by default.")
    ] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="What the image is called; NAME:VERSION by default.")] = None,
    to: ToOption = None,
    wheels: WheelsOption = None,
    build: Annotated[
        bool, typer.Option("--build/--no-build", help="Whether to build the image, or write its context only.")
    ] = True,
) -> Answer:
    """Build a container image with the model inside. Non-root, read-only, and rehearsed before it counts as done."""
    from modelyard.cli.show.shipping import show_image
    from modelyard.shipping import Wish, make_image

    package = _package(session, which)
    report = make_image(package, Wish(to, base, builder, tag, wheels, build))
    _note(session, which, package, "image", report.folder)
    return Answer(report.to_dict(), show_image(report))


def bundle(
    session: Session,
    platform: Annotated[str, typer.Argument(help="lambda or functions.")],
    which: WhichArgument = None,
    to: ToOption = None,
    base: BaseOption = None,
    log: Annotated[
        str | None,
        typer.Option("--log", help="Folder of the prediction log as the function sees it; standard output by default."),
    ] = None,
    wheels: WheelsOption = None,
) -> Answer:
    """Write a bundle for a serverless platform. AWS Lambda as a container image, or Google Cloud Functions from source."""
    from modelyard.cli.show.shipping import show_bundle
    from modelyard.shipping import bundle_folder, make_bundle

    package = _package(session, which)
    folder = to or bundle_folder(package, platform)
    context = make_bundle(package, platform, folder, base=base, log=log, wheels=wheels)
    _note(session, which, package, platform, str(folder))
    return Answer({"folder": str(folder), **context.to_dict()}, show_bundle(context, folder))


def export(
    session: Session,
    form: Annotated[
        str, typer.Argument(help="onnx, kubernetes, kserve, argo, prometheus, grafana, cron, systemd or github.")
    ],
    which: WhichArgument = None,
    to: ToOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="onnx: write it even if its answers differ by more than the package allows.")
    ] = False,
    image: Annotated[
        str | None, typer.Option("--image", help="The image as the cluster fetches it; NAME:VERSION by default.")
    ] = None,
    replicas: Annotated[tuple[int, int], typer.Option("--replicas", help="Least and largest number of pods.")] = (
        2,
        10,
    ),
    log_claim: Annotated[
        str | None, typer.Option("--log-claim", help="Persistent volume claim that keeps the prediction log.")
    ] = None,
) -> Answer:
    """Write a model in another form. One ONNX file, its parity measured first; manifests for Kubernetes, KServe or Argo Rollouts; rules or a board that watch it; files that call `modelyard tick`."""
    from modelyard.cli.show.shipping import show_manifests, show_onnx
    from modelyard.shipping import Deployed, export_manifests, image_tag, manifest_file

    if form in FORMS:
        return watching_file(session, form, to)
    if form in CALLER_FORMS:
        return caller_files(session, form, to)
    if form == "onnx":
        exported = _onnx(session, which, to, force=force)
        return Answer(exported.to_dict(), show_onnx(exported))
    package = _package(session, which)
    path = to or manifest_file(package, form)
    deployed = Deployed(package, image or image_tag(package), log_claim, replicas)
    kinds = export_manifests(deployed, form, path, _plan(session, package) if form == "argo" else None)
    _note(session, which, package, form, str(path))
    return Answer(
        {"path": str(path), "image": deployed.image, "kinds": kinds}, show_manifests(kinds, path, deployed.image)
    )


def _plan(session: Session, package: "Package") -> "Plan":
    """The canary of the project file, for this package's task."""
    from modelyard.problem import Task
    from modelyard.rollout import Strategy, plan_of

    return plan_of(session.project.problem, Strategy.CANARY, task=Task(package.read_json("plan.json")["task"]))


def _onnx(session: Session, which: str | None, to: Path | None, *, force: bool) -> "OnnxExport":
    """One file; of a version of the project, or its newest package, it is also compared on rows of the validation part."""
    from modelyard.packaging.onnx import export_onnx

    if not _is_version(which):
        package = _package(session, which)
        return export_onnx(package, to or _onnx_file(package), force=force)
    packages, version = session.project.packages, None if which is None else int(which)
    package = packages.package(version)
    exported = packages.export_onnx(to or _onnx_file(package), version, force=force)
    _note(session, which, package, "onnx", exported.path)
    return exported


def _onnx_file(package: "Package") -> Path:
    return Path(f"{package.manifest.name}-{package.manifest.version}.onnx")


def _is_version(which: str | None) -> bool:
    """True for a number and for nothing, which mean a version of the project; a folder needs no project."""
    return which is None or which.isdecimal()


def _package(session: Session, which: str | None) -> "Package":
    """The package that is meant."""
    from modelyard.packaging import load_package
    from modelyard.shipping.release import released_package, require_rows

    if which is not None and not _is_version(which):
        return require_rows(load_package(which))
    project = session.project
    number = None if which is None else int(which)
    return released_package(project.workspace, project.problem.name, number, project.actor)


def _note(session: Session, which: str | None, package: "Package", form: str, place: str) -> None:
    """Leave a row in the ledger of the project that the package is from; a folder alone has none."""
    from modelyard.shipping.release import note_shipped

    if _is_version(which):
        note_shipped(session.project.workspace, session.project.actor, package, form, place)


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    for name, function in (("image", image), ("bundle", bundle), ("export", export)):
        verb(app, name)(function)
