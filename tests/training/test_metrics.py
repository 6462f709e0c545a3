"""Every metric equals scikit-learn's, is NaN where undefined, and weights mean repetition."""

import numpy as np
import numpy.typing as npt
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import ConfigError
from modelyard.problem import METRICS, Task
from modelyard.training.metrics import decide_labels, score, score_weighted

Array = npt.NDArray[np.float64]


def binary_sample(seed: int, rows: int = 300) -> tuple[Array, Array]:
    """Truth and informative, tied probabilities."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 2, rows).astype(float)
    prediction = np.clip(np.round(0.5 + 0.2 * (truth - 0.5) + generator.normal(0, 0.2, rows), 2), 0.01, 0.99)
    return truth, prediction


def class_sample(seed: int, rows: int = 300, classes: int = 4) -> tuple[Array, Array]:
    """Truth and probabilities of several classes."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, rows).astype(float)
    logits = generator.normal(0, 1, (rows, classes)) + np.eye(classes)[truth.astype(int)]
    prediction = np.exp(logits)
    return truth, prediction / prediction.sum(axis=1, keepdims=True)


def value_sample(seed: int, rows: int = 301) -> tuple[Array, Array]:
    """Truth above 0 and noisy predictions."""
    generator = np.random.default_rng(seed)
    truth = generator.gamma(2.0, 10.0, rows) + 1
    return truth, truth + generator.normal(0, 5, rows)


@pytest.mark.parametrize("seed", range(5))
def test_binary_metrics_equal_scikit_learn(seed: int) -> None:
    """Probability metrics, and label metrics at a threshold of 0.4, agree to twelve digits."""
    truth, prediction = binary_sample(seed)
    label = (prediction >= 0.4).astype(float)
    expected = {
        "roc_auc": reference.roc_auc_score(truth, prediction),
        "pr_auc": reference.average_precision_score(truth, prediction),
        "log_loss": reference.log_loss(truth, prediction),
        "brier": reference.brier_score_loss(truth, prediction),
        "accuracy": reference.accuracy_score(truth, label),
        "balanced_accuracy": reference.balanced_accuracy_score(truth, label),
        "precision": reference.precision_score(truth, label),
        "recall": reference.recall_score(truth, label),
        "f1": reference.f1_score(truth, label),
        "mcc": reference.matthews_corrcoef(truth, label),
    }

    assert {spec.name for spec in METRICS.values() if Task.BINARY in spec.tasks} == set(expected)
    for name, value in expected.items():
        assert score(name, truth, prediction, threshold=0.4) == pytest.approx(value, rel=1e-12), name


@pytest.mark.parametrize("seed", range(5))
def test_multiclass_metrics_equal_scikit_learn(seed: int) -> None:
    """One against the rest for the ROC, argmax for labels."""
    truth, prediction = class_sample(seed)
    label = prediction.argmax(axis=1)
    expected = {
        "roc_auc": reference.roc_auc_score(truth, prediction, multi_class="ovr"),
        "log_loss": reference.log_loss(truth, prediction),
        "brier": reference.brier_score_loss(truth, prediction),
        "accuracy": reference.accuracy_score(truth, label),
        "balanced_accuracy": reference.balanced_accuracy_score(truth, label),
        "f1_macro": reference.f1_score(truth, label, average="macro"),
        "mcc": reference.matthews_corrcoef(truth, label),
    }

    assert {spec.name for spec in METRICS.values() if Task.MULTICLASS in spec.tasks} == set(expected)
    for name, value in expected.items():
        assert score(name, truth, prediction) == pytest.approx(value, rel=1e-12), name


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rows", [2, 300, 301])
def test_regression_metrics_equal_scikit_learn(seed: int, rows: int) -> None:
    """Also for an even number of rows, where the median lies between two errors."""
    truth, prediction = value_sample(seed, rows)
    expected = {
        "rmse": reference.root_mean_squared_error(truth, prediction),
        "mae": reference.mean_absolute_error(truth, prediction),
        "median_ae": reference.median_absolute_error(truth, prediction),
        "mape": reference.mean_absolute_percentage_error(truth, prediction),
        "r2": reference.r2_score(truth, prediction),
    }

    assert {spec.name for spec in METRICS.values() if Task.REGRESSION in spec.tasks} == set(expected)
    for name, value in expected.items():
        assert score(name, truth, prediction) == pytest.approx(value, rel=1e-10), name


def sample_for(name: str, seed: int) -> tuple[Array, Array]:
    """A sample of the first task for which the metric is defined."""
    task = METRICS[name].tasks[0]
    samples = {Task.BINARY: binary_sample, Task.MULTICLASS: class_sample, Task.REGRESSION: value_sample}
    return samples[task](seed, 120)


@given(name=st.sampled_from(sorted(METRICS)), seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_weights_are_repetitions(name: str, seed: int) -> None:
    """A row with weight 3 counts as three rows; several weightings at once equal one at a time."""
    truth, prediction = sample_for(name, seed)
    counts = np.random.default_rng(seed).multinomial(len(truth), np.full(len(truth), 1 / len(truth)), size=3)

    together = score_weighted(name, truth, prediction, counts.astype(float))

    for sample, value in zip(counts, together, strict=True):
        rows = np.repeat(np.arange(len(truth)), sample)
        assert value == pytest.approx(score(name, truth[rows], prediction[rows]), rel=1e-9, abs=1e-12)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_ranking_metrics_ignore_monotone_changes(seed: int) -> None:
    """Squaring the probabilities changes neither ROC AUC nor PR AUC."""
    truth, prediction = binary_sample(seed)

    for name in ("roc_auc", "pr_auc"):
        assert score(name, truth, prediction**2) == pytest.approx(score(name, truth, prediction), rel=1e-12)


@pytest.mark.parametrize("name", ["roc_auc", "balanced_accuracy", "mcc", "f1", "recall", "pr_auc"])
def test_one_class_gives_nan(name: str) -> None:
    """Without a positive row these metrics are undefined, and say so instead of raising."""
    assert np.isnan(score(name, np.zeros(5), np.linspace(0, 1, 5)))


def test_undefined_cases_give_nan() -> None:
    """No decided positives, a constant truth, a true value of 0, no rows, a prediction that is not finite."""
    half = np.array([0.0, 1.0])

    assert np.isnan(score("precision", half, np.array([0.1, 0.2])))
    assert np.isnan(score("r2", np.full(4, 3.3), np.arange(4.0)))
    assert np.isnan(score("r2", np.array([5.0]), np.array([4.0])))
    assert np.isnan(score("mape", half, half))
    assert np.isnan(score("mae", np.array([]), np.array([])))
    assert np.isnan(score("rmse", half, np.array([np.nan, 1.0])))
    assert np.isnan(score("roc_auc", half, np.array([np.inf, 1.0])))


def test_deciding_one_class_for_all_has_no_correlation() -> None:
    """The Matthews correlation of a constant decision is 0, the F1 of a model without hits too."""
    truth = np.array([0.0, 1.0, 1.0])

    assert score("mcc", truth, np.zeros(3)) == 0.0
    assert score("f1", truth, np.zeros(3)) == 0.0


def test_a_class_missing_from_the_sample_is_left_out_of_the_mean() -> None:
    """Three columns but two classes present: the ROC averages the two that exist."""
    truth = np.array([0.0, 0.0, 1.0, 1.0])
    prediction = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.2, 0.7, 0.1], [0.1, 0.5, 0.4]])

    assert score("roc_auc", truth, prediction) == pytest.approx((1.0 + 0.75) / 2)
    assert score("balanced_accuracy", truth, prediction) == pytest.approx(0.75)


def test_the_threshold_belongs_to_the_positives() -> None:
    """A probability equal to the threshold is called positive."""
    assert decide_labels(np.array([0.29, 0.3]), 0.3).tolist() == [0.0, 1.0]


def test_wrong_use_is_refused() -> None:
    """Unknown names and shapes that do not fit the metric are errors with a cure."""
    with pytest.raises(ConfigError, match="unknown metric"):
        score("rocauc", np.zeros(2), np.zeros(2))
    with pytest.raises(ConfigError, match="'precision' needs one number a row"):
        score("precision", np.zeros(2), np.zeros((2, 3)))
    with pytest.raises(ConfigError, match="'f1_macro' needs one column a class"):
        score("f1_macro", np.zeros(2), np.zeros(2))
