"""Money against today's process: right sums, paired intervals, and a sentence for people."""

from typing import Any

import numpy as np
import pytest

from modelyard.evaluation.money import Stakes, format_amount, money_gained, row_values
from modelyard.problem import Problem

TRUTH = np.array([1.0, 1.0, 0.0, 0.0] * 50)
MODEL = np.array([0.9, 0.2, 0.8, 0.1] * 50)
RULE = np.array([0.0, 0.0, 1.0, 0.0] * 50)
COSTS: dict[str, Any] = {"true_positive": 100, "false_positive": -20, "volume_per_year": 1000, "currency": "EUR"}


def problem_with(task: str = "binary", **costs: Any) -> Problem:
    """A problem with prices."""
    return Problem.model_validate({"task": task, "data": {"source": "t.csv", "target": "y"}, "costs": costs})


def stakes(**more: Any) -> Stakes:
    """The winner at a threshold of one half."""
    return Stakes("test", TRUTH, {"naive": np.full(200, 0.5), **more, "winner": MODEL}, 0.5)


def test_gain_over_the_existing_system() -> None:
    """A case is worth 20 under the model (+100, 0, -20, 0) and -5 under the rule: 25 more, 25,000 a year."""
    money = money_gained(problem_with(**COSTS), stakes(**{"existing system": RULE}), confidence=0.95, seed=0)

    assert money is not None
    assert money.per_case == pytest.approx(25.0)
    assert money.per_year == pytest.approx(25_000.0)
    assert money.low is not None
    assert money.high is not None
    assert 15_000 < money.low < 25_000 < money.high < 35_000
    assert money.sentence.startswith("Saves 25,000 EUR a year against today's process, 95 % interval ")
    assert "not shown" not in money.sentence


def test_without_an_existing_system_nothing_is_done_today() -> None:
    """Doing nothing is worth the true negatives and the misses: here 0 a case."""
    money = money_gained(problem_with(**COSTS), stakes(), confidence=0.95, seed=0)

    assert money is not None
    assert money.per_case == pytest.approx(20.0)
    assert money.against == "doing nothing"


def test_a_loss_is_called_a_loss() -> None:
    """False alarms at 500 each make the model lose 95 a case... and the sentence says so."""
    money = money_gained(problem_with(**{**COSTS, "false_positive": -480}), stakes(), confidence=0.95, seed=0)

    assert money is not None
    assert money.per_case == pytest.approx((100 - 480) / 4)
    assert money.sentence.startswith("Loses 95,000 EUR a year against doing nothing")


def test_noise_is_not_called_a_gain() -> None:
    """If the interval includes 0 the sentence says that a gain is not shown."""
    money = money_gained(problem_with(**{**COSTS, "false_positive": -98}), stakes(), confidence=0.95, seed=0)

    assert money is not None
    assert money.per_case_low < 0 < money.per_case_high
    assert "The interval includes 0: a gain is not shown." in money.sentence


def test_without_a_volume_it_is_per_thousand_cases() -> None:
    """No volume, no year: the sentence speaks of 1,000 cases and says what to set."""
    money = money_gained(problem_with(true_positive=100), stakes(), confidence=0.95, seed=0)

    assert money is not None
    assert (money.per_year, money.volume_per_year) == (None, None)
    assert money.sentence.startswith("Saves 25,000 EUR per 1,000 cases")
    assert "costs.volume_per_year" in money.sentence


def test_regression_counts_units_of_error() -> None:
    """At -3 a unit, halving an error of 2 saves 3 a case against the naive answer; the interval has no width."""
    rows = Stakes("test", np.zeros(40), {"naive": np.full(40, 2.0), "winner": np.full(40, -1.0)}, 0.5)
    money = money_gained(
        problem_with("regression", per_unit_error=-3, volume_per_year=10), rows, confidence=0.9, seed=0
    )

    assert money is not None
    assert (money.low, money.per_year, money.high) == (30.0, 30.0, 30.0)
    assert money.against == "giving everybody the same answer"


def test_multiclass_counts_wrong_classes() -> None:
    """A wrong class costs its price; without a price there is no money."""
    prediction = np.array([[0.8, 0.1, 0.1], [0.2, 0.2, 0.6]])
    values = row_values(problem_with("multiclass", per_error=-7), np.array([0.0, 1.0]), prediction, 0.5)

    assert values is not None
    assert values.tolist() == [0.0, -7.0]
    assert row_values(problem_with("multiclass"), np.array([0.0, 1.0]), prediction, 0.5) is None
    assert money_gained(problem_with(), stakes(), confidence=0.95, seed=0) is None


def test_amounts_have_three_digits() -> None:
    """Small, large and zero amounts are readable."""
    assert [format_amount(amount, "EUR") for amount in (0, 9.876, -1234567, 999.9)] == [
        "0 EUR",
        "9.88 EUR",
        "-1,230,000 EUR",
        "1,000 EUR",
    ]
