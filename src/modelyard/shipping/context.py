"""A build context: one folder with everything that an image or a function is made of, whole or not there."""

import dataclasses
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from modelyard.core import ConfigError, Record, StateError, atomic_directory, digest_file
from modelyard.packaging import Package, load_package
from modelyard.shipping.requirements import Pin
from modelyard.shipping.wheel import write_wheel

__all__ = ["CONTEXT_FILE", "Contents", "Context", "image_name", "image_tag", "write_context"]

CONTEXT_FILE = "context.json"
"""Names what lies in the folder; a folder that has it was written by us and may be written anew."""


@dataclasses.dataclass(frozen=True)
class Context(Record):
    """A folder that was written.

    Parameters
    ----------
    kind
        ``image``, ``lambda`` or ``functions``.
    name, version, package_digest
        Of the package inside.
    requirements
        What will be installed, pinned.
    files
        Path within the folder to SHA-256; every file but this record.
    bytes
        Size of these files together.
    """

    kind: str
    name: str
    version: str
    package_digest: str
    requirements: tuple[str, ...]
    files: Mapping[str, str]
    bytes: int


@dataclasses.dataclass(frozen=True)
class Contents:
    """What goes into a context beside the package.

    Parameters
    ----------
    kind
        As :class:`Context` has it.
    pins
        What will be installed.
    texts
        File name to text: Containerfile, handlers.
    wheels
        Folder with a wheel of every pin; None to leave that to the builder's registry.
    names_wheel
        True to name modelyard's own wheel in ``requirements.txt`` too, for platforms that install from that file alone.
    """

    kind: str
    pins: Sequence[Pin]
    texts: Mapping[str, str]
    wheels: Path | None = None
    names_wheel: bool = False


def write_context(package: Package, folder: Path, contents: Contents) -> Context:
    """Write the folder, whole or not at all; one that an earlier call wrote is replaced.

    The package is copied and verified in its new place.

    Raises
    ------
    StateError
        If something else lies at ``folder``.
    ConfigError
        If the folder of wheels lacks one.
    IntegrityError
        If the package has changed.
    """
    _make_room(folder)
    with atomic_directory(folder) as place:
        model = place / "model"
        shutil.copytree(package.folder, model)
        load_package(model)
        wheel = write_wheel(place, contents.pins)
        lines = _requirement_lines(place, contents)
        if contents.names_wheel:
            lines.append(f"./{wheel.name}")
        texts = {**contents.texts, "requirements.txt": "".join(f"{line}\n" for line in lines)}
        for name, text in texts.items():
            (place / name).write_text(text, encoding="utf-8")
        context = _described(package, place, contents)
        (place / CONTEXT_FILE).write_text(json.dumps(context.to_dict(), indent=1) + "\n", encoding="utf-8")
    return context


def image_name(package: Package) -> str:
    """What an image of a package is called: lower case letters, digits and dashes.

    It also serves Kubernetes, whose names (RFC 1123 labels) are as narrow.
    """
    name = re.sub(r"[^a-z0-9]+", "-", package.manifest.name.lower()).strip("-")
    return name[:40].rstrip("-") or "model"


def image_tag(package: Package) -> str:
    """What an image is tagged if nobody says otherwise."""
    return f"{image_name(package)}:{package.manifest.version}"


def _make_room(folder: Path) -> None:
    """Remove an earlier context; refuse anything else."""
    if not folder.exists():
        return
    if not (folder / CONTEXT_FILE).is_file():
        raise StateError(
            "there is something already, and modelyard did not write it",
            where=str(folder),
            cure="Give another folder with --to, or remove it",
        )
    shutil.rmtree(folder)


def _requirement_lines(place: Path, contents: Contents) -> list[str]:
    """The pins, with digests of their wheels where these lie in the context."""
    if contents.wheels is None:
        return [str(pin) for pin in contents.pins]
    (place / "wheels").mkdir()
    lines = []
    for pin in contents.pins:
        found = _wheels_of(pin, contents.wheels)
        for path in found:
            shutil.copy2(path, place / "wheels" / path.name)
        lines.append(" ".join([str(pin), *(f"--hash=sha256:{digest_file(path)}" for path in found)]))
    return lines


def _wheels_of(pin: Pin, folder: Path) -> list[Path]:
    """The wheels of one distribution in one version."""
    pattern = re.compile(
        re.sub(r"[-_.]+", "[-_.]+", pin.name) + "-" + re.escape(pin.version) + r"-.*\.whl", re.IGNORECASE
    )
    found = sorted(path for path in folder.iterdir() if pattern.fullmatch(path.name)) if folder.is_dir() else []
    if not found:
        raise ConfigError(
            "the folder of wheels lacks one that is needed",
            where=str(folder),
            got=f"no wheel of {pin}",
            cure="Fill it with: pip download --no-deps --only-binary :all: -r requirements.txt -d FOLDER",
        )
    return found


def _described(package: Package, place: Path, contents: Contents) -> Context:
    files = sorted(path for path in place.rglob("*") if path.is_file())
    return Context(
        kind=contents.kind,
        name=package.manifest.name,
        version=package.manifest.version,
        package_digest=package.manifest.digest,
        requirements=tuple(str(pin) for pin in contents.pins),
        files={path.relative_to(place).as_posix(): digest_file(path) for path in files},
        bytes=sum(path.stat().st_size for path in files),
    )
