"""Intervals of shares: of rows that were right, found or covered."""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["share_interval", "wilson_interval"]


def wilson_interval(hits: float, trials: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval (Wilson, 1927; Brown, Cai and DasGupta, 2001, "Interval estimation for a binomial
    proportion").

    Unlike a bootstrap it has a width where nothing, or everything, was hit.

    >>> tuple(round(end, 4) for end in wilson_interval(10, 10, 0.95))
    (0.7225, 1.0)
    """
    if trials <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = hits / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share))


def share_interval(
    hit: npt.NDArray[np.bool_], confidence: float, units: npt.NDArray[Any] | None = None
) -> tuple[float, float]:
    """The interval of a share of rows, some of which may belong together.

    With units the rows count for as many as their variance between units shows (Kish, 1965, section 8.2; the effective
    size in place of the real one, with its degrees of freedom: Korn and Graubard, 1998): never for more than there are.

    Parameters
    ----------
    hit
        Shape (rows,).
    units
        Labels of rows that belong together.
    """
    rows = len(hit)
    share = float(hit.mean()) if rows else 0.0
    effective = float(rows)
    if units is not None and 0 < share < 1:
        _, code = np.unique(units, return_inverse=True)
        code = code.reshape(-1)
        sums = np.bincount(code, hit - share)
        count = len(sums)
        variance = count / max(count - 1, 1) * float((sums**2).sum()) / rows**2
        effective = min(rows, share * (1 - share) / variance) if variance > 0 else float(rows)
        effective *= _fewer_degrees(count - 1, confidence)
    elif units is not None and rows:
        effective = float(len(np.unique(units)))
    return wilson_interval(share * effective, effective, confidence)


def _fewer_degrees(degrees: int, confidence: float) -> float:
    """What few units cost: the normal quantile over Student's, squared."""
    if degrees < 1:
        return 1.0
    from scipy.special import stdtrit

    tail = (1 + confidence) / 2
    return float((NormalDist().inv_cdf(tail) / stdtrit(degrees, tail)) ** 2)
