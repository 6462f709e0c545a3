"""What nested cross-validation leaves behind."""

import dataclasses
from collections.abc import Mapping

from modelyard.core import Record

__all__ = ["NestedScore", "OuterPart"]


@dataclasses.dataclass(frozen=True)
class OuterPart(Record):
    """One outer part: a search on all other rows, and its winner on these.

    Parameters
    ----------
    learnt, held
        Rows that the search and its winner learnt from, and rows of the part.
    winner, family
        Of that search; ``""`` if it failed.
    claimed
        The winner's mean over that search's own folds: how good it looked.
    score
        The winner on the part's rows; None if the search failed or the metric is undefined there.
    error
        Why there is no score; else ``""``.
    """

    learnt: int
    held: int
    winner: str = ""
    family: str = ""
    claimed: float | None = None
    score: float | None = None
    error: str = ""


@dataclasses.dataclass(frozen=True)
class NestedScore(Record):
    """What the whole search is worth on rows that it has not seen: a judgement of the procedure, not of one model.

    Parameters
    ----------
    metric
        The primary metric.
    wanted
        Outer parts that were asked for; fewer are made where rows, groups or moments do not allow more.
    parts
        In their order; fewer than were made if the run was stopped, or a budget ended it.
    mean, standard_error
        Of the parts' scores; None unless all parts have one, or those that a budget let through.
    low, high
        95 % interval, as :func:`~modelyard.training.nesting.interval.mean_interval` gives it; None for two parts.
    families
        How often each family won.
    sentence
        All of this in words.
    finished
        False if the run was stopped before the last part.
    """

    metric: str
    wanted: int
    parts: tuple[OuterPart, ...]
    mean: float | None
    standard_error: float | None
    low: float | None
    high: float | None
    families: Mapping[str, int]
    sentence: str
    finished: bool = True
