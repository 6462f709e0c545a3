"""A skewed number on a logarithmic scale, for linear models."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Record
from modelyard.features.values import number_of, numbers_in

__all__ = ["LogEncoding", "log_unit"]

Matrix = npt.NDArray[np.float64]

_SKEWED = 2.0
_FAR_FROM_UNIT = 10.0


@dataclasses.dataclass(frozen=True)
class LogEncoding(Record):
    """``log(1 + |value| / unit)`` with the value's sign, filled and standardised.

    Parameters
    ----------
    column
        Name of the column read.
    unit
        Where the scale turns from even to logarithmic; above 0.
    fill
        Value that stands for a missing one, before the logarithm.
    center, scale
        The feature is ``(logarithm - center) / scale``; ``scale`` is above 0.
    indicator
        True adds a second feature that is 1 where the value is missing.
    """

    column: str
    unit: float
    fill: float
    center: float
    scale: float
    indicator: bool = False

    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        name = f"{self.column} (log)"
        return (name, f"{self.column} (missing)") if self.indicator else (name,)

    def encode_series(self, series: pl.Series) -> Matrix:
        """Features of a column, shape (rows, ``len(names())``).

        The logarithm is Python's for a table too: NumPy's may differ from it in the last bit.
        """
        rows = [self._encode(None if math.isnan(number) else number) for number in numbers_in(series).tolist()]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.names()))

    def encode_value(self, value: object) -> tuple[float, ...]:
        """Features of one value, the same bits as in :meth:`encode_series`."""
        return self._encode(number_of(value))

    def _encode(self, number: float | None) -> tuple[float, ...]:
        known = self.fill if number is None else number
        logarithm = math.copysign(math.log1p(min(abs(known) / self.unit, 1e308)), known)
        scaled = (logarithm - self.center) / self.scale
        return (scaled, 1.0 if number is None else 0.0) if self.indicator else (scaled,)


def log_unit(present: npt.NDArray[np.float64]) -> float | None:
    """The unit in which a column's logarithm is taken; None if the column is not skewed so.

    Skewed are numbers of which none is below 0 and at most half are 0, whose skewness is above 2, and whose largest is
    more than ten times the median of those above 0, which is the unit. Where most are 0, what counts is whether a
    number is 0 at all, and the logarithm would tell linear models less about the others (measured on adult_census).
    """
    if len(present) == 0 or present.min() < 0 or np.count_nonzero(present) * 2 < len(present):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(present.std())
        skewness = float((((present - present.mean()) / spread) ** 3).mean()) if spread > 0 else 0.0
    unit = float(np.quantile(present[present > 0], 0.5, method="lower"))
    far = unit > 0 and float(present.max()) > _FAR_FROM_UNIT * unit
    return unit if math.isfinite(skewness) and skewness > _SKEWED and far else None
