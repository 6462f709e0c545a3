"""DeLong's interval of ROC AUC, and his paired test of two models on the same rows.

DeLong, DeLong and Clarke-Pearson (1988), "Comparing the areas under two or more correlated receiver operating
characteristic curves", with the ranks of Sun and Xu (2014), "Fast implementation of DeLong's algorithm". Rows that
belong together are summed first (Obuchowski, 1997, "Nonparametric analysis of clustered ROC curve data").
"""

import math
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["PairedDifference", "delong_interval", "delong_test"]

Array = npt.NDArray[np.float64]

_NORMAL = NormalDist()


class PairedDifference(NamedTuple):
    """A difference, the ends of its interval, and the two-sided probability of no difference."""

    difference: float
    low: float
    high: float
    p_value: float


def delong_interval(
    truth: Array, scores: Array, confidence: float, units: npt.NDArray[Any] | None = None
) -> tuple[float, float, float]:
    """ROC AUC and its interval on the log-odds scale, which keeps the ends inside (0, 1) (Pepe, 2003, section 5.2.5).

    Parameters
    ----------
    truth
        0/1; at least two of each, or all is NaN.
    scores
        Higher for rows more likely to be positive.
    units
        Labels of rows that belong together.

    Returns
    -------
    tuple
        The area and the ends; the ends are NaN where the rows show no spread, such as a ranking without a fault.
    """
    area, influence = _influences(truth, scores)
    spread = math.sqrt(_variance(influence, truth, units))
    if not math.isfinite(spread) or spread == 0 or not 0 < area < 1:
        return area, math.nan, math.nan
    centre = math.log(area / (1 - area))
    half = _NORMAL.inv_cdf((1 + confidence) / 2) * spread / (area * (1 - area))
    return area, 1 / (1 + math.exp(half - centre)), 1 / (1 + math.exp(-half - centre))


def delong_test(
    truth: Array, champion: Array, challenger: Array, confidence: float, units: npt.NDArray[Any] | None = None
) -> PairedDifference:
    """How much larger the challenger's area is, and whether that is chance; all NaN with fewer than two of a class.

    Parameters are those of :func:`delong_interval`, of two models on the same rows.
    """
    old, by_old = _influences(truth, champion)
    new, by_new = _influences(truth, challenger)
    difference = new - old
    spread = math.sqrt(_variance(by_new - by_old, truth, units))
    if not math.isfinite(spread) or spread == 0:
        return PairedDifference(difference, difference, difference, 1.0 if difference == 0 else math.nan)
    half = _NORMAL.inv_cdf((1 + confidence) / 2) * spread
    p_value = 2 * _NORMAL.cdf(-abs(difference) / spread)
    return PairedDifference(difference, difference - half, difference + half, p_value)


def _influences(truth: Array, scores: Array) -> tuple[float, Array]:
    """The area, and by how much each row moves it: its placement among the other class, less the area."""
    positive = truth == 1
    hits, rest = int(positive.sum()), int((~positive).sum())
    if min(hits, rest) < 2 or not np.isfinite(scores).all():
        return math.nan, np.full(len(truth), np.nan)
    overall = _midranks(scores)
    placement = np.empty(len(truth))
    placement[positive] = (overall[positive] - _midranks(scores[positive])) / rest
    placement[~positive] = 1 - (overall[~positive] - _midranks(scores[~positive])) / hits
    area = float(placement[positive].mean())
    return area, (placement - area) / np.where(positive, hits, rest)


def _midranks(values: Array) -> Array:
    """Ranks from 1, ties at their mean."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place])


def _variance(influence: Array, truth: Array, units: npt.NDArray[Any] | None) -> float:
    """The variance of an area, or of a difference, from what each row moves it; without units as DeLong has it."""
    if units is None:
        sides = (influence[truth == 1], influence[truth != 1])
        return float(sum((side**2).sum() * len(side) / max(len(side) - 1, 1) for side in sides))
    code = np.unique(units, return_inverse=True)[1].reshape(-1)
    sums = np.bincount(code, influence)
    return float((sums**2).sum()) * len(sums) / max(len(sums) - 1, 1)
