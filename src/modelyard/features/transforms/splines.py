"""A number as a smooth curve: restricted cubic splines, for models that would else see straight lines only."""

import dataclasses
import functools

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Record
from modelyard.features.values import number_of, numbers_in

__all__ = ["SplineEncoding", "fit_spline"]

Matrix = npt.NDArray[np.float64]

_KNOTS = (0.05, 0.275, 0.5, 0.725, 0.95)
"""Quantiles of five knots (Harrell, 2015, table 2.3)."""

_FEWEST_KNOTS = 3

_FARTHEST = 1e6
"""Ranges of the training rows; so that no term is infinite, or infinity times nothing."""


@dataclasses.dataclass(frozen=True)
class SplineEncoding(Record):
    """The number itself and the terms of a cubic curve that is straight beyond its outer knots.

    With ``u = (value - low) / (high - low)`` and knots ``t1 … tk``, the terms are ``u`` and, for each knot but the last
    two, ``p(tj) - p(tk-1) · (tk - tj) / (tk - tk-1) + p(tk) · (tk-1 - tj) / (tk - tk-1)`` with ``p(t) = max(u - t, 0)³``
    (Harrell, 2015, section 2.4.5). Beyond what training saw all terms go straight on.

    Parameters
    ----------
    column
        Name of the column read.
    low, high
        The range of the training rows.
    knots
        On the scale of ``u``, ascending; three at least.
    centers, scales
        Mean and standard deviation of each term, taken out.
    fill
        Value that stands for a missing one.
    indicator
        True adds a feature that is 1 where the value is missing.
    """

    column: str
    low: float
    high: float
    knots: tuple[float, ...]
    centers: tuple[float, ...]
    scales: tuple[float, ...]
    fill: float
    indicator: bool = False

    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        names = (self.column, *(f"{self.column} (curve {place})" for place in range(1, len(self.knots) - 1)))
        return (*names, f"{self.column} (missing)") if self.indicator else names

    def encode_series(self, series: pl.Series) -> Matrix:
        """Features of a column, shape (rows, ``len(names())``)."""
        numbers = numbers_in(series)
        missing = np.isnan(numbers)
        terms = (self.terms(np.where(missing, self.fill, numbers)) - np.array(self.centers)) / np.array(self.scales)
        return np.column_stack([terms, missing.astype(np.float64)]) if self.indicator else terms

    def encode_value(self, value: object) -> tuple[float, ...]:
        """Features of one value, the same bits as in :meth:`encode_series`."""
        number = number_of(value)
        unit = _held((self.fill if number is None else number) - self.low, self.high - self.low)
        inside, beyond = min(max(unit, 0.0), 1.0), max(unit - 1.0, 0.0)
        near, far = _cube(inside, self.knots[-2]), _cube(inside, self.knots[-1])
        features = [(unit - self.centers[0]) / self.scales[0]]
        for place, (knot, down, up, slope) in enumerate(self._curves, 1):
            term = _cube(inside, knot) - near * down + far * up + beyond * slope
            features.append((term - self.centers[place]) / self.scales[place])
        return (*features, 1.0 if number is None else 0.0) if self.indicator else tuple(features)

    def terms(self, numbers: Matrix) -> Matrix:
        """The terms before they are standardised, shape (rows, knots - 1)."""
        with np.errstate(over="ignore"):
            unit = np.clip((numbers - self.low) / (self.high - self.low), -_FARTHEST, _FARTHEST)
        inside, beyond = np.clip(unit, 0.0, 1.0), np.maximum(unit - 1.0, 0.0)
        near, far = _cubes(inside, self.knots[-2]), _cubes(inside, self.knots[-1])
        curves = [
            _cubes(inside, knot) - near * down + far * up + beyond * slope for knot, down, up, slope in self._curves
        ]
        return np.column_stack([unit, *curves])

    @functools.cached_property
    def _curves(self) -> tuple[tuple[float, float, float, float], ...]:
        """For every knot but the last two: the knot, its weights at those two, and the slope at the end."""
        *inner, before, last = self.knots
        curves = []
        for knot in inner:
            down, up = (last - knot) / (last - before), (before - knot) / (last - before)
            slope = 3 * ((1 - knot) ** 2 - (1 - before) ** 2 * down + (1 - last) ** 2 * up)
            curves.append((knot, down, up, slope))
        return tuple(curves)


def _held(above: float, span: float) -> float:
    """How many ranges above the lowest value, within a million."""
    return min(max(above / span, -_FARTHEST), _FARTHEST)


def _cube(unit: float, knot: float) -> float:
    above = max(unit - knot, 0.0)
    return above * above * above


def _cubes(unit: Matrix, knot: float) -> Matrix:
    """Multiplied out as for a single value: a power may differ from it in the last bit."""
    above = np.maximum(unit - knot, 0.0)
    cubes: Matrix = above * above * above
    return cubes


def fit_spline(name: str, present: Matrix, *, fill: float, indicator: bool) -> SplineEncoding | None:
    """Five knots at quantiles of the training rows, fewer where values repeat; None if fewer than three are left."""
    low, high = float(present.min()), float(present.max())
    if not low < high:
        return None
    knots = np.unique((np.quantile(present, _KNOTS) - low) / (high - low))
    if len(knots) < _FEWEST_KNOTS:
        return None
    width = len(knots) - 1
    plain = SplineEncoding(
        name, low, high, tuple(knots.tolist()), (0.0,) * width, (1.0,) * width, fill, indicator=indicator
    )
    terms = plain.terms(present)
    spread = terms.std(axis=0)
    scales = np.where(spread > 0, spread, 1.0)
    return dataclasses.replace(plain, centers=tuple(terms.mean(axis=0).tolist()), scales=tuple(scales.tolist()))
