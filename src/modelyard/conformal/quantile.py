"""The quantile that the promise rests on: how large a score may be for the statement to hold in the stated share."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["conformal_quantile"]


def conformal_quantile(
    scores: npt.NDArray[np.float64], coverage: float, groups: npt.NDArray[Any] | None = None
) -> float:
    """The score that a new row's score does not exceed with a probability of at least ``coverage``.

    Without groups it is the ``ceil((n + 1) * coverage)``-th smallest score (Lei et al., 2018, section 2.2). With groups
    each of the K groups weighs ``1 / (K + 1)``, shared by its rows, and the new group the same, at infinity: the promise
    is for a row of a new group (Lee, Barber and Willett, 2023, "Distribution-free inference with hierarchical data").

    Parameters
    ----------
    scores
        Of rows that the model had not learnt from; larger is stranger.
    coverage
        Above 0 and below 1.
    groups
        Labels of rows that belong together.

    Returns
    -------
    float
        Infinity if there are too few rows, or groups, to promise that much.

    Examples
    --------
    >>> conformal_quantile(np.arange(1.0, 20.0), 0.9), conformal_quantile(np.arange(1.0, 9.0), 0.9)
    (18.0, inf)
    """
    if len(scores) == 0:
        return math.inf
    if groups is None:
        rank = math.ceil((len(scores) + 1) * coverage - 1e-9)
        return float(np.partition(scores, rank - 1)[rank - 1]) if rank <= len(scores) else math.inf
    _, code, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(1 / sizes[code.reshape(-1)[order]]) / (len(sizes) + 1)
    place = int(np.searchsorted(reached, coverage - 1e-9))
    return float(scores[order][place]) if place < len(scores) else math.inf
