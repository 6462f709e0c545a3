"""The files of a package that is being built, and the manifest over them."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelyard.core import digest_file
from modelyard.packaging.manifest import MANIFEST_FILE, Manifest
from modelyard.packaging.package import files_in

__all__ = ["seal", "size_mb", "write_json"]

_MB = 1e6


def seal(place: Path, manifest: Manifest) -> None:
    """Write the manifest over all files that are there."""
    names = sorted(name for name, _ in files_in(place) if name != MANIFEST_FILE)
    sealed = dataclasses.replace(
        manifest,
        files={name: digest_file(place / name) for name in names},
        bytes=sum((place / name).stat().st_size for name in names),
    ).sealed()
    write_json(place / MANIFEST_FILE, sealed.to_dict())


def size_mb(place: Path) -> float:
    """Size of all files, in MB."""
    return sum((place / name).stat().st_size for name, _ in files_in(place)) / _MB


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Indented JSON without NaN."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
