"""How a source enters: read, made plain, stored as a version; not read again while its bytes are the same."""

import json
from pathlib import Path

from modelyard.core import digest_file, digest_json, write_json_atomic
from modelyard.data.history import with_history
from modelyard.data.read import located, read_declared
from modelyard.data.table import TableLike
from modelyard.data.version import DatasetVersion, store_version, version_record
from modelyard.problem import Problem
from modelyard.store import Workspace

__all__ = ["enter_source"]

_FILE = "entered.json"
_RULES = 1
"""Raised when reading gives other tables from the same bytes, so that sources are read again."""


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
    key = _fingerprint(problem, workspace.root)
    known = _entered(workspace)
    if key in known and (workspace.folder("datasets", known[key]) / "dataset.json").exists():
        return version_record(known[key], workspace)
    source = located(problem.data.source, workspace.root)
    with workspace.scratch() as scratch:
        read = read_declared(problem.data, workspace.root, scratch=scratch)
        rows: TableLike = read.table
        if _looks_back(problem):
            rows = with_history(read.frame, problem, workspace.root, is_source=True)
        version = store_version(rows, source, workspace, notes=read.notes)
    if key is not None and key == _fingerprint(problem, workspace.root):
        write_json_atomic(workspace.folder("datasets") / _FILE, {**known, key: version.id})
    return version


def _fingerprint(problem: Problem, root: Path) -> str | None:
    """What a file's table follows from: its bytes, its name's ending and what is asked of it; None for other sources."""
    path = Path(located(problem.data.source, root))
    if _looks_back(problem) or not path.is_file():
        return None
    asked = {"rules": _RULES, "suffix": path.suffix.lower(), "sheet": problem.data.sheet, "query": problem.data.query}
    return digest_json({**asked, "bytes": digest_file(path)})


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
