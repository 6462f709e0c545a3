"""How a source enters: read, made plain, stored as a version; not read again while its bytes are the same."""

import dataclasses
import json
from pathlib import Path

from modelyard.core import digest_file, digest_json, write_json_atomic
from modelyard.data.history import with_history
from modelyard.data.read import located, read_declared
from modelyard.data.table import TableLike
from modelyard.data.version import DatasetVersion, is_version, store_version, version_record
from modelyard.problem import Problem
from modelyard.store import Workspace

__all__ = ["Fingerprint", "enter_source", "fingerprint", "keep_version"]

_FILE = "entered.json"
_RULES = 1
"""Raised when reading gives other tables from the same bytes, so that sources are read again."""


@dataclasses.dataclass(frozen=True)
class Fingerprint:
    """What a file's table follows from.

    Parameters
    ----------
    path
        The file.
    state
        Size, time of change and place on the disk before its bytes were taken.
    digest
        Of its bytes, its name's ending and what is asked of it.
    """

    path: Path
    state: tuple[int, int, int]
    digest: str

    @property
    def holds(self) -> bool:
        """True if the file has not been touched since."""
        return _state(self.path) == self.state


def enter_source(problem: Problem, workspace: Workspace) -> DatasetVersion:
    """The version of the declared source as it is now, with the features of its event tables and series.

    A local file whose bytes entered before is not read again: its digest stands beside the versions. Folders,
    addresses and sources with event tables or series are read each time. Large tables are never whole in memory,
    unless something is joined to them.

    Raises
    ------
    DataError, ConfigError, MissingExtraError
        As :func:`modelyard.data.read_source` and :func:`modelyard.data.history_joiner`.
    """
    data = problem.data
    source = located(data.source, workspace.root)
    key = None if _looks_back(problem) else fingerprint(source, query=data.query, sheet=data.sheet)
    known = _entered(workspace).get(key.digest) if key is not None else None
    if known is not None and is_version(known, workspace):
        return version_record(known, workspace)
    with workspace.scratch() as scratch:
        read = read_declared(data, workspace.root, scratch=scratch)
        rows: TableLike = read.table
        if _looks_back(problem):
            rows = with_history(read.frame, problem, workspace.root, is_source=True)
        return keep_version(rows, source, workspace, notes=read.notes, key=key)


def keep_version(
    rows: TableLike, source: str, workspace: Workspace, *, notes: tuple[str, ...], key: Fingerprint | None
) -> DatasetVersion:
    """Store a table that was read, and remember which bytes it came from.

    Parameters
    ----------
    key
        The source's :func:`fingerprint` before it was read; None if it is to be read each time.
    """
    version = store_version(rows, source, workspace, notes=notes)
    if key is not None and key.holds:
        write_json_atomic(workspace.folder("datasets") / _FILE, {**_entered(workspace), key.digest: version.id})
    return version


def fingerprint(source: Path | str, *, query: str | None = None, sheet: str | None = None) -> Fingerprint | None:
    """The fingerprint of a local file; None for other sources."""
    path = Path(source)
    if not path.is_file():
        return None
    state = _state(path)
    asked = {"rules": _RULES, "suffix": path.suffix.lower(), "sheet": sheet, "query": query}
    return Fingerprint(path, state, digest_json({**asked, "bytes": digest_file(path)}))


def _state(path: Path) -> tuple[int, int, int]:
    seen = path.stat()
    return seen.st_size, seen.st_mtime_ns, seen.st_ino


def _looks_back(problem: Problem) -> bool:
    """True if features are made of other tables or of the rows' own past."""
    return bool(problem.data.events) or problem.data.series is not None


def _entered(workspace: Workspace) -> dict[str, str]:
    """Fingerprints with the versions they gave; a damaged list is forgotten, since it saves time and nothing else."""
    try:
        content = json.loads((workspace.folder("datasets") / _FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
