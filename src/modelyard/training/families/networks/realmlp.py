"""RealMLP (Holzmüller, Grinsztajn and Steinwart, "Better by default", NeurIPS 2024): the small one, TD-S of section 3."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from modelyard.features import EncodingStyle
from modelyard.features.activations import Activation
from modelyard.problem import Task
from modelyard.training.families.boosting.stages import HeldRows, WatchedFit, joint_rounds, reached
from modelyard.training.families.family import Dimension, FitData, Fitted
from modelyard.training.families.networks.estimator import NetworkEstimator, Squash
from modelyard.training.families.networks.learning import Course, NetworkLearner
from modelyard.training.families.promises import Latency, Promises

__all__ = ["RealMLP"]

Array = npt.NDArray[np.float64]

_WILDEST = 1e100
_LAYERS = 3


@dataclasses.dataclass(frozen=True)
class RealMLP:
    """Three layers with tuned defaults; the epochs are found on held-out rows.

    Without the paper's embeddings of numbers, dropout and label smoothing; its validation picks the epoch, here all folds
    together pick one.
    """

    name: str = "realmlp"
    style: EncodingStyle = EncodingStyle.DISTANCE
    complexity: int = 3
    most_rows: int | None = None
    promises: ClassVar[Promises] = Promises(Latency.MODERATE, sample_weights=True, varies=True)

    def defaults(self, task: Task) -> Mapping[str, Any]:
        """The paper's, but for a quarter of its epochs."""
        return {"width": 256, "learning_rate": 0.04 if task.is_classification else 0.07, "epochs": 64}

    def space(self, task: Task) -> Mapping[str, Dimension]:  # noqa: ARG002
        """Width and rate."""
        return {"width": Dimension(64, 512, whole=True, log=True), "learning_rate": Dimension(0.01, 0.2, log=True)}

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        """All of the paper's epochs."""
        return ({"epochs": 256},)

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:
        """Fit for as many epochs as were best on the stopping rows, or all where there are none."""
        if rounds is None:
            rounds = self._best_rounds(data, params, seed)
        trainee = _Trainee(data, params, seed)
        for _ in range(rounds):
            trainee.learner.epoch()
        return Fitted(trainee.estimator(), rounds)

    def watch(self, data: FitData, params: Mapping[str, Any], held: HeldRows, *, seed: int) -> WatchedFit:
        """Fit for all epochs, and keep what the network said of the held rows on the way."""
        trainee, stages = _Trainee(data, params, seed), reached(int(params["epochs"]))
        answers = []
        for done in range(1, stages[-1] + 1):
            trainee.learner.epoch()
            if done in stages:
                answers.append(_answers(trainee.estimator(), data.task, held.matrix))
        return WatchedFit(trainee.estimator(), stages, np.stack(answers))

    def _best_rounds(self, data: FitData, params: Mapping[str, Any], seed: int) -> int:
        if not data.stop.any():
            return int(params["epochs"])
        stop = data.rows(data.stop)
        held = HeldRows(stop.matrix, stop.target, np.ones(len(stop.target), dtype=bool))
        watched = self.watch(data.rows(~data.stop), params, held, seed=seed)
        return joint_rounds(data.task, [watched.rounds], [watched.answers], [stop.target])[0]


def _answers(estimator: NetworkEstimator, task: Task, matrix: Array) -> Array:
    if not task.is_classification:
        return estimator.predict(matrix)
    chances = estimator.predict_proba(matrix)
    return chances[:, 1] if chances.shape[1] == 2 else chances


class _Trainee:
    """The rows as a learner wants them, and what it learnt as an estimator."""

    def __init__(self, data: FitData, params: Mapping[str, Any], seed: int) -> None:
        weight = np.ones(len(data.target)) if data.weight is None else data.weight
        counts = weight > 0
        matrix, target, weight = data.matrix[counts], data.target[counts], weight[counts]
        self._is_classes, self._classes = data.task.is_classification, int(data.target.max()) + 1
        self._squash = _squash(np.clip(matrix, -_WILDEST, _WILDEST))
        self._center, self._scale = 0.0, 1.0
        if self._is_classes:
            goals = np.eye(self._classes)[target.astype(np.intp)]
        else:
            self._center = float(np.average(target, weights=weight))
            self._scale = float(np.average((target - self._center) ** 2, weights=weight)) ** 0.5 or 1.0
            goals = ((target - self._center) / self._scale)[:, np.newaxis]
        self._activation = Activation.SELU if self._is_classes else Activation.MISH
        self.learner = NetworkLearner(
            self._squash.apply(np.clip(matrix, -_WILDEST, _WILDEST)).astype(np.float32),
            goals.astype(np.float32),
            (weight / weight.mean()).astype(np.float32),
            Course((int(params["width"]),) * _LAYERS, self._activation, params["learning_rate"], int(params["epochs"])),
            is_classes=self._is_classes,
            seed=seed,
        )

    def estimator(self) -> NetworkEstimator:
        """What was learnt so far; of two classes the difference of their outputs."""
        weights, offsets = self.learner.layers()
        if self._is_classes and self._classes == 2:
            weights[-1] = weights[-1][:, 1:] - weights[-1][:, :1]
            offsets[-1] = offsets[-1][1:] - offsets[-1][:1]
        return NetworkEstimator(
            tuple(weights), tuple(offsets), _WILDEST, self._center, self._scale, self._activation, self._squash
        )


def _squash(matrix: Array) -> Squash:
    """Medians, and one over the distance of the quartiles; of columns without one, two over that of the extremes."""
    low, centers, high = np.quantile(matrix, [0.25, 0.5, 0.75], axis=0)
    spread, reach = high - low, (matrix.max(axis=0) - matrix.min(axis=0)) / 2
    distance = np.where(spread > 0, spread, reach)
    return Squash(centers, np.divide(1.0, distance, out=np.zeros_like(distance), where=distance > 0))
