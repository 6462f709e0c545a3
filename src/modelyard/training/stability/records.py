"""What further divisions and further seeds leave behind."""

import dataclasses

from modelyard.core import Record

__all__ = ["Finalist", "FoldSpread", "Repeats", "SeedSpread"]


@dataclasses.dataclass(frozen=True)
class Finalist(Record):
    """A candidate within noise of the best, on every division.

    Parameters
    ----------
    name
        Of the candidate.
    scores
        The primary metric by division, then by fold; the first division is that of the search.
    mean
        Over divisions.
    sd
        Of the divisions' means, with n-1 in the denominator.
    """

    name: str
    scores: tuple[tuple[float, ...], ...]
    mean: float
    sd: float


@dataclasses.dataclass(frozen=True)
class Repeats(Record):
    """The choice made again on the mean over several divisions into folds.

    Parameters
    ----------
    metric
        The primary metric.
    wanted, divisions
        Divisions asked for, and those on which all finalists were scored; 1 if nothing was scored again.
    finalists
        By their mean over divisions, the best first; empty if nothing was scored again.
    before, after
        What one division would have chosen, and what was chosen.
    sentence
        All of this in words.
    """

    metric: str
    wanted: int
    divisions: int
    finalists: tuple[Finalist, ...]
    before: str
    after: str
    sentence: str


@dataclasses.dataclass(frozen=True)
class FoldSpread(Record):
    """Whether the winner's score differs from fold to fold.

    Parameters
    ----------
    winner, metric
        Whose score, and which.
    chance
        Of folds so far apart if all had one score.
    beyond
        Standard deviation between folds beyond what their rows explain.
    unstable
        Whether that is no chance, and matters.
    sentence
        In words; ``""`` unless it is unstable.
    """

    winner: str
    metric: str
    chance: float
    beyond: float
    unstable: bool
    sentence: str


@dataclasses.dataclass(frozen=True)
class SeedSpread(Record):
    """The winner on the same folds with other seeds of fitting.

    Parameters
    ----------
    winner
        Name of the candidate.
    metric
        The primary metric.
    scores
        By seed, then by fold; the first seed is that of the search.
    by_seed
        Standard deviation of a fold's score over seeds, pooled over folds.
    by_fold
        Standard deviation over folds of the mean over seeds, or of a fold's score under draws of its rows if that is larger.
    unstable
        Whether ``by_seed`` is more than half of ``by_fold``.
    averaged
        How many seeds the winner is the mean of; 1 if it is not averaged.
    sentence
        All of this in words.
    """

    winner: str
    metric: str
    scores: tuple[tuple[float, ...], ...]
    by_seed: float
    by_fold: float
    unstable: bool
    averaged: int
    sentence: str
