"""The paired comparison sees what two separate intervals cannot, and stays quiet when nothing is there."""

import re

import numpy as np
import pytest

from modelyard.core import ConfigError, DataError
from modelyard.evaluation import Comparison, bootstrap_interval, compare


def test_a_better_challenger_is_found_although_intervals_overlap() -> None:
    """Errors of both share most of their noise; paired, a difference of 5 % is beyond doubt."""
    generator = np.random.default_rng(0)
    truth = generator.normal(0, 1, 400)
    champion = truth + generator.normal(0, 1, 400)
    challenger = truth + 0.95 * (champion - truth)
    result = compare("rmse", truth, champion, challenger)
    old = bootstrap_interval("rmse", truth, champion, confidence=0.95, seed=0)
    new = bootstrap_interval("rmse", truth, challenger, confidence=0.95, seed=0)

    assert new.high > old.low
    assert result.verdict == "better"
    assert result.difference == pytest.approx(old.value - new.value)
    assert 0 < result.low <= result.difference <= result.high
    assert result.p_value < 0.01
    assert result.rows == 400


def test_the_sign_follows_the_metric() -> None:
    """Positive means better whether the metric is to rise or to fall, and swapping the two swaps the sign."""
    generator = np.random.default_rng(1)
    truth = (generator.random(500) < 0.4).astype(float)
    good = np.clip(0.4 + 0.3 * (truth - 0.4) + generator.normal(0, 0.1, 500), 0.01, 0.99)
    bad = np.clip(0.4 + 0.1 * (truth - 0.4) + generator.normal(0, 0.1, 500), 0.01, 0.99)

    for metric in ("roc_auc", "log_loss"):
        there, back = compare(metric, truth, bad, good), compare(metric, truth, good, bad)
        assert (there.verdict, back.verdict) == ("better", "worse")
        assert there.difference == pytest.approx(-back.difference)


def test_second_opinions_by_formula_stand_beside() -> None:
    """DeLong for ROC AUC and McNemar for labels agree with the bootstrap; a loss has no formula."""
    generator = np.random.default_rng(0)
    truth = (generator.random(600) < 0.4).astype(float)
    champion = 1 / (1 + np.exp(-generator.normal(truth - 0.5, 1)))
    challenger = 1 / (1 + np.exp(-generator.normal(3 * truth - 1.5, 1)))
    ranking = compare("roc_auc", truth, champion, challenger)
    labels = compare("accuracy", truth, champion, challenger)
    delong, mcnemar = ranking.tests[0], labels.tests[0]

    assert (delong.name, mcnemar.name) == ("DeLong", "McNemar (mid-p)")
    assert delong.difference == pytest.approx(ranking.difference)
    assert delong.low == pytest.approx(ranking.low, abs=0.01)
    assert delong.high == pytest.approx(ranking.high, abs=0.01)
    assert delong.p_value is not None
    assert delong.p_value < 1e-6
    assert mcnemar.p_value is not None
    assert mcnemar.p_value < 1e-6
    gained, lost = (int(word) for word in re.findall(r"\d+", mcnemar.note))
    assert (gained - lost) / 600 == pytest.approx(labels.difference)
    assert compare("log_loss", truth, champion, challenger).tests == ()
    assert Comparison.from_dict(ranking.to_dict()) == ranking


def test_equal_systems_are_called_different_in_about_5_of_100_cases() -> None:
    """Two systems of equal quality: the verdict is wrong in at most 8 % of 300 simulations, and p-values are even."""
    verdicts, p_values = [], []
    for repetition in range(300):
        generator = np.random.default_rng(repetition)
        truth = generator.normal(0, 1, 120)
        champion, challenger = truth + generator.normal(0, 1, (2, 120))
        result = compare("mae", truth, champion, challenger, seed=repetition)
        verdicts.append(result.verdict != "inconclusive")
        p_values.append(result.p_value)

    assert 0.02 <= np.mean(verdicts) <= 0.08
    assert np.mean(np.array(p_values) < 0.5) == pytest.approx(0.5, abs=0.1)


def test_verdict_and_p_value_agree() -> None:
    """The interval leaves out 0 exactly when the p-value is below 5 %, up to the bootstrap's own step."""
    for repetition in range(60):
        generator = np.random.default_rng(repetition)
        truth = generator.normal(0, 1, 100)
        champion, challenger = truth + generator.normal(0, [[1.0], [0.85]], (2, 100))
        result = compare("rmse", truth, champion, challenger, seed=repetition)
        if abs(result.p_value - 0.05) > 0.005:
            assert (result.verdict != "inconclusive") == (result.p_value < 0.05)


def test_identical_systems_differ_by_nothing() -> None:
    """The same predictions twice: no difference, a p-value of 1, no verdict."""
    truth = np.arange(10.0)
    result = compare("mae", truth, truth + 1, truth + 1)

    assert (result.difference, result.p_value, result.verdict) == (0.0, 1.0, "inconclusive")


def test_a_metric_that_is_undefined_decides_nothing() -> None:
    """Rows of one class rank nobody; the verdict is inconclusive, the figures are absent."""
    result = compare("roc_auc", np.zeros(8), np.arange(8.0), -np.arange(8.0))

    assert (result.champion, result.challenger, result.verdict) == (None, None, "inconclusive")


def test_different_rows_are_refused() -> None:
    """Unequal lengths, no rows, and unknown metrics are errors with a cure."""
    with pytest.raises(DataError, match="only be compared on the same rows"):
        compare("mae", np.zeros(3), np.zeros(3), np.zeros(2))
    with pytest.raises(DataError, match="0 true values"):
        compare("mae", np.zeros(0), np.zeros(0), np.zeros(0))
    with pytest.raises(ConfigError, match="unknown metric"):
        compare("mea", np.zeros(3), np.zeros(3), np.zeros(3))
