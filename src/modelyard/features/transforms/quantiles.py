"""A number by its rank: where it stands among the training rows, on the scale of a normal distribution."""

import bisect
import dataclasses
import functools
import statistics

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Record
from modelyard.features.values import number_of, numbers_in

__all__ = ["QuantileEncoding", "fit_quantiles"]

Matrix = npt.NDArray[np.float64]

_KNOTS = 201
_OUTERMOST = 0.001
"""Ranks below 1 and above 999 in a thousand are taken as these: the far tails of few rows mean little."""


@dataclasses.dataclass(frozen=True)
class QuantileEncoding(Record):
    """The normal score of a number's rank; between known values by a straight line, beyond them as the outermost.

    Whatever the shape of the column was, the feature is about normal: skew and far values are gone, order stays.

    Parameters
    ----------
    column
        Name of the column read.
    knots
        Known values, ascending; at least two.
    scores
        The feature at each of them.
    fill
        Value that stands for a missing one.
    indicator
        True adds a second feature that is 1 where the value is missing.
    """

    column: str
    knots: tuple[float, ...]
    scores: tuple[float, ...]
    fill: float
    indicator: bool = False

    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        name = f"{self.column} (rank)"
        return (name, f"{self.column} (missing)") if self.indicator else (name,)

    def encode_series(self, series: pl.Series) -> Matrix:
        """Features of a column, shape (rows, ``len(names())``)."""
        numbers = numbers_in(series)
        missing = np.isnan(numbers)
        knots, scores, slopes = np.array(self.knots), np.array(self.scores), np.array(self._slopes)
        held = np.clip(np.where(missing, self.fill, numbers), self.knots[0], self.knots[-1])
        at = np.minimum(np.searchsorted(knots, held, side="right"), len(knots) - 1) - 1
        ranked = scores[at] + (held - knots[at]) * slopes[at]
        return np.column_stack([ranked, missing.astype(np.float64)]) if self.indicator else ranked[:, np.newaxis]

    def encode_value(self, value: object) -> tuple[float, ...]:
        """Features of one value, the same bits as in :meth:`encode_series`."""
        number = number_of(value)
        held = min(max(self.fill if number is None else number, self.knots[0]), self.knots[-1])
        at = min(bisect.bisect_right(self.knots, held), len(self.knots) - 1) - 1
        ranked = self.scores[at] + (held - self.knots[at]) * self._slopes[at]
        return (ranked, 1.0 if number is None else 0.0) if self.indicator else (ranked,)

    @functools.cached_property
    def _slopes(self) -> tuple[float, ...]:
        """How steeply the feature rises from each known value to the next."""
        return tuple(
            (self.scores[at + 1] - self.scores[at]) / (self.knots[at + 1] - self.knots[at])
            for at in range(len(self.knots) - 1)
        )


def fit_quantiles(name: str, present: Matrix, *, fill: float, indicator: bool) -> QuantileEncoding:
    """The scores of 201 evenly spread ranks of the training rows; a value that repeats has the middle of its ranks.

    Parameters
    ----------
    present
        The values that are not missing; at least two different ones.
    """
    ordered = np.sort(present)
    low, high = np.searchsorted(ordered, ordered, "left"), np.searchsorted(ordered, ordered, "right")
    places = np.unique(np.linspace(0, len(ordered) - 1, min(_KNOTS, len(ordered))).round().astype(np.int64))
    knots, first = np.unique(ordered[places], return_index=True)
    ranks = (low + high)[places[first]] / (2 * len(ordered))
    normal = statistics.NormalDist()
    scores = [normal.inv_cdf(min(max(rank, _OUTERMOST), 1 - _OUTERMOST)) for rank in ranks.tolist()]
    return QuantileEncoding(name, tuple(knots.tolist()), tuple(scores), fill, indicator)
