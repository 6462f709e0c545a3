"""A candidate is given up only if it is clearly and by far behind."""

import numpy as np
import pytest

from modelyard.problem import Task
from modelyard.training.search.racing import is_hopeless

GENERATOR = np.random.default_rng(5)
SIGNAL = GENERATOR.normal(size=2_000)
TRUTH = (GENERATOR.random(2_000) < 1 / (1 + np.exp(-2 * SIGNAL))).astype(float)
BEST = 1 / (1 + np.exp(-2 * SIGNAL))
NAIVE = np.full(2_000, TRUTH.mean())


def test_noise_is_hopeless() -> None:
    """It keeps nothing of the gain over the naive answer."""
    assert is_hopeless(Task.BINARY, TRUTH, NAIVE, BEST, NAIVE)


@pytest.mark.parametrize("slope", [1.0, 1.5, 3.0])
def test_what_is_somewhat_behind_is_kept(slope: float) -> None:
    """Clearly worse, but with most of the gain: a blend may want it."""
    assert not is_hopeless(Task.BINARY, TRUTH, 1 / (1 + np.exp(-slope * SIGNAL)), BEST, NAIVE)


def test_few_rows_prove_nothing() -> None:
    """Far behind on twenty rows is within noise."""
    rows = slice(0, 20)
    weak = np.clip(BEST[rows] * 0.6 + 0.2, 0.01, 0.99)

    assert not is_hopeless(Task.BINARY, TRUTH[rows], weak, BEST[rows], NAIVE[rows])


def test_values_and_several_classes() -> None:
    """Squared errors, and the log loss of the true class."""
    value = SIGNAL + GENERATOR.normal(0, 0.3, 2_000)
    shares = np.column_stack([BEST, (1 - BEST) / 2, (1 - BEST) / 2])
    codes = np.where(TRUTH == 1, 0.0, 1.0 + (GENERATOR.random(2_000) < 0.5))
    equal = np.full((2_000, 3), 1 / 3)

    assert is_hopeless(Task.REGRESSION, value, np.zeros(2_000), SIGNAL, np.zeros(2_000))
    assert not is_hopeless(Task.REGRESSION, value, 0.9 * SIGNAL, SIGNAL, np.zeros(2_000))
    assert is_hopeless(Task.MULTICLASS, codes, equal, shares, equal)
