"""From held-out rows to a rule."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.conformal.quantile import conformal_quantile
from modelyard.conformal.rules import IntervalRule, SetRule
from modelyard.conformal.scale import LocalScale

__all__ = ["calibrate_intervals", "calibrate_sets"]

Array = npt.NDArray[np.float64]

_ENOUGH_OF_A_CLASS = 50


def calibrate_intervals(
    truth: Array,
    predictions: Array,
    coverage: float,
    *,
    groups: npt.NDArray[Any] | None = None,
    scale: LocalScale | None = None,
) -> IntervalRule | None:
    """Intervals from absolute errors, divided by ``scale`` if one is given (Lei et al., 2018, sections 2.2 and 5.2).

    Parameters
    ----------
    truth, predictions
        Of rows that neither the model nor the scale was made on.
    coverage
        The share of cases in which the interval shall hold the truth.
    groups
        Labels of rows that belong together; the promise is for a row of a new group then.

    Returns
    -------
    IntervalRule or None
        None if there are too few rows, or groups, for that much coverage.
    """
    errors = np.abs(truth - predictions)
    if scale is not None:
        errors = errors / scale.of(predictions)
    margin = conformal_quantile(errors, coverage, groups)
    return IntervalRule(margin, scale) if math.isfinite(margin) else None


def calibrate_sets(
    truth: Array, probabilities: Array, classes: int, coverage: float, *, groups: npt.NDArray[Any] | None = None
) -> SetRule:
    """Sets that hold the truth in the stated share of the cases of every class, not only of all of them.

    The score is one minus the probability of the true class, which gives the smallest sets (LAC: Sadinle, Lei and
    Wasserman, 2019, "Least ambiguous set-valued classifiers", section 3), and each class has its own quantile (Vovk,
    2012, "Conditional validity of inductive conformal predictors"): with one for all, a rare class would be missed
    nearly always while the promise were kept. Classes with fewer than 50 rows share one quantile.

    Parameters
    ----------
    truth
        Class codes.
    probabilities
        Shape (rows,), of the second of two classes; or (rows, classes).

    Examples
    --------
    >>> truth = np.repeat([0.0, 1.0], 99)
    >>> calibrate_sets(truth, np.tile(np.arange(1, 100) / 100, 2), 2, 0.9).floors
    (0.1, 0.1)
    """
    shares = np.column_stack([1 - probabilities, probabilities]) if probabilities.ndim == 1 else probabilities
    codes = truth.astype(np.intp)
    strangeness = 1 - shares[np.arange(len(codes)), codes]
    counts = np.bincount(codes, minlength=classes)
    family = np.where(counts[:classes] < _ENOUGH_OF_A_CLASS, -1, np.arange(classes))
    floors = np.zeros(classes)
    for name in np.unique(family):
        rows = family[codes] == name
        quantile = conformal_quantile(strangeness[rows], coverage, None if groups is None else groups[rows])
        floors[family == name] = 0.0 if math.isinf(quantile) else max(0.0, round(1 - quantile, 12))
    return SetRule(tuple(floors.tolist()))
