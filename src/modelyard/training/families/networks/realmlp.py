"""RealMLP (Holzmüller, Grinsztajn and Steinwart, "Better by default", NeurIPS 2024), without its embeddings of numbers."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from modelyard.features import EncodingStyle
from modelyard.features.exact.activations import Activation
from modelyard.problem import Task
from modelyard.training.families.boosting.stages import HeldRows, WatchedFit
from modelyard.training.families.family import Dimension, FitData, Fitted
from modelyard.training.families.networks.estimator import NetworkEstimator, Squash
from modelyard.training.families.networks.learning import Course, NetworkLearner
from modelyard.training.families.promises import Latency, Promises
from modelyard.training.losses import fitting_losses

__all__ = ["RealMLP"]

Array = npt.NDArray[np.float64]

_LAYERS = 3
_WILDEST = 1e100


@dataclasses.dataclass(frozen=True)
class RealMLP:
    """Three layers whose tricks make a network a match for boosting, and a good partner of it; the folds agree on the epochs.

    Robust scales and smooth clipping, a factor for each input, the neural tangent parametrisation, SELU for classes and Mish for
    values, a rate in waves, dropout and decay. No label smoothing, which harms probabilities.
    """

    name: str = "realmlp"
    style: EncodingStyle = EncodingStyle.DISTANCE
    complexity: int = 3
    most_rows: int | None = None
    promises: ClassVar[Promises] = Promises(Latency.MODERATE, sample_weights=True, varies=True)

    def defaults(self, task: Task) -> Mapping[str, Any]:
        """The paper's, but for half of its width and an eighth of its epochs: a tenth of the time, and as good a partner in a blend."""
        rate = 0.04 if task.is_classification else 0.07
        return {"width": 128, "learning_rate": rate, "epochs": 32, "dropout": 0.15, "decay": 0.02}

    def space(self, task: Task) -> Mapping[str, Dimension]:  # noqa: ARG002
        """Width, rate and dropout."""
        return {
            "width": Dimension(64, 256, whole=True, log=True),
            "learning_rate": Dimension(0.01, 0.15, log=True),
            "dropout": Dimension(0.0, 0.4),
        }

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:
        """All units at all times, for targets with little noise."""
        return ({**{name: self.defaults(task)[name] for name in self.space(task)}, "dropout": 0.0},)

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:
        """Fit for as many epochs as were best on the stopping rows, or for all where there are none."""
        if rounds is None:
            rounds = self._best_rounds(data, params, seed)
        trainee = _Trainee(data, params, seed)
        for _ in range(rounds):
            trainee.learner.epoch()
        return Fitted(trainee.estimator(), rounds)

    def watch(self, data: FitData, params: Mapping[str, Any], held: HeldRows, *, seed: int) -> WatchedFit:
        """Fit for all epochs, and keep what the network says of the held rows after each."""
        trainee, answers = _Trainee(data, params, seed), list[Array]()
        for _ in range(int(params["epochs"])):
            trainee.learner.epoch()
            answers.append(_answers(trainee.estimator(), data.task, held.matrix))
        return WatchedFit(trainee.estimator(), tuple(range(1, 1 + len(answers))), np.stack(answers))

    def _best_rounds(self, data: FitData, params: Mapping[str, Any], seed: int) -> int:
        if not data.stop.any():
            return int(params["epochs"])
        stop = data.rows(data.stop)
        held = HeldRows(stop.matrix, stop.target, np.ones(len(stop.target), dtype=bool))
        watched = self.watch(data.rows(~data.stop), params, held, seed=seed)
        losses = [fitting_losses(data.task, stop.target, answers) for answers in watched.answers]
        return watched.rounds[int(np.argmin(np.average(losses, axis=1, weights=stop.weight)))]


class _Trainee:
    """The rows as a learner wants them, and what it learnt as an estimator."""

    def __init__(self, data: FitData, params: Mapping[str, Any], seed: int) -> None:
        weight = np.ones(len(data.target)) if data.weight is None else data.weight
        matrix, target, weight = (part[weight > 0] for part in (data.matrix, data.target, weight))
        self._classes = int(data.target.max()) + 1 if data.task.is_classification else 0
        self._activation = Activation.SELU if self._classes else Activation.MISH
        self._center, self._scale = 0.0, 1.0
        if self._classes:
            goals = np.eye(self._classes)[target.astype(np.intp)]
        else:
            self._center = float(np.average(target, weights=weight))
            self._scale = float(np.average((target - self._center) ** 2, weights=weight)) ** 0.5 or 1.0
            goals = ((target - self._center) / self._scale)[:, np.newaxis]
        bounded = np.clip(matrix, -_WILDEST, _WILDEST)
        self._squash = _squash(bounded)
        self.learner = NetworkLearner(
            self._squash.apply(bounded).astype(np.float32),
            goals.astype(np.float32),
            (weight / weight.mean()).astype(np.float32),
            _course(params, self._activation),
            is_classes=bool(self._classes),
            seed=seed,
        )

    def estimator(self) -> NetworkEstimator:
        """What was learnt so far; of two classes the difference of their outputs."""
        weights, offsets = self.learner.layers()
        if self._classes == 2:
            weights[-1], offsets[-1] = weights[-1][:, 1:] - weights[-1][:, :1], offsets[-1][1:] - offsets[-1][:1]
        layers = tuple(weights), tuple(offsets)
        return NetworkEstimator(*layers, _WILDEST, self._center, self._scale, self._activation, self._squash)


def _course(params: Mapping[str, Any], activation: Activation) -> Course:
    units = (int(params["width"]),) * _LAYERS
    rest = params["learning_rate"], int(params["epochs"]), params["dropout"], params["decay"]
    return Course(units, activation, *rest)


def _squash(matrix: Array) -> Squash:
    """Medians, and one over the distance of the quartiles; of columns without one, two over that of the extremes."""
    low, centers, high = np.quantile(matrix, [0.25, 0.5, 0.75], axis=0)
    quartiles, extremes = high - low, matrix.max(axis=0) - matrix.min(axis=0)
    distances = np.where(quartiles > 0, quartiles, extremes / 2)
    return Squash(centers, np.divide(1.0, distances, out=np.zeros_like(distances), where=distances > 0))


def _answers(estimator: NetworkEstimator, task: Task, matrix: Array) -> Array:
    """Values, the second of two classes, or all of several."""
    if not task.is_classification:
        return estimator.predict(matrix)
    chances = estimator.predict_proba(matrix)
    return chances[:, 1] if chances.shape[1] == 2 else chances
