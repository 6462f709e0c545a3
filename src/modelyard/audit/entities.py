"""Columns that seem to name entities with many rows each, though no group is declared.

A column is a candidate if its values repeat (at least 5 rows each, at least 20 values, or 5 under a name that says
id) and other features are fixed within each value without being its mere other name. It is taken for an entity if the
features predict much better on rows of known values than on rows of new ones: the held-out score by random folds minus
the score by whole values is at least 0.1. Features that alone come near the target (:data:`NEAR_TARGET`) are left out
of both scores, since a leak would hide the difference.

Measured on the training part of the test data: `subject` in parkinsons_telemonitoring has 42 values that fix age and
sex; R² is 0.97 by random folds and 0 by subject. No column of the other tables fixes a feature.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import polars as pl

from modelyard.data import Column, ColumnKind
from modelyard.data.schema import looks_like_identifier
from modelyard.problem import Task

__all__ = ["NEAR_TARGET", "SCORE_GAP", "Entity", "entity_candidates"]

NEAR_TARGET: Mapping[Task, float] = {Task.BINARY: 0.90, Task.MULTICLASS: 0.90, Task.REGRESSION: 0.85}
"""Scores of a single feature from which it is suspected to be a leak."""

SCORE_GAP = 0.1
_MIN_VALUES = 20
_MIN_NAMED_VALUES = 5
_MIN_ROWS_PER_VALUE = 5
_MAX_CANDIDATES = 3
_FIRST_ROWS = 1_000


@dataclasses.dataclass(frozen=True)
class Entity:
    """A column whose values are entities.

    Parameters
    ----------
    name
        The column.
    fixed
        Features that have one value within each entity.
    mixed, apart
        Held-out score of the other features on rows of known entities, and of new ones.
    """

    name: str
    fixed: tuple[str, ...]
    mixed: float
    apart: float


def entity_candidates(
    frame: pl.DataFrame, columns: Sequence[Column], features: Sequence[str]
) -> list[tuple[str, tuple[str, ...]]]:
    """Names of candidates with the features that they fix, those that fix most first; at most three.

    Parameters
    ----------
    frame
        Training rows, or a sample of them.
    columns
        The columns that may be an entity.
    features
        Names of the feature columns.
    """
    found = []
    for column in columns:
        if not _may_be_entity(frame[column.name], column.kind):
            continue
        fixed = _fixed_within(frame, column.name, [name for name in features if name != column.name])
        if fixed:
            found.append((column.name, fixed))
    return sorted(found, key=lambda pair: -len(pair[1]))[:_MAX_CANDIDATES]


def _may_be_entity(values: pl.Series, kind: ColumnKind) -> bool:
    """True for whole numbers and words that repeat often enough, and not too seldom."""
    if kind in (ColumnKind.DATE, ColumnKind.BOOLEAN, ColumnKind.TEXT) or values.dtype.is_float():
        return False
    distinct = values.n_unique()
    least = _MIN_NAMED_VALUES if looks_like_identifier(values.name) else _MIN_VALUES
    return least <= distinct <= len(values) / _MIN_ROWS_PER_VALUE


def _fixed_within(frame: pl.DataFrame, name: str, others: list[str]) -> tuple[str, ...]:
    """Features with one value within each value of the column, and fewer values than it over all."""
    for rows in (_FIRST_ROWS, frame.height):  # most features drop out at a first look
        if not others:
            return ()
        counts = frame.head(rows).group_by(name).agg(pl.col(others).n_unique()).select(pl.col(others).max())
        others = [other for other in others if counts[other][0] == 1]
    distinct = frame.select(pl.col([name, *others]).n_unique()).row(0, named=True)
    return tuple(other for other in others if 1 < distinct[other] < distinct[name])
