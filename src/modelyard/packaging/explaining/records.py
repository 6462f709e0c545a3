"""The reasons for one score."""

import dataclasses

from modelyard.core import Record

__all__ = ["Contribution", "Reasons"]


@dataclasses.dataclass(frozen=True)
class Contribution(Record):
    """What one column adds to the score of an average row; below 0 if it takes away."""

    column: str
    amount: float


@dataclasses.dataclass(frozen=True)
class Reasons(Record):
    """Why one row got its score.

    Parameters
    ----------
    contributions
        One for each column that the model reads, the largest first; with ``baseline`` they add up to ``raw_score``.
    baseline
        The raw score of an average row.
    raw_score
        The row's score on ``scale``.
    scale
        ``value``, ``probability``, or ``log-odds``: the number from which the link makes the probability.
    method
        ``exact``, or ``sampled``: random orders of the columns, whose amounts vary a little around the exact ones.
    explained_class
        The positive class, or the decided one of several; empty for a value.
    """

    contributions: tuple[Contribution, ...]
    baseline: float
    raw_score: float
    scale: str
    method: str
    explained_class: str
