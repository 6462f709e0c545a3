"""The first project file of a table: what the table suggests, in the project file's words."""

import os
from pathlib import Path
from typing import Any

from modelyard.data.read import read_table
from modelyard.data.suggest import suggest
from modelyard.problem import ProblemDraft

__all__ = ["draft_problem"]

_KEYS = {
    "positive": "data.positive",
    "id": "data.id",
    "time": "data.time",
    "group": "data.group",
    "exclude": "data.exclude",
    "segments": "segments",
    "protected": "protected",
}


def draft_problem(name: str, source: Path, target: str, *, folder: Path) -> ProblemDraft:
    """Look at the table in ``source`` and draft a problem for the project in ``folder``.

    The project file names the table relative to the folder if it lies below it or beside it, else absolutely.

    Raises
    ------
    DataError
        If the table cannot be read, or has no such target that could be learnt.
    """
    found = suggest(read_table(source), target)
    values: dict[str, Any] = {
        key: getattr(found, field) for field, key in _KEYS.items() if getattr(found, field) not in (None, (), {})
    }
    because = {_KEYS.get(field, field): reason for field, reason in found.because.items()}
    return ProblemDraft(name, _as_written(source, folder), target, found.task, values, because)


def _as_written(source: Path, folder: Path) -> str:
    """The table's path as the project file holds it."""
    relative = os.path.relpath(source.resolve(), folder.resolve())
    return relative if relative.count("..") <= 1 else str(source.resolve())
