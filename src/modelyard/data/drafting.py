"""The first project file of a table: what the table suggests, in the project file's words."""

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


def draft_problem(name: str, source: Path, target: str, *, written_as: str) -> ProblemDraft:
    """Look at the table in ``source`` and draft a problem; ``written_as`` is the path that the file will hold.

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
    return ProblemDraft(name, written_as, target, found.task, values, because)
