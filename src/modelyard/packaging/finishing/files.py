"""The files of a package that is being built, and the manifest over them."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from modelyard.core import digest_file
from modelyard.packaging.manifest import MANIFEST_FILE, Manifest
from modelyard.packaging.package import files_in

__all__ = ["Content", "seal", "size_mb", "write_files"]

Content: TypeAlias = bytes | str | Mapping[str, Any]
"""Of a file: bytes, text, or what is written as JSON."""

_MB = 1e6


def seal(place: Path, manifest: Manifest) -> None:
    """Write the manifest over all files that are there."""
    names = sorted(name for name, _ in files_in(place) if name != MANIFEST_FILE)
    sealed = dataclasses.replace(
        manifest,
        files={name: digest_file(place / name) for name in names},
        bytes=sum((place / name).stat().st_size for name in names),
    ).sealed()
    write_files(place, {MANIFEST_FILE: sealed.to_dict()})


def size_mb(place: Path) -> float:
    """Size of all files, in MB."""
    return sum((place / name).stat().st_size for name, _ in files_in(place)) / _MB


def write_files(place: Path, files: Mapping[str, Content]) -> None:
    """Write files by their path within the package; text is UTF-8, JSON is indented and has no NaN."""
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else _text(content).encode())


def _text(content: str | Mapping[str, Any]) -> str:
    if isinstance(content, str):
        return content
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
