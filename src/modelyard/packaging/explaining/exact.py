"""Exact contributions of encoded features, by the model's own method."""

from typing import Protocol, runtime_checkable

import numpy as np

from modelyard.packaging.golden import largest_difference
from modelyard.packaging.predictors import Predictor
from modelyard.packaging.predictors.predictor import Matrix

__all__ = ["Explains", "exact_contributions", "scale_of"]

_ROUNDING = 1e-5
"""How far the link of the sums may be from the score: TreeSHAP adds up many small products, XGBoost in single precision."""


@runtime_checkable
class Explains(Protocol):
    """A predictor that knows what each feature adds."""

    def contributions(self, matrix: Matrix, background: Matrix) -> Matrix:
        """Amounts of features, and the base in the last place, shape (rows, outputs, features + 1).

        Their sum is the output before the link. ``background`` holds encoded rows, the average of which is the base
        where the model does not bring its own.
        """


def exact_contributions(predictor: Predictor, matrix: Matrix, background: Matrix) -> Matrix | None:
    """What the predictor's own method says, as :class:`Explains` gives it; None if it has none."""
    if not isinstance(predictor, Explains):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        return predictor.contributions(matrix, background)


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
