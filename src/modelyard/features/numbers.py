"""Choosing how a number becomes features: what the project file declares, else the rule of the family."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import ConfigError
from modelyard.data import Column, ColumnKind
from modelyard.features.encodings import ColumnEncoding, ConstantEncoding, EncodingStyle, NumericEncoding
from modelyard.features.transforms import LogEncoding, fit_bins, fit_quantiles, fit_spline, log_unit
from modelyard.features.values import numbers_in
from modelyard.problem import FeaturePlan, did_you_mean

__all__ = ["constant_reason", "fit_number", "is_often_missing", "location_and_scale", "median", "require_numbers"]

Matrix = npt.NDArray[np.float64]

MISSING_SHARE = 0.01
"""From this share of missing values on, that a value is missing becomes a feature of its own."""

ROWS_FOR_CURVES = 1_000
"""Linear models: fewer rows tell too little about a curve (measured: no gain with 300 rows, some with 3,000)."""

VALUES_FOR_CURVES = 20

_HEAVY_TAILS = 3.0
"""A standard deviation this many times the one that the middle half of the rows would suggest is made by few rows."""

_NORMAL_QUARTILES = 1.349
"""The quartiles of a normal distribution are this many standard deviations apart."""

_FARTHEST = 1e100
"""Farther numbers are scaled only: ranks, curves and their differences would overflow."""


def fit_number(
    name: str, series: pl.Series, style: EncodingStyle, transform: str | None = None, *, drifts: bool = False
) -> ColumnEncoding:
    """The encoding of a column of numbers, learned from training rows.

    Parameters
    ----------
    transform
        What the project file declares: ``standard``, ``robust``, ``minmax``, ``quantile``, ``log``, ``spline`` or
        ``bins``. Trees split by order, which none of them but ``bins`` changes; they take numbers as they are.
    drifts
        True if production brings later values than training saw; no curve is then drawn by rule.
    """
    values = numbers_in(series)
    present = values[~np.isnan(values)]
    often_missing = is_often_missing(len(present), len(values))
    if len(present) == 0 or (present.min() == present.max() and not often_missing):
        return ConstantEncoding(name, constant_reason(len(present)))
    if transform == "bins":
        missing_code = -1.0 if style is EncodingStyle.FOREST else None
        bins = fit_bins(name, present, one_hot=style.is_scaled, indicator=often_missing, missing_code=missing_code)
        if bins is not None:
            return bins
    if style is EncodingStyle.TREE:
        return NumericEncoding(name)
    if style is EncodingStyle.FOREST:
        return NumericEncoding(name, fill=median(present), indicator=often_missing)
    return _fit_scaled(name, present, transform or _rule(present, style, drifts=drifts), indicator=often_missing)


def require_numbers(plan: FeaturePlan, columns: Sequence[Column]) -> None:
    """Refuse a plan that bends or multiplies what is no feature, or no number.

    Raises
    ------
    ConfigError
        Naming the key, the column and what may stand there.
    """
    kinds = {column.name: column.kind for column in columns}
    numbers = [name for name, kind in kinds.items() if kind is ColumnKind.NUMERIC]
    declared = [("features.columns", name) for name in plan.columns]
    declared += [("features.interactions", name) for pair in plan.interactions for name in pair]
    for key, name in declared:
        if name not in kinds:
            raise ConfigError(
                "the project file declares a transformation of what is no feature",
                where=key,
                got=repr(name),
                cure=did_you_mean(name, numbers),
            )
        if kinds[name] is not ColumnKind.NUMERIC:
            raise ConfigError(
                "only numbers can be transformed by declaration",
                where=key,
                got=f"{name!r}, {kinds[name].value}",
                cure="Declare data.types if it holds numbers, or write a function into features.py",
            )


def _rule(present: Matrix, style: EncodingStyle, *, drifts: bool) -> str:
    """What a family takes where nothing is declared."""
    if style is not EncodingStyle.LINEAR:
        return "standard"
    if log_unit(present) is not None:
        return "log"
    # What bends with the time of training goes on bending after it; a straight line is wrong by less.
    return "spline" if not drifts and _bears_a_curve(present) else "usual"


def _bears_a_curve(present: Matrix) -> bool:
    """True for many and various numbers without heavy tails, among which the knots would crowd."""
    if len(present) < ROWS_FOR_CURVES or len(np.unique(present)) < VALUES_FOR_CURVES:
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        usual, spread = _usual_deviation(present), float(present.std())
    return math.isfinite(spread) and spread <= _HEAVY_TAILS * usual


def _usual_deviation(present: Matrix) -> float:
    """The standard deviation that the middle half of the rows suggests."""
    low, high = np.quantile(present, [0.25, 0.75])
    return float(high - low) / _NORMAL_QUARTILES


def _fit_scaled(name: str, present: Matrix, transform: str, *, indicator: bool) -> ColumnEncoding:
    """A number without gaps on a scale of about -3 to 3, or as the terms of a curve."""
    bendable = float(np.abs(present).max()) < _FARTHEST and present.min() < present.max()
    fill = median(present)
    if bendable and transform == "quantile":
        return fit_quantiles(name, present, fill=fill, indicator=indicator)
    if bendable and transform == "log":
        return _fit_log(name, present, indicator=indicator)
    curve = fit_spline(name, present, fill=fill, indicator=indicator) if bendable and transform == "spline" else None
    if curve is not None:
        return curve
    center, scale = _scale(present, transform)
    return NumericEncoding(name, fill=fill, center=center, scale=scale, indicator=indicator)


def _scale(present: Matrix, transform: str) -> tuple[float, float]:
    """What is taken out, and what is divided by."""
    low, high = float(present.min()), float(present.max())
    with np.errstate(over="ignore", invalid="ignore"):
        if transform == "minmax" and math.isfinite(high - low) and low < high:
            return low, high - low
        usual = _usual_deviation(present) if transform == "robust" else 0.0
        if math.isfinite(usual) and usual > 0:
            return median(present), usual
        center, scale = float(present.mean()), float(present.std())
    if transform == "standard" and math.isfinite(center) and math.isfinite(scale) and scale > 0:
        return center, scale
    return location_and_scale(present, EncodingStyle.LINEAR)


def _fit_log(name: str, present: Matrix, *, indicator: bool) -> LogEncoding:
    """A skewed number: its logarithm has the mean and standard deviation that are taken out."""
    sizes = np.abs(present)
    unit = log_unit(present) or float(np.quantile(sizes[sizes > 0], 0.5, method="lower"))
    raw = LogEncoding(name, unit, fill=median(present), center=0.0, scale=1.0, indicator=indicator)
    logarithms = raw.encode_series(pl.Series(present))[:, 0]
    center, scale = location_and_scale(logarithms, EncodingStyle.LINEAR)
    return dataclasses.replace(raw, center=center, scale=scale)


def location_and_scale(present: Matrix, style: EncodingStyle) -> tuple[float, float]:
    """Mean and standard deviation for scaled families, or median and quartiles where few rows make the spread; else 0
    and 1. Where huge numbers overflow them, 0 and the largest.
    """
    if not style.is_scaled:
        return 0.0, 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        center, scale = float(present.mean()), float(present.std())
    if not math.isfinite(center) or not math.isfinite(scale):
        return 0.0, float(np.abs(present).max())
    usual = _usual_deviation(present)
    if 0 < _HEAVY_TAILS * usual < scale:
        return median(present), usual
    return center, scale if scale > 0 else 1.0


def median(present: Matrix) -> float:
    """The median, halved before adding so that huge numbers do not overflow."""
    places = (len(present) - 1) // 2, len(present) // 2
    low, high = np.partition(present, places)[list(places)]
    return float(low) if low == high else float(low / 2 + high / 2)


def is_often_missing(present: int, rows: int) -> bool:
    """True if at least one row in a hundred has no value."""
    return rows - present >= MISSING_SHARE * rows and present < rows


def constant_reason(present: int) -> str:
    """Why a column is dropped."""
    return "no value in the training rows" if present == 0 else "one value in all training rows"
