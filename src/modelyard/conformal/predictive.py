"""Quantiles of a value: below the one at 0.9 lie nine of ten truths, on each side as far as errors reach there."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.conformal.scale import LocalScale
from modelyard.core import Record

__all__ = ["QuantileRule", "calibrate_quantiles", "fewest_units", "level_name", "pinball_losses", "predictive_quantile"]

Array = npt.NDArray[np.float64]


def level_name(level: float) -> str:
    """A level as answers name it.

    >>> level_name(0.1), level_name(0.025)
    ('0.1', '0.025')
    """
    return format(level, ".12g")


def fewest_units(level: float) -> int:
    """How many rows, or groups, it takes before the quantile at ``level`` lies between two of their errors.

    >>> fewest_units(0.5), fewest_units(0.05), fewest_units(0.99)
    (1, 19, 99)
    """
    return math.ceil(1 / min(level, 1 - level) - 1 - 1e-9)


def pinball_losses(truth: Array, quantile: Array, level: float) -> Array:
    """What each row costs: ``level`` times the distance above the quantile, ``1 - level`` times that below it.

    In the mean the right quantile costs least (Koenker and Bassett, 1978, "Regression quantiles").

    >>> pinball_losses(np.array([3.0, 1.0]), np.array([2.0, 2.0]), 0.75).tolist()
    [0.75, 0.25]
    """
    error = truth - quantile
    return np.maximum(level * error, (level - 1) * error)


def predictive_quantile(errors: Array, level: float, groups: npt.NDArray[Any] | None = None) -> float | None:
    """The signed error that a new row's error stays below with the probability ``level``.

    The k-th smallest of n errors is exceeded with the probability ``1 - k / (n + 1)``, whatever their distribution
    (Vovk, Shen, Manokhin and Xie, 2019, "Nonparametric predictive distributions based on conformal prediction"; with
    held-out rows: Vovk, Petej, Nouretdinov, Manokhin, Lifshits and Gammerman, 2020, "Computationally efficient versions
    of conformal predictive distributions"). Between two errors lies a straight line, the neutral choice within the band
    that is proved. With groups each of the K groups weighs ``1 / (K + 1)``, shared by its rows, and the new group the
    same, half of it on either side: for groups of one row that is the rule above.

    Parameters
    ----------
    errors
        Truth minus prediction, of rows that the model had not learnt from.
    level
        Above 0 and below 1.
    groups
        Labels of rows that belong together.

    Returns
    -------
    float or None
        None if there are too few rows, or groups: fewer than :func:`fewest_units`.

    Examples
    --------
    >>> predictive_quantile(np.arange(1.0, 20.0), 0.9), predictive_quantile(np.arange(1.0, 9.0), 0.9)
    (18.0, None)
    """
    labels = np.arange(len(errors)) if groups is None else groups
    _, code, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if len(sizes) < fewest_units(level):
        return None
    order = np.argsort(errors, kind="stable")
    weights = 1 / sizes[code.reshape(-1)[order]]
    reached = (0.5 + np.cumsum(weights) - weights / 2) / (len(sizes) + 1)
    return float(np.interp(level, reached, errors[order]))


@dataclasses.dataclass(frozen=True)
class QuantileRule(Record):
    """A value's quantiles: the prediction, plus a shift for each level.

    Parameters
    ----------
    levels
        Shares of the cases, rising, above 0 and below 1.
    shifts
        One a level, never falling; with a scale, in units of the error to be expected there.
    scale
        Error to be expected by the size of the prediction; None for the same shifts everywhere.
    """

    levels: tuple[float, ...]
    shifts: tuple[float, ...]
    scale: LocalScale | None = None

    def values(self, predictions: Array) -> Array:
        """The quantiles around each prediction, shape (rows, levels), rising along the levels.

        >>> QuantileRule((0.1, 0.9), (-1.0, 3.0)).values(np.array([5.0])).tolist()
        [[4.0, 8.0]]
        """
        unit = np.ones(len(predictions)) if self.scale is None else self.scale.of(predictions)
        return np.asarray(predictions[:, np.newaxis] + unit[:, np.newaxis] * np.array(self.shifts))

    def describe(self, predictions: Array) -> list[dict[str, float]]:
        """What is said about each row: values by the names of levels."""
        names = [level_name(level) for level in self.levels]
        return [dict(zip(names, row, strict=True)) for row in self.values(predictions).tolist()]


def calibrate_quantiles(
    truth: Array,
    predictions: Array,
    levels: Sequence[float],
    *,
    groups: npt.NDArray[Any] | None = None,
    scale: LocalScale | None = None,
) -> QuantileRule | None:
    """Quantiles from signed errors, divided by ``scale`` if one is given; skewed errors give skewed quantiles.

    Parameters
    ----------
    truth, predictions
        Of rows that neither the model nor the scale was made on.
    levels
        Rising; those that take more rows, or groups, than there are have no place in the rule.
    groups
        Labels of rows that belong together; the promise is for a row of a new group then.

    Returns
    -------
    QuantileRule or None
        None if there are too few rows, or groups, for every level.
    """
    errors = truth - predictions
    if scale is not None:
        errors = errors / scale.of(predictions)
    found = {level: predictive_quantile(errors, level, groups) for level in levels}
    known = {level: shift for level, shift in found.items() if shift is not None}
    return QuantileRule(tuple(known), tuple(known.values()), scale) if known else None
