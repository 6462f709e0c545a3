"""A number as the bin it falls into: for effects that jump, and for rules that people keep in bands."""

import bisect
import dataclasses
import functools
import itertools
import math

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Record
from modelyard.features.values import number_of, numbers_in

__all__ = ["BinsEncoding", "fit_bins"]

Matrix = npt.NDArray[np.float64]

BINS = 10


@dataclasses.dataclass(frozen=True)
class BinsEncoding(Record):
    """The bin of a number, as one feature for each bin or as the bin's place.

    Parameters
    ----------
    column
        Name of the column read.
    edges
        Where one bin ends and the next begins, ascending; a value on an edge belongs to the upper bin.
    one_hot
        True for a feature of 0 and 1 for each bin; False for one feature, the bin's place from 0.
    indicator
        True adds a feature that is 1 where the value is missing (one-hot only).
    missing_code
        Place of a missing value (if not one-hot); None leaves NaN.
    """

    column: str
    edges: tuple[float, ...]
    one_hot: bool
    indicator: bool = False
    missing_code: float | None = None

    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        if not self.one_hot:
            return (f"{self.column} (bin)",)
        ends = [f"{edge:.6g}" for edge in self.edges]
        middle = [f"{self.column} {low} to {high}" for low, high in itertools.pairwise(ends)]
        names = (f"{self.column} below {ends[0]}", *middle, f"{self.column} from {ends[-1]}")
        return (*names, f"{self.column} (missing)") if self.indicator else names

    def encode_series(self, series: pl.Series) -> Matrix:
        """Features of a column, shape (rows, ``len(names())``)."""
        numbers = numbers_in(series)
        at = np.searchsorted(np.array(self.edges), numbers, side="right")
        features: Matrix = np.array(self._rows)[np.where(np.isnan(numbers), len(self.edges) + 1, at)]
        return features

    def encode_value(self, value: object) -> tuple[float, ...]:
        """Features of one value, the same bits as in :meth:`encode_series`."""
        number = number_of(value)
        return self._rows[len(self.edges) + 1 if number is None else bisect.bisect_right(self.edges, number)]

    @functools.cached_property
    def _rows(self) -> tuple[tuple[float, ...], ...]:
        """The features of every bin, and at the end those of a missing value."""
        bins = len(self.edges) + 1
        if not self.one_hot:
            missing = math.nan if self.missing_code is None else self.missing_code
            return (*((float(place),) for place in range(bins)), (missing,))
        width = bins + self.indicator
        return tuple(tuple(float(place == row) for place in range(width)) for row in range(bins + 1))


def fit_bins(
    name: str, present: Matrix, *, one_hot: bool, indicator: bool, missing_code: float | None = None
) -> BinsEncoding | None:
    """Ten bins of about equal numbers of training rows, fewer if values repeat; None if there would be one only."""
    inner = np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1], method="higher")
    edges = np.unique(inner[inner > present.min()])
    if len(edges) == 0:
        return None
    return BinsEncoding(name, tuple(edges.tolist()), one_hot, indicator and one_hot, missing_code)
