"""A fitted model: encoder and estimator together, from a table to predictions."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.data.schema import Column
from modelyard.features import EncodingStyle, OwnFeatures
from modelyard.features.encoder import TableEncoder
from modelyard.problem import FeaturePlan, Task
from modelyard.training.baselines import ConstantEstimator
from modelyard.training.blending.encoders import EncoderUnion
from modelyard.training.families.constraints import directions, row_weights

__all__ = ["FittedModel", "Learning", "predict_matrix", "spread"]

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class FittedModel:
    """What was learnt, ready to predict.

    Parameters
    ----------
    encoder
        Fitted on the same rows as the estimator; a union where members of a blend read rows in different styles.
    estimator
        scikit-learn's API: ``predict_proba`` for classes, ``predict`` for values. Classes are codes 0 … k-1. The naive
        baseline's is a :class:`~modelyard.training.baselines.ConstantEstimator`, that of several models or calibrated
        probabilities a :class:`~modelyard.training.blending.BlendEstimator`.
    family
        As in :class:`~modelyard.training.records.Candidate`.
    task
        Binary, multiclass or regression.
    classes
        Names of the classes in the order of codes; empty for regression.
    present
        Codes of the classes that the training rows held, ascending; the estimator's columns. All of them, as a rule.
    """

    encoder: TableEncoder | EncoderUnion
    estimator: Any
    family: str
    task: Task
    classes: tuple[str, ...]
    present: tuple[int, ...]

    @property
    def learning(self) -> "Learning":
        """What it learnt, and from which columns, for another model to learn the same; without weights and directions."""
        known = self.encoder.first if isinstance(self.encoder, EncoderUnion) else self.encoder
        return Learning(known.columns or (), known.time, self.task, self.classes, known.group, known.own, known.plan)

    def predict(self, frame: pl.DataFrame) -> Array:
        """Probability of the positive class (n,), probabilities of the classes (n, k), or values (n,).

        Raises
        ------
        DataError
            If a column that the model was trained on is missing.
        """
        matrix = self.encoder.transform(frame)
        return predict_matrix(self.estimator, matrix, self.task, len(self.classes), self.present)


def predict_matrix(estimator: Any, matrix: Array, task: Task, classes: int, present: tuple[int, ...]) -> Array:
    """Predictions of an estimator from encoded rows; classes that it never saw get probability 0."""
    if isinstance(estimator, ConstantEstimator):
        return estimator.predict(matrix)
    if task is Task.REGRESSION:
        return np.asarray(estimator.predict(matrix), dtype=np.float64)
    probabilities = np.asarray(estimator.predict_proba(matrix), dtype=np.float64)
    return probabilities[:, 1] if task is Task.BINARY else spread(probabilities, classes, present)


def spread(probabilities: Array, classes: int, present: tuple[int, ...]) -> Array:
    """Probabilities of the classes that were seen, as those of all classes; shape (..., seen) to (..., classes)."""
    if len(present) == classes:
        return probabilities
    wide = np.zeros((*probabilities.shape[:-1], classes))
    wide[..., list(present)] = probabilities
    return wide


@dataclasses.dataclass(frozen=True)
class Learning:
    """What a model is to learn: from which columns, split by which time column and group if any, and what;
    with which features of one's own, by which plan for features, and from rows that count by which column.
    """

    columns: tuple[Column, ...]
    time: str | None
    task: Task
    classes: tuple[str, ...]
    group: str | None = None
    own: OwnFeatures | None = None
    plan: FeaturePlan | None = None
    weight: str | None = None

    def weights(self, frame: pl.DataFrame) -> Array | None:
        """How much each row counts; None if all count alike."""
        return row_weights(self.weight, frame)

    def directions(self, encoder: TableEncoder) -> tuple[int, ...] | None:
        """By feature of a fitted encoder, which way predictions may go; None for both ways everywhere."""
        return directions(encoder.encodings_, self.plan.monotone if self.plan else {})

    def encoder(self, style: EncodingStyle) -> TableEncoder:
        """An encoder that is not fitted yet."""
        return TableEncoder(self.columns, style, self.time, len(self.classes), self.group, self.own, self.plan)
