"""DeLong's interval and test: the definition by pairs, known figures, and coverage by simulation."""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.evaluation.analytic.delong import delong_interval, delong_test
from modelyard.evaluation.intervals import bootstrap
from modelyard.training.metrics import score, score_weighted

Array = npt.NDArray[np.float64]


def _by_pairs(truth: Array, scores: Array) -> tuple[float, float]:
    """Area and variance straight from the definition (DeLong et al., 1988, equations 1 and 5)."""
    hits, rest = scores[truth == 1], scores[truth == 0]
    kernel = (hits[:, None] > rest) + 0.5 * (hits[:, None] == rest)
    variance = kernel.mean(axis=1).var(ddof=1) / len(hits) + kernel.mean(axis=0).var(ddof=1) / len(rest)
    return float(kernel.mean()), float(variance)


@given(st.integers(0, 500), st.integers(6, 60))
@settings(max_examples=40, deadline=None)
def test_ranks_give_the_definition(seed: int, rows: int) -> None:
    """The fast form equals the sum over all pairs, ties included, and the area is the metric's."""
    generator = np.random.default_rng(seed)
    truth = np.concatenate([[0, 0, 1, 1], generator.integers(0, 2, rows)]).astype(float)
    scores = np.round(generator.normal(truth, 1), 1)
    area, low, high = delong_interval(truth, scores, 0.95)
    expected, variance = _by_pairs(truth, scores)

    assert area == pytest.approx(expected)
    assert area == pytest.approx(score("roc_auc", truth, scores))
    if 0 < area < 1 and variance > 0:
        width = math.log(high / (1 - high)) - math.log(low / (1 - low))
        half = NormalDist().inv_cdf(0.975) * math.sqrt(variance) / (area * (1 - area))
        assert width == pytest.approx(2 * half)


def test_the_interval_covers() -> None:
    """95 % intervals of ROC AUC, 30 positives in 100 rows, area 0.76: 93 to 97 % of 2,000 samples."""
    true_area = 0.5 * (1 + math.erf(0.5))
    covered = []
    for repetition in range(2000):
        generator = np.random.default_rng(repetition)
        truth = (np.arange(100) < 30).astype(float)
        _, low, high = delong_interval(truth, generator.normal(truth, 1), 0.95)
        covered.append(low <= true_area <= high)

    assert 0.93 <= np.mean(covered) <= 0.97


def test_groups_widen_the_interval() -> None:
    """60 patients of 10 rows that score alike: the interval by patients covers, that by rows does not."""
    names = np.repeat(np.arange(60), 10)
    true_area = 0.5 * (1 + math.erf(0.5))
    together: list[bool] = []
    alone: list[bool] = []
    for repetition in range(1000):
        generator = np.random.default_rng(repetition)
        sick = (np.arange(60) % 2).astype(float)
        truth = sick[names]
        scores = (generator.normal(0, 1, 60) + sick)[names] + generator.normal(0, 0.05, 600)
        for found, units in ((together, names), (alone, None)):
            _, low, high = delong_interval(truth, scores, 0.95, units)
            found.append(low <= true_area <= high)

    assert 0.93 <= np.mean(together) <= 0.97
    assert np.mean(alone) < 0.6


def test_the_paired_test_is_as_sharp_as_the_paired_bootstrap() -> None:
    """Two correlated models: the interval of the difference is that of a paired bootstrap, far narrower than unpaired."""
    generator = np.random.default_rng(0)
    truth = (generator.random(800) < 0.3).astype(float)
    champion = generator.normal(truth, 1)
    challenger = champion + generator.normal(0.15 * truth, 0.4)
    found = delong_test(truth, champion, challenger, 0.95)

    def difference(weights: Array) -> Array:
        both = [score_weighted("roc_auc", truth, scores, weights) for scores in (challenger, champion)]
        return (both[0] - both[1])[:, np.newaxis]

    _, low, high = bootstrap(difference, 800, seed=0, repeats=1000).interval(0, 0.95)

    assert found.difference == pytest.approx(score("roc_auc", truth, challenger) - score("roc_auc", truth, champion))
    assert found.high - found.low == pytest.approx(high - low, rel=0.12)
    assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)


def test_the_paired_test_is_rarely_wrong() -> None:
    """Two equally good models: 5 % of 1,000 tests are below 0.05, give or take."""
    wrong = []
    for repetition in range(1000):
        generator = np.random.default_rng(repetition)
        truth = (generator.random(150) < 0.4).astype(float)
        signal = generator.normal(truth, 1)
        champion, challenger = (signal + generator.normal(0, 0.5, 150) for _ in range(2))
        wrong.append(delong_test(truth, champion, challenger, 0.95).p_value < 0.05)

    assert 0.03 <= np.mean(wrong) <= 0.07


def test_what_cannot_be_told_is_not_told() -> None:
    """One class, a ranking without a fault, and two equal models."""
    truth = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])

    assert all(math.isnan(value) for value in delong_interval(np.zeros(6), truth, 0.95))
    assert delong_interval(truth, truth, 0.95)[0] == 1.0
    assert math.isnan(delong_interval(truth, truth, 0.95)[1])
    assert delong_test(truth, truth, truth, 0.95) == (0.0, 0.0, 0.0, 1.0)
