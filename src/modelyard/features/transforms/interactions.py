"""The product of two numbers, for effects of the one that depend on the other."""

import dataclasses

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Record
from modelyard.features.values import number_of, numbers_in

__all__ = ["InteractionEncoding", "fit_interaction"]

Matrix = npt.NDArray[np.float64]

_FARTHEST = 1e6
"""Standard deviations; so that no product is infinite, or infinity times nothing."""


@dataclasses.dataclass(frozen=True)
class InteractionEncoding(Record):
    """``(first - center) / scale`` times the same of the second; gaps filled, each held within a million deviations.

    Parameters
    ----------
    first, second
        Names of the columns read.
    fills, centers, scales
        Of the first and of the second column.
    """

    first: str
    second: str
    fills: tuple[float, float]
    centers: tuple[float, float]
    scales: tuple[float, float]

    @property
    def column(self) -> str:
        """What the catalogue calls it."""
        return f"{self.first} × {self.second}"

    @property
    def reads(self) -> tuple[str, str]:
        """The columns of the table that it reads."""
        return (self.first, self.second)

    def names(self) -> tuple[str, ...]:
        """The one name of the feature."""
        return (self.column,)

    def encode_pair(self, first: pl.Series, second: pl.Series) -> Matrix:
        """Features of two columns, shape (rows, 1)."""
        product = self._factors(first, 0) * self._factors(second, 1)
        return product[:, np.newaxis]

    def encode_values(self, first: object, second: object) -> tuple[float, ...]:
        """Features of one row's two values, the same bits as in :meth:`encode_pair`."""
        return (self._factor(first, 0) * self._factor(second, 1),)

    def _factors(self, series: pl.Series, which: int) -> Matrix:
        numbers = numbers_in(series)
        filled = np.where(np.isnan(numbers), self.fills[which], numbers)
        with np.errstate(over="ignore"):
            factors: Matrix = np.clip((filled - self.centers[which]) / self.scales[which], -_FARTHEST, _FARTHEST)
        return factors

    def _factor(self, value: object, which: int) -> float:
        number = number_of(value)
        filled = self.fills[which] if number is None else number
        return min(max((filled - self.centers[which]) / self.scales[which], -_FARTHEST), _FARTHEST)


def fit_interaction(
    first: str, second: str, moments: tuple[tuple[float, float, float], tuple[float, float, float]]
) -> InteractionEncoding:
    """The product of two columns, of each of which the fill, the center and the scale are given."""
    fills, centers, scales = zip(*moments, strict=True)
    return InteractionEncoding(first, second, fills, centers, scales)
