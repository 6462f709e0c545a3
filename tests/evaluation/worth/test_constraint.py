"""Thresholds that must keep a bound keep it on the rows they are chosen on, and are the best that do."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from modelyard.evaluation.threshold import choose_threshold
from modelyard.evaluation.worth import bound_of
from modelyard.problem import Problem
from modelyard.training.metrics import score

Array = npt.NDArray[np.float64]


def _problem(threshold: str, **costs: Any) -> Problem:
    return Problem.model_validate(
        {
            "task": "binary",
            "data": {"source": "t.csv", "target": "y"},
            "costs": costs,
            "evaluation": {"threshold": threshold},
        }
    )


def _rows(rows: int = 1000, seed: int = 0) -> tuple[Array, Array]:
    generator = np.random.default_rng(seed)
    scores = generator.beta(1.0, 3.0, rows)
    return (generator.random(rows) < scores).astype(float), scores


@given(st.integers(0, 50), st.sampled_from([0.5, 0.8, 0.9, 0.99]))
@settings(max_examples=15, deadline=None)
def test_enough_positives_are_found(seed: int, bound: float) -> None:
    """The recall is kept, and the next higher threshold that loses a positive would break it."""
    truth, scores = _rows(300, seed)
    choice = choose_threshold(_problem(f"recall >= {bound}"), truth, scores, seed=0)
    found = score("recall", truth, scores, threshold=choice.value)

    assert found >= bound
    assert choice.objective == "precision"
    assert f"`recall >= {bound}`" in choice.reason
    assert f"the recall is {found:.3f} there" in choice.reason


def test_precision_is_kept_and_most_are_found() -> None:
    """Among thresholds with a precision of 0.6 the one that finds most; one that nobody reaches is said to be so."""
    truth, scores = _rows()
    choice = choose_threshold(_problem("precision >= 0.6"), truth, scores, seed=0)
    others = [cut for cut in np.unique(scores) if score("precision", truth, scores, threshold=cut) >= 0.6]
    most = max(score("recall", truth, scores, threshold=cut) for cut in others)
    flat = np.full(1000, 0.3) + np.random.default_rng(1).normal(0, 0.01, 1000)
    never = choose_threshold(_problem("precision >= 0.999"), (np.arange(1000) % 4 == 0).astype(float), flat, seed=0)

    assert score("precision", truth, scores, threshold=choice.value) >= 0.6
    assert score("recall", truth, scores, threshold=choice.value) == pytest.approx(most, abs=0.02)
    assert (
        never.reason.startswith("No threshold keeps `precision >= 0.999`") or "the precision is 1.000" in never.reason
    )


def test_the_interval_knows_that_the_bound_moves() -> None:
    """In other rows another threshold finds nine of ten: the interval is that of the lowest tenth of the positives."""
    truth, scores = _rows(800)
    choice = choose_threshold(_problem("recall >= 0.9"), truth, scores, seed=0)
    generator = np.random.default_rng(0)
    positives = scores[truth == 1]
    tenths = [np.quantile(generator.choice(positives, len(positives)), 0.1) for _ in range(400)]

    assert choice.low < choice.value < choice.high
    assert (choice.low, choice.high) == pytest.approx(tuple(np.quantile(tenths, [0.025, 0.975])), abs=0.02)


def test_no_more_than_can_be_handled() -> None:
    """A share of 5 %, or 50 a day of 365,000 a year: as many as that are called, and no fewer than need be."""
    truth, scores = _rows(2000)
    for problem in (_problem("positives <= 0.05"), _problem("positives <= 50 a day", volume_per_year=365_000)):
        choice = choose_threshold(problem, truth, scores, seed=0)

        assert 0.045 <= float((scores >= choice.value).mean()) <= 0.05
        assert choice.objective == "recall"


def test_prices_choose_among_what_is_left() -> None:
    """With prices the best in money among those that keep the bound: the analytic one if it keeps it."""
    truth, scores = _rows(3000)
    prices = {"false_positive": -50, "false_negative": -500}
    free = choose_threshold(_problem("recall >= 0.2", **prices), truth, scores, seed=0)
    bound = choose_threshold(_problem("positives <= 0.1", **prices), truth, scores, seed=0)

    assert free.objective == bound.objective == "value"
    assert free.analytic == pytest.approx(1 / 11)
    assert free.value == pytest.approx(1 / 11, abs=0.04)
    assert bound.value > free.value
    assert float((scores >= bound.value).mean()) <= 0.1
    assert (free.value_per_case or 0) > (bound.value_per_case or 0)


@pytest.mark.parametrize(
    "text", ["recall > 0.9", "recall >= 90", "f1 >= 0.5", "positives >= 0.1", "recall >= 0.9 a day"]
)
def test_other_bounds_are_refused(text: str) -> None:
    """The forms are few, and a typing error is not passed over."""
    with pytest.raises(ValidationError):
        _problem(text)


def test_a_daily_number_needs_the_decisions_of_a_year() -> None:
    """Without a volume nobody knows how many a day is."""
    with pytest.raises(ValidationError, match=r"needs costs\.volume_per_year"):
        _problem("positives <= 50 a day")

    bound = bound_of(_problem("positives <= 50 a day", volume_per_year=36_500))
    assert bound is not None
    assert bound.bound == pytest.approx(0.5)
