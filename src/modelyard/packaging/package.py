"""A package on disk: verified when it is opened, and again whenever a file is read."""

import dataclasses
import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from modelyard.core import IntegrityError, digest_bytes, digest_file
from modelyard.packaging.manifest import MANIFEST_FILE, PROTOCOL, Manifest

__all__ = ["Package", "differences", "files_in", "load_package", "read_manifest"]

_MODEL_FOLDER = "model/"
_CURE = "Do not use the package; fetch it again from the registry, or build it again from its run"


@dataclasses.dataclass(frozen=True)
class Package:
    """A verified package.

    Parameters
    ----------
    folder
        Where it lies.
    manifest
        What it holds.
    """

    folder: Path
    manifest: Manifest

    def read(self, name: str) -> bytes:
        """The content of a file, verified once more: a file that was exchanged after loading is found.

        Raises
        ------
        IntegrityError
            If the package has no such file, or its bytes are not those that were packaged.
        """
        if name not in self.manifest.files:
            raise _refused("the package lacks a file", f"{self.folder}/{name}", "")
        try:
            content = (self.folder / name).read_bytes()
        except OSError as error:
            raise _refused("a file cannot be read", f"{self.folder}/{name}", error.strerror or str(error)) from error
        if digest_bytes(content) != self.manifest.files[name]:
            raise _refused("a file is not what was packaged", f"{self.folder}/{name}", "another digest")
        return content

    def read_json(self, name: str) -> Any:
        """The content of a JSON file; raises as :meth:`read`."""
        return json.loads(self.read(name))

    def model_files(self) -> dict[str, bytes]:
        """The predictor's files: name within ``model/`` to content."""
        names = [name for name in self.manifest.files if name.startswith(_MODEL_FOLDER)]
        return {name.removeprefix(_MODEL_FOLDER): self.read(name) for name in names}


def load_package(folder: Path | str, *, beside: Collection[str] = ()) -> Package:
    """Open a package: check the protocol, the manifest's own digest, and every file.

    Parameters
    ----------
    beside
        Files that others may have laid among those of the package; nobody reads them.

    Raises
    ------
    IntegrityError
        If there is no manifest or it cannot be read, the protocol is newer than this version knows, a byte differs, a
        file is missing or too many, or something is no plain file. Everything that is wrong with files is listed.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if manifest.digest != manifest.expected_digest():
        raise _refused("the manifest is not what was packaged", f"{folder}/{MANIFEST_FILE}", "another digest")
    problems = list(differences(folder, manifest, beside=beside))
    if problems:
        shown = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if problems[5:] else "")
        raise _refused("the files are not those that were packaged", str(folder), shown)
    return Package(folder, manifest)


def read_manifest(folder: Path) -> Manifest:
    """The manifest as it lies there, its protocol looked at before anything else in it; nothing else is verified.

    Raises
    ------
    IntegrityError
        If there is none, it cannot be read, or its protocol is newer than this version knows.
    """
    path = folder / MANIFEST_FILE
    if path.is_symlink() or not path.is_file():
        raise _refused("there is no package", str(folder), f"no {MANIFEST_FILE}")
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise _refused("the manifest cannot be read", str(path), str(error)) from error
    protocol = content.get("protocol") if isinstance(content, dict) else None
    if not isinstance(protocol, int) or isinstance(protocol, bool) or protocol < 1:
        raise _refused("the manifest names no protocol", str(path), repr(protocol))
    if protocol > PROTOCOL:
        raise IntegrityError(
            f"the package's format is newer than this version of modelyard, which reads protocols 1 to {PROTOCOL}",
            where=str(path),
            got=f"protocol {protocol}",
            cure="Upgrade modelyard",
        )
    try:
        return Manifest.from_dict(content)
    except (TypeError, ValueError, AttributeError) as error:
        raise _refused("the manifest cannot be read", str(path), str(error)) from error


def differences(folder: Path, manifest: Manifest, *, beside: Collection[str] = ()) -> Iterator[str]:
    """What is wrong with the files of a package, in words: added, missing, no plain file, changed."""
    found = dict(files_in(folder))
    found.pop(MANIFEST_FILE, None)
    for name in sorted(found.keys() - manifest.files.keys() - set(beside)):
        yield f"{name} is not in the manifest"
    for name, digest in sorted(manifest.files.items()):
        if name not in found:
            yield f"{name} is missing"
        elif not found[name]:
            yield f"{name} is no plain file"
        elif digest_file(folder / name) != digest:
            yield f"{name} has changed"


def files_in(folder: Path) -> Iterator[tuple[str, bool]]:
    """Everything in a folder that is no folder: path with ``/``, and whether it is a plain file, not a link."""
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in (*files, *links):
            path = Path(place) / name
            yield path.relative_to(folder).as_posix(), path.is_file() and not path.is_symlink()


def _refused(what: str, where: str, got: str) -> IntegrityError:
    return IntegrityError(what, where=where, got=got, cure=_CURE)
