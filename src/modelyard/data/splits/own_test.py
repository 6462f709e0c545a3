"""A test table of the user's own, which is sealed as it is; and what it asks: later rows or not, other groups or the same."""

import polars as pl

from modelyard.core import DataError
from modelyard.data.history import with_history
from modelyard.data.read import located, read_source
from modelyard.data.table import Table
from modelyard.problem import Problem, did_you_mean
from modelyard.store import Workspace

__all__ = ["as_divided", "comes_later", "has_other_groups", "own_table", "own_test"]

_NEARLY_ALL = 0.95


def own_table(problem: Problem, workspace: Workspace) -> pl.DataFrame | None:
    """The user's own test table as it comes; None if there is none.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    data = problem.data
    if data.test_source is None:
        return None
    return read_source(located(data.test_source, workspace.root), query=data.test_query).frame


def own_test(own: pl.DataFrame | None, table: Table, problem: Problem, workspace: Workspace) -> pl.DataFrame | None:
    """The user's own test table, with the columns of the main one; None if there is none.

    Raises
    ------
    DataError
        If it lacks a column, or the target in some rows.
    """
    if own is None:
        return None
    source = problem.data.test_source or ""
    frame = with_history(own, problem, workspace.root)
    missing = [name for name in table.columns if name not in frame.columns]
    missing = [name for name in missing if name != problem.split.column]
    if missing:
        raise DataError(
            "the test table lacks columns of the main table",
            where=source,
            got=", ".join(map(repr, missing[:5])),
            cure=did_you_mean(missing[0], frame.columns),
        )
    if nulls := frame[problem.data.target].null_count():
        raise DataError(
            f"the target is missing in {nulls:,} of {frame.height:,} rows of the test table",
            where=source,
            cure="Exclude those rows, or join their labels first",
        )
    return frame.select(name for name in table.columns if name in frame.columns)


def comes_later(test: pl.Series, rows: pl.Series) -> bool:
    """Whether a test table asks about the time after the rows to learn from: half of it lies after 95 % of them.

    Rows drawn by chance from the same time would have 5 % there. What cannot be compared is taken to be later, as a time column
    says.
    """
    comparable = test.dtype == rows.dtype and (rows.dtype.is_temporal() or rows.dtype.is_numeric())
    known = rows.drop_nulls().sort()
    if not comparable or known.is_empty():
        return True
    late = known[int(_NEARLY_ALL * (len(known) - 1))]
    return float((test > late).fill_null(value=False).sum()) >= len(test) / 2


def has_other_groups(test: pl.Series, rows: pl.Series) -> bool:
    """Whether a test table asks about groups that are not among the rows to learn from: those of half of its rows are not."""
    if test.dtype != rows.dtype:
        return True
    known = test.is_in(rows.drop_nulls().unique().implode()).fill_null(value=False)
    return float(known.sum()) < len(test) / 2


def as_divided(problem: Problem, strategy: str) -> Problem:
    """The problem without a group that its parts do not keep apart, since a test table of one's own asked about the same groups.

    Then the group says something about a row, and is a feature like others. Only such a table makes ``auto`` pass a group over, so
    the strategy tells, even where the table was given for one command. A strategy that the project file asks for leaves the group
    what it is declared to be.

    Parameters
    ----------
    strategy
        By which the rows were divided; see :class:`~modelyard.data.splits.stored.SplitRecord`.
    """
    data = problem.data
    mixed = strategy in ("random", "stratified")
    if data.group is None or problem.split.strategy != "auto" or not mixed:
        return problem
    return problem.model_copy(update={"data": data.model_copy(update={"group": None})})
