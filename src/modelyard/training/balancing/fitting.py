"""A fit on classes made even, whose probabilities are set back to the share that the rows really have.

Whoever learns from as many positives as negatives answers for a world that is half positive. If only the shares of the
classes were changed, the odds are too high by a known factor, and dividing by it gives the right ones (Elkan, 2001,
"The foundations of cost-sensitive learning", theorem 2; for under-sampling Dal Pozzolo et al., 2015). For weights and
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
        Rows of two classes, as they are.
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
    total = np.ones(len(data.target)) if data.weight is None else data.weight
    positive = float(total[data.target == 1].sum() / total.sum())
    fitted = family.fit(_even(family, data, how, seed), params, seed=seed, rounds=rounds)
    curve = Calibration(1.0, math.log(positive / (1 - positive)))
    member = Member(family.name, fitted.estimator, 0, data.matrix.shape[1], 1.0)
    return Fitted(BlendEstimator([member], curve), fitted.rounds)


def even_weights(target: Array, weight: Array | None = None) -> Array:
    """Weights under which both classes count alike, with a mean of 1; in proportion to those given within a class.

    >>> even_weights(np.array([1.0, 0.0, 0.0, 0.0])).round(3).tolist()
    [2.0, 0.667, 0.667, 0.667]
    """
    given = np.ones(len(target)) if weight is None else weight
    sums = np.array([given[target == code].sum() for code in (0, 1)])
    if not sums.all():
        return given
    even: Array = given * (len(target) / 2 / sums)[target.astype(np.intp)]
    return even


def _even(family: Family, data: FitData, how: Resampling, seed: int) -> FitData:
    """The rows to learn from, both classes alike."""
    if how is Resampling.WEIGHTS:
        return dataclasses.replace(data, weight=even_weights(data.target, data.weight))
    stops = bool(data.stop.any()) and hasattr(family, "fallback_rounds") and family.promises.sample_weights
    even = resampled(data, how, keep_stop=stops, seed=seed)
    if not stops:
        return even
    weight = np.ones(len(even.target))
    weight[even.stop] = even_weights(even.target[even.stop])
    return dataclasses.replace(even, weight=weight)
