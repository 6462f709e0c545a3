"""A test table of the user's own, which is sealed as it is."""

import polars as pl

from modelyard.core import DataError
from modelyard.data.history import with_history
from modelyard.data.read import located, read_source
from modelyard.data.table import Table
from modelyard.problem import Problem, did_you_mean
from modelyard.store import Workspace

__all__ = ["own_table", "own_test"]


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
