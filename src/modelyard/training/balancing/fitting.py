"""A fit on classes made even, whose probabilities are set back to the share that the rows really have.

Whoever learns from as many positives as negatives answers for a world that is half positive. If only the shares of the
classes were changed, the odds are too high by a known factor, and dividing by it gives the right ones (Elkan, 2001,
"The foundations of cost-sensitive learning", theorem 2; for under-sampling Dal Pozzolo et al., 2015). Of several classes each
probability is too high by a factor of its own (Saerens, Latinne and Decaestecker, 2002, equation 2.4). For weights and
under-sampling that is exact, for SMOTE, which also invents rows, nearly so.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.training.balancing.resampling import Resampling, resampled
from modelyard.training.blending import BlendEstimator, Calibration, Member
from modelyard.training.families.family import Family, FitData, Fitted

__all__ = ["even_weights", "fit_balanced"]

Array = npt.NDArray[np.float64]

_SMALLEST = 1e-9
"""Share of a class none of whose rows has any weight."""


def fit_balanced(
    family: Family,
    data: FitData,
    params: Mapping[str, Any],
    how: Resampling,
    *,
    seed: int,
    rounds: int | None = None,
) -> Fitted:
    """Fit on rows made even; the estimator's probabilities are those of the rows as they were.

    Rows that stop boosting are not resampled, but weighed as evenly as the others, so that what stops is what is learnt.

    Parameters
    ----------
    data
        Rows of classes, as they are.
    how
        Weights, SMOTE or under-sampling.
    seed
        Of the draws and of the fit.
    rounds
        As in :meth:`~modelyard.training.families.family.Family.fit`.

    Raises
    ------
    DataError
        If a class has fewer than two rows to resample from.
    """
    fitted = family.fit(_even(family, data, how, seed), params, seed=seed, rounds=rounds)
    curve = _set_back(data)
    member = Member(family.name, fitted.estimator, 0, data.matrix.shape[1], 1.0)
    return Fitted(BlendEstimator([member], curve), fitted.rounds)


def _set_back(data: FitData) -> Calibration:
    """From even classes to the shares that these rows have, weights included."""
    shares = _totals(data.target, data.weight)
    shares = shares / shares.sum()
    if len(shares) > 2:
        return Calibration(1.0, offsets=tuple(math.log(max(share, _SMALLEST)) for share in shares))
    positive = float(shares[1])
    return Calibration(1.0, math.log(positive / (1 - positive)))


def _totals(target: Array, weight: Array | None) -> Array:
    """The weight of each class, in the order of codes."""
    return np.bincount(target.astype(np.intp), weights=weight).astype(np.float64)


def even_weights(target: Array, weight: Array | None = None) -> Array:
    """Weights under which all classes count alike, with a mean of 1; in proportion to those given within a class.

    A class without weight counts for nothing; one class alone stays as it is.

    >>> even_weights(np.array([1.0, 0.0, 0.0, 0.0])).round(3).tolist()
    [2.0, 0.667, 0.667, 0.667]
    """
    given = np.ones(len(target)) if weight is None else weight
    sums = _totals(target, given)
    there = np.count_nonzero(sums)
    if there < 2:
        return given
    factors = np.divide(len(target) / there, sums, out=np.zeros_like(sums), where=sums > 0)
    even: Array = given * factors[target.astype(np.intp)]
    return even


def _even(family: Family, data: FitData, how: Resampling, seed: int) -> FitData:
    """The rows to learn from, all classes alike."""
    if how is Resampling.WEIGHTS:
        return dataclasses.replace(data, weight=even_weights(data.target, data.weight))
    stops = bool(data.stop.any()) and hasattr(family, "fallback_rounds") and family.promises.sample_weights
    even = resampled(data, how, keep_stop=stops, seed=seed)
    if not stops:
        return even
    weight = np.ones(len(even.target))
    weight[even.stop] = even_weights(even.target[even.stop])
    return dataclasses.replace(even, weight=weight)
