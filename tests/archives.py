"""Archives that lie among the tests' data."""

import tarfile
from pathlib import Path
from typing import Any

__all__ = ["unpack"]


def unpack(archive: Path, folder: Path) -> None:
    """Lay the files of a tar archive into a folder."""
    safe: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python 3.11.4 and later
    with tarfile.open(archive) as content:
        content.extractall(folder, **safe)  # noqa: S202 - an archive of our own
