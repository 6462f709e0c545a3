"""Metrics of the whole table of true and decided classes, of which some cells may be nearly empty.

Samples of the rows never fill a cell that is empty in the rows, so a bootstrap is far too sure of a model that calls
few rows positive. Here the cells' shares are drawn given the counts (a Dirichlet distribution with one pseudo-row a
class, half a row a cell of two classes: Jeffreys, 1946; Brown, Cai and DasGupta, 2001, for one share).
"""

import numpy as np
import numpy.typing as npt

__all__ = ["correlation_interval"]

Array = npt.NDArray[np.float64]

_DRAWS = 4000


def correlation_interval(
    value: float, truth: Array, label: Array, confidence: float, *, seed: int
) -> tuple[float, float]:
    """Ends of the interval of Matthews' correlation, for rows of which each stands for itself.

    Parameters
    ----------
    value
        The correlation of these rows; the interval holds it.
    truth, label
        Codes of the true and of the decided class.
    """
    classes = max(2, int(max(truth.max(), label.max())) + 1)
    counts = np.bincount((truth * classes + label).astype(np.intp), minlength=classes**2)
    shares = np.random.default_rng(seed).dirichlet(counts + 1 / classes, _DRAWS).reshape(-1, classes, classes)
    drawn = _correlations(shares)
    low, high = np.quantile(drawn[np.isfinite(drawn)], [(1 - confidence) / 2, (1 + confidence) / 2])
    return min(float(low), value), max(float(high), value)


def _correlations(shares: Array) -> Array:
    """Matthews' correlation of each table (Gorodkin, 2004, for more than two classes)."""
    actual, decided = shares.sum(axis=2), shares.sum(axis=1)
    right = np.trace(shares, axis1=1, axis2=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((right - (actual * decided).sum(axis=1)) / np.sqrt(_spread(actual) * _spread(decided)))


def _spread(shares: Array) -> Array:
    """How mixed the classes are."""
    return np.asarray(1 - (shares**2).sum(axis=1))
