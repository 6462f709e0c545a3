"""The first project file of a table: what the table suggests, in the project file's words."""

import os
import re
from pathlib import Path
from typing import Any

from modelyard.data.drafting.suggest import suggest
from modelyard.data.read import located
from modelyard.data.resolving import resolve
from modelyard.data.table import TableLike
from modelyard.problem import Problem, ProblemDraft, Task
from modelyard.problem.address import is_url
from modelyard.problem.schema import DataSource

__all__ = ["as_name", "as_written", "draft_problem"]

_KEYS = {
    "positive": "data.positive",
    "id": "data.id",
    "time": "data.time",
    "group": "data.group",
    "exclude": "data.exclude",
    "segments": "segments",
    "protected": "protected",
}


def draft_problem(
    name: str, source: Path | str, rows: TableLike, target: str, *, folder: Path, query: str | None = None
) -> ProblemDraft:
    """Look at a table and draft a problem for the project in ``folder``.

    Parameters
    ----------
    name
        Of the model; what a model's name cannot hold becomes a dash.
    source, query
        Where the rows come from. The project file names a path relative to the folder if it lies below it or beside
        it, else absolutely.
    rows
        The table.
    target
        Column to predict.
    folder
        The project's.

    Raises
    ------
    DataError
        If the table has no such target that could be learnt.
    """
    resolve(Problem(task=Task.AUTO, data=DataSource(source=str(source), target=target)), rows)
    found = suggest(rows, target)
    values: dict[str, Any] = {"data.query": query} if query else {}
    values |= {
        key: getattr(found, field) for field, key in _KEYS.items() if getattr(found, field) not in (None, (), {})
    }
    because = {_KEYS.get(field, field): reason for field, reason in found.because.items()}
    return ProblemDraft(as_name(name), as_written(str(source), folder), target, found.task, values, because)


def as_written(source: str, folder: Path) -> str:
    """The table's path or address as the project file holds it; SQLite's file is named absolutely."""
    if is_url(source):
        return located(source, Path.cwd())
    whole = Path(source).resolve()
    relative = os.path.relpath(whole, folder.resolve())
    return relative if Path(relative).parts.count("..") <= 1 else str(whole)


def as_name(name: str) -> str:
    """``name`` as a model may be called: letters, digits, ``_.-``, at most 64, a letter or digit first.

    >>> as_name("Kündigung 2026"), as_name("_churn"), as_name("…")
    ('K-ndigung-2026', 'churn', 'model')
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).lstrip("_.-")[:64] or "model"
