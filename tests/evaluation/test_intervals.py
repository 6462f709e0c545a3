"""Bootstrap intervals cover what they say, also for rows that belong together."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.evaluation.intervals import bootstrap, bootstrap_interval, time_blocks
from modelyard.training.metrics import score

Array = npt.NDArray[np.float64]
REPETITIONS = 300


def _covered(intervals: list[tuple[float, float]], truth: float) -> float:
    return float(np.mean([low <= truth <= high for low, high in intervals]))


def _scores(generator: np.random.Generator, rows: int) -> tuple[Array, Array]:
    """Normal scores whose true ROC AUC is Phi(1 / sqrt(2))."""
    truth = (generator.random(rows) < 0.3).astype(float)
    return truth, generator.normal(truth, 1.0)


def test_intervals_of_a_ranking_cover_in_95_of_100_cases() -> None:
    """The 95 % interval of ROC AUC holds the true one in 92 to 98 % of 300 simulated samples."""
    true_area = 0.5 * (1 + math.erf(0.5))
    intervals = []
    for repetition in range(REPETITIONS):
        truth, prediction = _scores(np.random.default_rng(repetition), 200)
        _, low, high = bootstrap_interval("roc_auc", truth, prediction, confidence=0.95, seed=repetition, repeats=400)
        intervals.append((low, high))

    assert 0.92 <= _covered(intervals, true_area) <= 0.98


def test_intervals_of_a_skewed_error_cover_in_95_of_100_cases() -> None:
    """The mean absolute error of exponential errors is 1; its interval finds it although the errors are skewed."""
    intervals = []
    for repetition in range(REPETITIONS):
        errors = np.random.default_rng(repetition).exponential(1.0, 150)
        _, low, high = bootstrap_interval("mae", errors, np.zeros(150), confidence=0.95, seed=repetition, repeats=400)
        intervals.append((low, high))

    assert 0.92 <= _covered(intervals, 1.0) <= 0.98


def test_rows_of_one_group_must_be_drawn_together() -> None:
    """With 60 groups of 10 rows that err alike, the cluster bootstrap covers; drawing rows one by one does not."""
    together: list[tuple[float, float]] = []
    alone: list[tuple[float, float]] = []
    groups = np.repeat(np.arange(60), 10)
    for repetition in range(REPETITIONS):
        generator = np.random.default_rng(repetition)
        errors = np.abs(generator.normal(0, 1, 60))[groups] + generator.normal(0, 0.1, 600)
        for found, labels in ((together, groups), (alone, None)):
            _, low, high = bootstrap_interval(
                "mae", np.abs(errors), np.zeros(600), confidence=0.95, seed=repetition, groups=labels, repeats=400
            )
            found.append((low, high))
    expected = float(np.mean(np.abs(np.abs(np.random.default_rng(1).normal(0, 1, 10**6)))))

    assert 0.90 <= _covered(together, expected) <= 0.98
    assert _covered(alone, expected) < 0.6


def test_the_same_seed_gives_the_same_interval() -> None:
    """Equal arguments give equal numbers; another seed gives others."""
    truth, prediction = _scores(np.random.default_rng(0), 100)
    first = bootstrap_interval("roc_auc", truth, prediction, confidence=0.95, seed=1)

    assert first == bootstrap_interval("roc_auc", truth, prediction, confidence=0.95, seed=1)
    assert first != bootstrap_interval("roc_auc", truth, prediction, confidence=0.95, seed=2)


@given(seed=st.integers(0, 1000), rows=st.integers(20, 200))
@settings(max_examples=20, deadline=None)
def test_intervals_nest_and_hold_the_value(seed: int, rows: int) -> None:
    """The interval holds its value, and more confidence never makes it narrower."""
    truth, prediction = _scores(np.random.default_rng(seed), rows)
    truth[:2] = (0, 1)
    narrow = bootstrap_interval("brier", truth, 1 / (1 + np.exp(-prediction)), confidence=0.8, seed=seed)
    wide = bootstrap_interval("brier", truth, 1 / (1 + np.exp(-prediction)), confidence=0.99, seed=seed)

    assert narrow.value == score("brier", truth, 1 / (1 + np.exp(-prediction)))
    assert wide.low <= narrow.low <= narrow.value <= narrow.high <= wide.high


def test_undefined_figures_have_no_interval() -> None:
    """No rows, one class, and a figure that most samples cannot have give NaN ends, not errors."""
    one_positive = np.array([1.0] + [0.0] * 3)
    prediction = np.array([0.9, 0.1, 0.2, 0.3])

    assert all(map(math.isnan, bootstrap_interval("mae", np.array([]), np.array([]), confidence=0.95, seed=0)))
    assert all(map(math.isnan, bootstrap_interval("roc_auc", np.zeros(9), np.arange(9.0), confidence=0.95, seed=0)))
    assert bootstrap_interval("roc_auc", one_positive, prediction, confidence=0.95, seed=0).value == 1.0


def test_a_constant_figure_has_an_interval_of_no_width() -> None:
    """If every row errs by 2, so does every sample."""
    assert bootstrap_interval("mae", np.full(30, 2.0), np.zeros(30), confidence=0.95, seed=0) == (2.0, 2.0, 2.0)


def test_portions_do_not_change_the_draws() -> None:
    """Many rows are worked on in portions; the figures have the right number and centre."""

    def mean(weights: Array) -> Array:
        return np.asarray(weights @ values / weights.sum(axis=1))[:, np.newaxis]

    values = np.random.default_rng(0).normal(5, 1, 30_000)
    samples = bootstrap(mean, len(values), seed=0, repeats=400)

    assert samples.values.shape == (400, 1)
    assert samples.jackknife.shape == (200, 1)
    assert samples.values.std() == pytest.approx(1 / math.sqrt(30_000), rel=0.15)


def test_time_blocks_hold_neighbours() -> None:
    """1,000 rows make blocks of ten neighbours in time; rows of one moment are never torn apart."""
    moments = np.random.default_rng(0).permutation(1000)
    blocks = time_blocks(moments)
    repeated = time_blocks(np.repeat(np.arange(100), 10))

    assert np.bincount(blocks).tolist() == [10] * 100
    assert (np.ptp(np.sort(moments).reshape(-1, 10), axis=1) == 9).all()
    assert all(np.ptp(moments[blocks == block]) == 9 for block in range(100))
    assert all(len(set(part)) == 1 for part in repeated.reshape(-1, 10).tolist())
    assert len(time_blocks([])) == 0
