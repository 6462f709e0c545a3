"""Contributions add up to the prediction, and name the columns that a person would name."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from modelyard.evaluation.explanations import RowNames, attribute, choose_rows, explain_rows
from modelyard.features import EncodingStyle
from modelyard.features.encoder import TableEncoder
from modelyard.problem import Task
from modelyard.training.model import FittedModel

if TYPE_CHECKING:
    from tests.evaluation.conftest import Fit, Sample

Array = npt.NDArray[np.float64]


def _margin(model: FittedModel, frame: pl.DataFrame) -> Array:
    """The estimator's own raw score, shape (rows, outputs)."""
    matrix = model.encoder.transform(frame)
    estimator = model.estimator
    if model.family == "lightgbm":
        raw = estimator.predict(matrix, raw_score=True)
    elif model.family == "xgboost":
        raw = estimator.predict(matrix, output_margin=True)
    elif model.family == "catboost":
        raw = estimator.predict(matrix, prediction_type="RawFormulaVal")
    elif model.family == "ebm":
        raw = estimator.sums(matrix)
    elif model.family == "linear":
        raw = estimator.predict(matrix) if model.task is Task.REGRESSION else estimator.decision_function(matrix)
    else:
        raw = model.predict(frame)
    return np.asarray(raw, dtype=np.float64).reshape(len(matrix), -1)


@pytest.mark.parametrize(
    "family", ["lightgbm", "xgboost", "catboost", "ebm", "linear", "random_forest", "decision_tree", "shallow_tree"]
)
@pytest.mark.parametrize("task", ["churn", "plans", "charges"])
def test_contributions_add_up(family: str, task: str, fit: "Fit", request: pytest.FixtureRequest) -> None:
    """For every family and task: base plus contributions is the margin, and the margin is the estimator's own."""
    sample: Sample = request.getfixturevalue(task)
    model = fit(family, sample.rows(slice(0, 900)))
    held_out = sample.rows(slice(900, 905))
    outputs = np.arange(5) % 3 if sample.task is Task.MULTICLASS else np.zeros(5, dtype=np.intp)
    found = attribute(model, held_out.frame, sample.frame[:900], outputs=outputs, seed=0)
    expected = _margin(model, held_out.frame)[np.arange(5), outputs]

    assert found.amounts.shape == (5, len(sample.columns))
    np.testing.assert_allclose(found.base + found.amounts.sum(axis=1), found.margin, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.margin, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("task", ["churn", "plans", "charges"])
def test_catboost_is_explained_by_its_own(task: str, request: pytest.FixtureRequest) -> None:
    """Where CatBoost is installed: its ShapValues, summed back to columns, add up to its raw score."""
    catboost = pytest.importorskip("catboost")
    sample: Sample = request.getfixturevalue(task)
    encoder = TableEncoder(sample.columns, EncodingStyle.TREE).fit(sample.frame)
    kind = catboost.CatBoostRegressor if sample.task is Task.REGRESSION else catboost.CatBoostClassifier
    estimator = kind(iterations=20, depth=4, verbose=False, allow_writing_files=False, thread_count=1)
    estimator.fit(encoder.transform(sample.frame), sample.truth)
    model = FittedModel(encoder, estimator, "catboost", sample.task, sample.classes, tuple(range(len(sample.classes))))
    outputs = np.arange(5) % 3 if sample.task is Task.MULTICLASS else np.zeros(5, dtype=np.intp)
    found = attribute(model, sample.frame[:5], sample.frame, outputs=outputs, seed=0)
    raw = np.asarray(estimator.predict(encoder.transform(sample.frame[:5]), prediction_type="RawFormulaVal"))

    assert found.exact
    np.testing.assert_allclose(found.margin, raw.reshape(5, -1)[np.arange(5), outputs], atol=1e-6)


def test_sampled_values_agree_with_exact_ones(fit: "Fit", charges: "Sample") -> None:
    """Ridge regression explained as if it were unknown: the sampled values are near the exact terms."""
    model = fit("linear", charges.rows(slice(0, 900)))
    unknown = dataclasses.replace(model, family="something else")
    rows, background = charges.frame[900:904], charges.frame[:900]
    outputs = np.zeros(4, dtype=np.intp)
    exact = attribute(model, rows, background, outputs=outputs, seed=0)
    sampled = attribute(unknown, rows, background, outputs=outputs, seed=0)

    assert sampled.scale == "value"
    assert np.corrcoef(exact.amounts.ravel(), sampled.amounts.ravel())[0, 1] > 0.95


def test_a_column_that_the_model_ignores_contributes_nothing(fit: "Fit", charges: "Sample") -> None:
    """A constant column moves no prediction, by any method."""
    frame = charges.frame.with_columns(PhoneService=pl.lit("No"))
    sample = dataclasses.replace(charges, frame=frame)
    position = [column.name for column in sample.columns].index("PhoneService")
    for family in ("lightgbm", "linear", "random_forest"):
        model = fit(family, sample.rows(slice(0, 400)))
        found = attribute(model, frame[400:403], frame[:400], outputs=np.zeros(3, dtype=np.intp), seed=0)
        assert np.abs(found.amounts[:, position]).max() < 1e-9


def test_a_class_that_training_lacked_is_explained_too(fit: "Fit", plans: "Sample") -> None:
    """An estimator of fewer classes than the task: its contributions still add up, in probability."""
    known = plans.truth != 2
    sample = dataclasses.replace(plans, frame=plans.frame.filter(known), truth=plans.truth[known])
    narrow = dataclasses.replace(fit("lightgbm", sample), present=(0, 1))
    found = attribute(narrow, plans.frame[:2], plans.frame, outputs=np.array([2, 0]), seed=0)

    assert found.scale == "probability"
    assert np.allclose(found.amounts[0], 0.0)
    np.testing.assert_allclose(found.base + found.amounts.sum(axis=1), narrow.predict(plans.frame[:2])[[0, 1], [2, 0]])


def test_rows_are_the_extremes_and_the_worst_mistakes() -> None:
    """Each row is chosen once, mistakes first."""
    truth = np.array([1.0, 0, 0, 0, 1, 1, 0, 1, 0, 1])
    scores = np.array([0.01, 0.99, 0.8, 0.1, 0.9, 0.95, 0.05, 0.6, 0.2, 0.7])

    assert choose_rows(Task.BINARY, truth, scores) == [
        (0, "mistake"),
        (1, "mistake"),
        (2, "mistake"),
        (5, "highest"),
        (4, "highest"),
        (9, "highest"),
        (6, "lowest"),
        (3, "lowest"),
        (8, "lowest"),
    ]
    assert choose_rows(Task.BINARY, truth[:2], scores[:2]) == [(0, "mistake"), (1, "mistake")]
    assert choose_rows(Task.REGRESSION, np.array([]), np.array([])) == []


def test_explanations_are_for_people(fit: "Fit", churn: "Sample") -> None:
    """They carry the row's id, the true class, its values, and the largest contribution first."""
    model = fit("lightgbm", churn.rows(slice(0, 900)))
    held_out = churn.rows(slice(900, 1200))
    names = RowNames(held_out.frame["customerID"].to_list(), churn.classes)
    found = explain_rows(model, held_out.frame, held_out.truth, churn.frame[:900], names=names, seed=0)
    predictions = model.predict(held_out.frame)
    highest = next(item for item in found if item.kind == "highest")
    amounts = [abs(part.amount) for part in highest.contributions]
    row = held_out.frame.filter(pl.col("customerID") == highest.row_id)

    assert [item.kind for item in found] == ["mistake"] * 3 + ["highest"] * 3 + ["lowest"] * 3
    assert highest.prediction in predictions
    assert highest.explained_class == "Yes"
    assert highest.actual == row["Churn"].item()
    assert amounts == sorted(amounts, reverse=True)
    assert {part.feature: part.value for part in highest.contributions}["Contract"] == row["Contract"].item()
    assert 1 / (1 + np.exp(-highest.margin)) == pytest.approx(highest.prediction)
