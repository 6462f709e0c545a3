"""The interval of a nested score: the textbook's formula, and as wide as it has to be."""

import numpy as np
import pytest

from modelyard.training.nesting import OuterPart
from modelyard.training.nesting.interval import mean_interval


def parts(scores: list[float], learnt: int = 80, held: int = 20) -> list[OuterPart]:
    """Parts of equal size with these scores."""
    return [OuterPart(learnt, held, "linear", "linear", value, value) for value in scores]


def test_five_parts_by_hand() -> None:
    """Variance 0.00025 times 1/5 + 1/4, and the t quantile of four degrees of freedom."""
    mean, error, low, high = mean_interval(parts([0.80, 0.81, 0.82, 0.83, 0.84]), "random")

    assert mean == pytest.approx(0.82)
    assert error == pytest.approx((0.00025 * 0.45) ** 0.5)
    assert high - mean == pytest.approx(2.7764 * error, rel=1e-4)
    assert low == pytest.approx(2 * mean - high)


def test_parts_in_time_share_nothing_by_chance() -> None:
    """The variance is divided by the number of parts, as for independent scores."""
    _, error, _, _ = mean_interval(parts([1.0, 2.0, 3.0]), "time")

    assert error == pytest.approx((1 / 3) ** 0.5)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Least squares on sixty rows, five parts: in 300 samples the mean error of such models lies within, 19 times of 20."""
    generator = np.random.default_rng(0)
    coefficients = np.ones(8)

    def sample(rows: int) -> tuple[np.ndarray, np.ndarray]:
        matrix = generator.normal(size=(rows, 8))
        return matrix, matrix @ coefficients + generator.normal(size=rows)

    means, covered = [], []
    intervals = []
    for _ in range(300):
        matrix, truth = sample(60)
        scores = []
        for part in range(5):
            held = np.arange(60) % 5 == part
            learnt = np.linalg.lstsq(matrix[~held], truth[~held], rcond=None)[0]
            scores.append(float(np.abs(truth[held] - matrix[held] @ learnt).mean()))
        mean, _, low, high = mean_interval(parts(scores, 48, 12), "random")
        means.append(mean)
        intervals.append((low, high))
    expected = float(np.mean(means))  # over samples: what a model from 48 such rows errs
    covered = [low <= expected <= high for low, high in intervals]

    assert 0.93 <= np.mean(covered) <= 0.995
