"""A small neural network (multilayer perceptron) with scikit-learn, fitted by Adam (Kingma and Ba, 2015)."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from modelyard.features import EncodingStyle
from modelyard.problem import Task
from modelyard.training.families.family import Dimension, FitData, Fitted, seed_31
from modelyard.training.families.networks.estimator import NetworkEstimator
from modelyard.training.families.promises import Latency, Promises

__all__ = ["MultilayerPerceptron"]

Array = npt.NDArray[np.float64]

_BOUND = 10.0
"""Features are cut there, so that a wild value cannot carry the network away (as RealMLP does, more gently)."""


@dataclasses.dataclass(frozen=True)
class MultilayerPerceptron:
    """Two hidden layers of rectified units; the epochs are found on the stopping rows.

    Parameters
    ----------
    max_rounds, patience, fallback_rounds
        Epochs at most, without improvement, and where there are no stopping rows.
    """

    max_rounds: int = 100
    patience: int = 10
    fallback_rounds: int = 30
    name: str = "mlp"
    style: EncodingStyle = EncodingStyle.DISTANCE
    complexity: int = 3
    most_rows: int | None = None
    promises: ClassVar[Promises] = Promises(Latency.FAST, sample_weights=True, varies=True)

    def defaults(self, task: Task) -> Mapping[str, Any]:  # noqa: ARG002
        """scikit-learn's rate and penalty, with two layers in place of one."""
        return {"width": 64, "alpha": 1e-4, "learning_rate_init": 1e-3}

    def space(self, task: Task) -> Mapping[str, Dimension]:  # noqa: ARG002
        """Width, penalty and rate."""
        return {
            "width": Dimension(8, 128, whole=True, log=True),
            "alpha": Dimension(1e-6, 1.0, log=True),
            "learning_rate_init": Dimension(3e-4, 1e-2, log=True),
        }

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        """A narrow one with a firm penalty, for few rows."""
        return ({"width": 16, "alpha": 0.1, "learning_rate_init": 3e-3},)

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:
        """Fit epoch by epoch; the final network learns from all rows for as many epochs as were best."""
        if rounds is None:
            rounds = self._best_rounds(data, params, seed) if data.stop.any() else self.fallback_rounds
        learner = _Learner(data, np.ones(len(data.target), dtype=bool), params, seed)
        for _ in range(rounds):
            learner.epoch()
        return Fitted(learner.network(), rounds)

    def _best_rounds(self, data: FitData, params: Mapping[str, Any], seed: int) -> int:
        """The epoch after which the loss on the stopping rows is least."""
        learner = _Learner(data, ~data.stop, params, seed)
        best, best_loss = 1, np.inf
        for done in range(1, self.max_rounds + 1):
            learner.epoch()
            loss = learner.loss(data.stop)
            if loss < best_loss:
                best, best_loss = done, loss
            if done - best >= self.patience:
                break
        return best


class _Learner:
    """A network while it learns from some of the rows."""

    def __init__(self, data: FitData, learnt: npt.NDArray[np.bool_], params: Mapping[str, Any], seed: int) -> None:
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        self._is_classes = data.task.is_classification
        self._matrix = np.clip(data.matrix, -_BOUND, _BOUND)
        self._target = data.target
        self._weight = np.ones(len(data.target)) if data.weight is None else data.weight
        self._learnt = learnt
        self._given = None if data.weight is None else self._weight[learnt]
        self._center, self._scale = 0.0, 1.0
        if not self._is_classes:
            known, weight = data.target[learnt], self._weight[learnt]
            self._center = float(np.average(known, weights=weight))
            self._scale = float(np.average((known - self._center) ** 2, weights=weight)) ** 0.5 or 1.0
        settings = {name: value for name, value in params.items() if name != "width"}
        # One generator for all epochs: with a plain seed, partial_fit would shuffle alike each time.
        self._net = (MLPClassifier if self._is_classes else MLPRegressor)(
            hidden_layer_sizes=(int(params["width"]),) * 2,
            batch_size=min(200, int(learnt.sum())),
            random_state=np.random.RandomState(seed_31(seed)),
            **settings,
        )

    def epoch(self) -> None:
        """Once through the rows."""
        matrix, target = self._matrix[self._learnt], (self._target[self._learnt] - self._center) / self._scale
        if self._is_classes:
            self._net.partial_fit(matrix, target, self._given, classes=np.arange(self._target.max() + 1))
        else:
            self._net.partial_fit(matrix, target, self._given)

    def loss(self, rows: npt.NDArray[np.bool_]) -> float:
        """Log loss, or mean squared error in units of the target's variance."""
        network = self.network()
        if not self._is_classes:
            misses = (network.predict(self._matrix[rows]) - self._target[rows]) / self._scale
            return float(np.average(misses**2, weights=self._weight[rows]))
        chances = network.predict_proba(self._matrix[rows])
        met = chances[np.arange(len(chances)), self._target[rows].astype(np.intp)]
        return float(np.average(-np.log(np.maximum(met, np.finfo(np.float64).tiny)), weights=self._weight[rows]))

    def network(self) -> NetworkEstimator:
        """What was learnt so far."""
        weights, offsets = (
            tuple(np.array(part) for part in parts) for parts in (self._net.coefs_, self._net.intercepts_)
        )
        return NetworkEstimator(weights, offsets, _BOUND, center=self._center, scale=self._scale)
