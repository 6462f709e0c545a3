"""The pictures' points agree with scikit-learn's and stay few."""

import json

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import auc, precision_recall_curve

from modelyard.evaluation.curves import calibration_error, curves_of
from modelyard.problem import Task

Array = npt.NDArray[np.float64]


@pytest.fixture
def scored() -> tuple[Array, Array]:
    """3,000 calibrated scores."""
    generator = np.random.default_rng(0)
    scores = generator.beta(1, 3, 3000)
    return (generator.random(3000) < scores).astype(float), scores


def test_the_roc_curve_has_its_area(scored: tuple[Array, Array]) -> None:
    """200 points of the curve hold nearly the whole area, from (0, 0) to (1, 1)."""
    roc = curves_of(Task.BINARY, *scored, ("no", "yes"))["roc"]

    assert len(roc["threshold"]) == 200
    assert (roc["false_positive_rate"][0], roc["true_positive_rate"][0]) == (0.0, 0.0)
    assert (roc["false_positive_rate"][-1], roc["true_positive_rate"][-1]) == (1.0, 1.0)
    assert auc(roc["false_positive_rate"], roc["true_positive_rate"]) == pytest.approx(roc["area"], abs=2e-3)


def test_precision_and_recall_are_scikit_learns(scored: tuple[Array, Array]) -> None:
    """Each kept point is a point of the full curve."""
    curve = curves_of(Task.BINARY, *scored, ("no", "yes"))["pr"]
    precision, recall, _ = precision_recall_curve(*scored)
    full = set(zip(recall.round(9), precision.round(9), strict=True))

    assert {(round(r, 9), round(p, 9)) for r, p in zip(curve["recall"], curve["precision"], strict=True)} <= full
    assert curve["base_rate"] == pytest.approx(scored[0].mean())


def test_calibrated_scores_lie_on_the_diagonal(scored: tuple[Array, Array]) -> None:
    """Ten bins of equal size; the interval of at least eight holds the predicted share; squared scores miss it."""
    truth, scores = scored
    points = curves_of(Task.BINARY, truth, scores, ("no", "yes"))["calibration"]
    inside = [low <= p <= high for p, low, high in zip(points["predicted"], points["low"], points["high"], strict=True)]

    assert points["rows"] == [300.0] * 10
    assert sum(inside) >= 8
    assert points["error"] < 0.03 < calibration_error(truth, scores**2)


def test_the_gain_of_perfect_scores() -> None:
    """Half of the rows hold all positives, a quarter half of them."""
    truth = np.array([1.0, 1.0, 0.0, 0.0])
    gain = curves_of(Task.BINARY, truth, np.array([0.9, 0.8, 0.2, 0.1]), ("no", "yes"))["gain"]

    assert gain["share_of_rows"] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert gain["share_of_positives"] == [0.0, 0.5, 1.0, 1.0, 1.0]


def test_histograms_count_every_row(scored: tuple[Array, Array]) -> None:
    """The counts of each class add up to its rows."""
    truth, scores = scored
    histogram = curves_of(Task.BINARY, truth, scores, ("no", "yes"))["histogram"]

    assert sum(histogram["counts"]["yes"]) == truth.sum()
    assert sum(histogram["counts"]["no"]) == (1 - truth).sum()
    assert len(histogram["edges"]) == 31


def test_regression_bins_know_where_errors_are() -> None:
    """Errors that grow with the prediction show in the bins; residuals are actual minus predicted."""
    predicted = np.linspace(1, 100, 1000)
    truth = predicted * 1.1
    curves = curves_of(Task.REGRESSION, truth, predicted, ())
    errors = curves["calibration"]["mean_absolute_error"]

    assert errors == sorted(errors)
    assert len(curves["residuals"]["actual"]) == 200
    assert curves["residuals"]["residual"][-1] == pytest.approx(10.0)
    assert sum(curves["histogram"]["counts"]["residual"]) == 1000


def test_each_class_has_its_curve() -> None:
    """A class without rows has none; calibration is that of the decided class."""
    truth = np.array([0.0, 1.0, 0.0, 1.0])
    prediction = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.7, 0.2, 0.1], [0.6, 0.3, 0.1]])
    curves = curves_of(Task.MULTICLASS, truth, prediction, ("a", "b", "c"))

    assert curves["roc"]["a"]["area"] == 1.0
    assert curves["roc"]["c"] is None
    assert sum(curves["calibration"]["rows"]) == 4


@pytest.mark.parametrize("task", [Task.BINARY, Task.REGRESSION])
def test_everything_is_json_even_for_odd_rows(task: Task) -> None:
    """One class, one row, equal scores and no rows give plain JSON without NaN."""
    for rows in (0, 1, 5):
        curves = curves_of(task, np.zeros(rows), np.full(rows, 0.5), ("no", "yes"))
        assert json.loads(json.dumps(curves, allow_nan=False)) == curves
