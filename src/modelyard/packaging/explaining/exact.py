"""Exact contributions of encoded features, by the model's own method."""

import numpy as np

from modelyard.packaging.golden import largest_difference
from modelyard.packaging.predictors import Predictor
from modelyard.packaging.predictors.predictor import Explains, Matrix, TakesTime

__all__ = ["affordable_rows", "exact_contributions", "scale_of"]

_ROUNDING = 1e-5
"""How far the link of the sums may be from the score: TreeSHAP adds up many small products, XGBoost in single precision."""

_MOST_WORK = 100_000_000
"""Steps that take about a second."""


def exact_contributions(predictor: Predictor, matrix: Matrix, background: Matrix) -> Matrix | None:
    """What the predictor's own method says, as :class:`Explains` gives it; None if it has none, or cannot tell."""
    if not isinstance(predictor, Explains):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        return predictor.contributions(matrix, background)


def affordable_rows(predictor: Predictor, most: int) -> int:
    """How many rows, of ``most``, the predictor's own method explains in about a second."""
    if not isinstance(predictor, TakesTime):
        return most
    return min(most, _MOST_WORK // max(predictor.explaining_work, 1))


def scale_of(sums: Matrix, outputs: Matrix) -> str:
    """Of what the sums are: ``identity`` if they are the outputs, ``link`` if the logistic function or softmax makes
    these of them; empty if neither does, so that they explain nothing.

    >>> scale_of(np.array([[0.0]]), np.array([[0.5]]))
    'link'
    """
    if largest_difference(sums, outputs) <= _ROUNDING:
        return "identity"
    if not np.isfinite(sums).all():
        return ""
    return "link" if largest_difference(_linked(sums), outputs) <= _ROUNDING else ""


def _linked(sums: Matrix) -> Matrix:
    """Probabilities by the logistic function (one output) or softmax."""
    if sums.shape[1] == 1:
        return np.exp(-np.logaddexp(0.0, -sums))
    powers = np.exp(sums - sums.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
