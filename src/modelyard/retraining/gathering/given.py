"""The new labelled rows of a table that a person gives."""

import polars as pl

from modelyard.core import DataError
from modelyard.data import unknown_rows
from modelyard.problem import Problem
from modelyard.retraining.champion import Champion
from modelyard.retraining.gathering.gathered import Gathered
from modelyard.store import Workspace

__all__ = ["from_table"]


def from_table(table: pl.DataFrame, problem: Problem, champion: Champion, workspace: Workspace) -> Gathered:
    """The labelled rows of ``table`` that are not in the champion's data.

    Raises
    ------
    DataError
        If the table lacks the target, or a column of the training data.
    """
    target = problem.data.target
    if target not in table.columns:
        raise DataError(
            "the new table has no target column, so there is nothing to learn from it",
            where="the new table",
            got=", ".join(table.columns[:8]),
            cure=f"Add the column {target!r}",
        )
    labelled = table.filter(pl.col(target).is_not_null())
    return Gathered(labelled.height, unknown_rows(labelled, champion.base, workspace))
