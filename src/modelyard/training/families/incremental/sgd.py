"""Linear models by stochastic gradient descent (Robbins and Monro, 1951).

Steps are not averaged: on churn that gained nothing (ROC AUC 0.844 against 0.846), and an averaged model hardly moves
when it is shown new rows.
"""

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from modelyard.features import EncodingStyle
from modelyard.problem import Task
from modelyard.training.families.family import Dimension, FitData, Fitted, seed_31
from modelyard.training.families.promises import Latency, Promises

__all__ = ["StochasticEstimator", "StochasticGradient"]

Array = npt.NDArray[np.float64]

_BOUND = 10.0
"""Features are cut there: one wild value would carry the descent away."""


@dataclasses.dataclass(frozen=True)
class StochasticGradient:
    """Logistic or least-squares regression, row by row, for as many rows as there are."""

    name: str = "sgd"
    style: EncodingStyle = EncodingStyle.LINEAR
    complexity: int = 1
    most_rows: int | None = None
    promises: ClassVar[Promises] = Promises(Latency.FAST, sample_weights=True, incremental=True)

    def defaults(self, task: Task) -> Mapping[str, Any]:  # noqa: ARG002
        """Firmer than scikit-learn's 1e-4, at which the last rows seen count too much."""
        return {"alpha": 1e-3}

    def space(self, task: Task) -> Mapping[str, Dimension]:  # noqa: ARG002
        """The penalty alone."""
        return {"alpha": Dimension(1e-6, 1e-1, log=True)}

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        """Firmer for few rows, milder for many."""
        return ({"alpha": 1e-2}, {"alpha": 1e-4})

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:  # noqa: ARG002
        """Fit until the loss stands still; several classes each against the rest."""
        from sklearn.linear_model import SGDClassifier, SGDRegressor

        shared = {**params, "random_state": seed_31(seed)}
        if data.task.is_classification:
            machine = SGDClassifier(loss="log_loss", **shared)
            center, scale = 0.0, 1.0
        else:
            machine = SGDRegressor(**shared)
            center, scale = float(data.target.mean()), float(data.target.std()) or 1.0
        machine.fit(np.clip(data.matrix, -_BOUND, _BOUND), (data.target - center) / scale, sample_weight=data.weight)
        return Fitted(StochasticEstimator(machine, center, scale))

    def update(self, estimator: Any, data: FitData, params: Mapping[str, Any], *, seed: int) -> Fitted:  # noqa: ARG002
        """Once through the new rows, in an order that the machine draws from its own seed, from where it stands."""
        machine = copy.deepcopy(estimator.machine)
        target = (data.target - estimator.center) / estimator.scale
        machine.partial_fit(np.clip(data.matrix, -_BOUND, _BOUND), target, sample_weight=data.weight)
        return Fitted(dataclasses.replace(estimator, machine=machine))


@dataclasses.dataclass(frozen=True)
class StochasticEstimator:
    """The machine, and for values the target's mean and spread that it does not see.

    Parameters
    ----------
    machine
        scikit-learn's ``SGDClassifier`` or ``SGDRegressor``, which can go on learning.
    center, scale
        Regression: the value is ``center + scale * output``.
    bound
        Features beyond ± this count as this.
    """

    machine: Any
    center: float = 0.0
    scale: float = 1.0
    bound: float = _BOUND

    @property
    def weights(self) -> Array:
        """Shape (features, outputs)."""
        return np.ascontiguousarray(np.atleast_2d(self.machine.coef_).T) * self.scale

    @property
    def offsets(self) -> Array:
        """Shape (outputs,)."""
        return np.asarray(np.atleast_1d(self.machine.intercept_) * self.scale + self.center)

    def sums(self, matrix: Array) -> Array:
        """Values, or log-odds, shape (rows, outputs)."""
        return np.asarray(np.clip(matrix, -self.bound, self.bound) @ self.weights + self.offsets)

    def predict(self, matrix: Array) -> Array:
        """Values, shape (rows,)."""
        return self.sums(matrix)[:, 0]

    def predict_proba(self, matrix: Array) -> Array:
        """Probabilities, shape (rows, classes); of several classes each against the rest, scaled to sum to 1."""
        logarithms = -np.logaddexp(0.0, -self.sums(matrix))
        if logarithms.shape[1] == 1:
            chances = np.exp(logarithms)
            return np.hstack([1 - chances, chances])
        powers = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))
