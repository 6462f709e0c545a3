"""An image of a package: the build context, the build, and one run before it counts as done."""

import dataclasses
from pathlib import Path

from modelyard.core import Record
from modelyard.packaging import Package
from modelyard.shipping.builders import Builder, find_builder
from modelyard.shipping.containerfile import default_base, require_image_name, server_recipe
from modelyard.shipping.context import Contents, Context, image_name, image_tag, write_context
from modelyard.shipping.rehearsal import Rehearsal
from modelyard.shipping.requirements import serving_pins
from modelyard.shipping.wheel import WHEEL_NAME

__all__ = ["ImageReport", "Wish", "make_image"]


@dataclasses.dataclass(frozen=True)
class Wish:
    """What somebody wants of an image.

    Parameters
    ----------
    folder
        Where the build context goes; None for ``<name>-<version>-image`` in the current folder.
    base
        Image to build on; None for the slim image of this Python.
    builder
        ``docker``, ``podman`` or ``buildah``; None for the first that can build here.
    tag
        What the image is called; None for ``<name>:<version>``.
    wheels
        Folder with a wheel of everything that is needed, so that the build reaches no registry.
    build
        False to stop when the context is written.
    """

    folder: Path | None = None
    base: str | None = None
    builder: str | None = None
    tag: str | None = None
    wheels: Path | None = None
    build: bool = True


@dataclasses.dataclass(frozen=True)
class ImageReport(Record):
    """What came of it.

    Parameters
    ----------
    folder
        The build context.
    context
        What lies in it.
    base, tag
        Names of images.
    builder
        Who built; empty if nobody did.
    image_id, size
        Of the image, as the builder says it.
    rehearsal
        What a server in the finished image answered; None if none was built.
    """

    folder: str
    context: Context
    base: str
    tag: str
    builder: str = ""
    image_id: str = ""
    size: str = ""
    rehearsal: Rehearsal | None = None


def make_image(package: Package, wish: Wish) -> ImageReport:
    """Write the build context, build the image, and run it once.

    Whether a builder can build here is found out before anything is written.

    Raises
    ------
    StateError
        If no builder can build here, or something else lies where the context would.
    ConfigError
        If a name is no name of an image, or something that serving needs is not installed or has no wheel.
    GateRefusedError
        If the build fails, or the server in the image does not answer as training did.
    IntegrityError
        If the package has changed.
    """
    base = require_image_name(wish.base or default_base(), "--base")
    tag = require_image_name(wish.tag or image_tag(package), "--tag")
    builder = find_builder(wish.builder) if wish.build else None
    folder = wish.folder or Path(f"{image_name(package)}-{package.manifest.version}-image")
    recipe = server_recipe(base, has_wheels=wish.wheels is not None)
    texts = {"Containerfile": recipe.text(package.manifest, WHEEL_NAME)}
    context = write_context(
        package, folder, Contents("image", serving_pins(package.manifest.requirements), texts, wish.wheels)
    )
    report = ImageReport(str(folder), context, base, tag)
    return report if builder is None else _built(report, builder)


def _built(report: ImageReport, builder: Builder) -> ImageReport:
    """The report with what the builder made of the context."""
    builder.build(Path(report.folder), report.tag)
    rehearsal = builder.rehearse(report.tag, report.context.package_digest)
    image_id, size = builder.identity(report.tag)
    return dataclasses.replace(report, builder=builder.name, image_id=image_id, size=size, rehearsal=rehearsal)
