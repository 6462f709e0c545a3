"""A fitted model: encoder and estimator together, from a table to predictions."""

import dataclasses
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.data.schema import Column
from modelyard.features import EncodingStyle, OwnFeatures
from modelyard.features.encoder import TableEncoder
from modelyard.problem import FeaturePlan, Task
from modelyard.training.baselines import ConstantEstimator
from modelyard.training.families.constraints import directions, row_weights
from modelyard.training.families.family import Family, FitData
from modelyard.training.records import Candidate

__all__ = ["FittedModel", "Learning", "fit_model", "predict_matrix"]

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class FittedModel:
    """What was learnt, ready to predict.

    Parameters
    ----------
    encoder
        Fitted on the same rows as the estimator.
    estimator
        scikit-learn's API: ``predict_proba`` for classes, ``predict`` for values. Classes are codes 0 … k-1. The naive
        baseline's is a :class:`~modelyard.training.baselines.ConstantEstimator`.
    family
        As in :class:`~modelyard.training.records.Candidate`.
    task
        Binary, multiclass or regression.
    classes
        Names of the classes in the order of codes; empty for regression.
    present
        Codes of the classes that the training rows held, ascending; the estimator's columns. All of them, as a rule.
    """

    encoder: TableEncoder
    estimator: Any
    family: str
    task: Task
    classes: tuple[str, ...]
    present: tuple[int, ...]

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
    if task is Task.BINARY:
        return probabilities[:, 1]
    if len(present) == classes:
        return probabilities
    spread = np.zeros((len(matrix), classes))
    spread[:, list(present)] = probabilities
    return spread


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


def fit_model(
    learning: Learning, frame: pl.DataFrame, truth: Array, candidate: Candidate, family: Family | None, *, seed: int
) -> FittedModel:
    """Fit a candidate on all rows of a table, in one thread.

    Parameters
    ----------
    truth
        Encoded target of ``frame``.
    candidate
        Its configuration, and its rounds if it is boosted.
    family
        The candidate's; None for the naive baseline.
    seed
        Of the fit.
    """
    from threadpoolctl import threadpool_limits

    style = EncodingStyle.TREE if family is None else family.style
    encoder = learning.encoder(style)
    present, target = np.unique(truth, return_inverse=True) if learning.task.is_classification else (np.empty(0), truth)
    codes = tuple(int(code) for code in present)
    if family is None:
        statistic = str(candidate.params["prediction"])
        encoder.fit(frame, truth)
        constant = ConstantEstimator.learn(truth, learning.task, len(learning.classes), statistic)
        return FittedModel(encoder, constant, candidate.family, learning.task, learning.classes, codes)
    matrix = encoder.fit_transform(frame, truth)
    data = FitData(
        learning.task,
        matrix,
        target.astype(np.float64),
        np.zeros(len(matrix), dtype=bool),
        learning.weights(frame),
        learning.directions(encoder),
    )
    with threadpool_limits(1), warnings.catch_warnings():
        # What the library had to say is in the candidate's notes already, from the folds.
        warnings.simplefilter("ignore")
        fitted = family.fit(data, candidate.params, seed=seed, rounds=candidate.rounds)
    return FittedModel(encoder, fitted.estimator, candidate.family, learning.task, learning.classes, codes)
