"""The profit curve is money by threshold, and its limits are where the money is gone."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.evaluation import Evaluation
from modelyard.evaluation.money import Stakes, money_gained, row_values
from modelyard.evaluation.page.profit import profit_blocks
from modelyard.evaluation.worth.profit import profit_curve
from modelyard.problem import Problem
from modelyard.report import Prose

Array = npt.NDArray[np.float64]


def _problem(**costs: Any) -> Problem:
    return Problem.model_validate(
        {"task": "binary", "data": {"source": "t.csv", "target": "y", "positive": "1"}, "costs": costs}
    )


def _stakes(*, existing: bool = False, threshold: float = 0.2) -> Stakes:
    generator = np.random.default_rng(0)
    scores = generator.beta(1.0, 3.0, 1500)
    truth = (generator.random(1500) < scores).astype(float)
    predictions = {"winner": scores, "naive": np.full(1500, 0.25)}
    if existing:
        predictions["existing system"] = (generator.random(1500) < 0.3).astype(float)
    return Stakes("test", truth, predictions, threshold)


PRICES = {"true_positive": 100.0, "false_positive": -25.0, "volume_per_year": 10_000}


def test_every_point_is_what_the_decisions_are_worth() -> None:
    """At each threshold the amount is that of the rows, the band holds it, and the chosen threshold is among them."""
    problem, stakes = _problem(**PRICES), _stakes()
    curve = profit_curve(problem, stakes, confidence=0.95, seed=0)
    money = money_gained(problem, stakes, confidence=0.95, seed=0)

    assert curve is not None
    assert money is not None
    assert (curve.unit, curve.currency, curve.part) == ("a year", "EUR", "test")
    for threshold, value, low, high in zip(curve.thresholds, curve.values, curve.low, curve.high, strict=True):
        worth = row_values(problem, stakes.truth, stakes.predictions["winner"], threshold)
        assert worth is not None
        assert value == pytest.approx(worth.mean() * 10_000)
        assert low <= value <= high
    assert curve.at_chosen == pytest.approx(money.per_year)
    assert curve.values[0] == pytest.approx(curve.everybody)
    assert list(curve.thresholds) == sorted(curve.thresholds)
    assert abs(curve.thresholds[int(np.argmax(curve.values))] - 0.2) < 0.12


@pytest.mark.parametrize("existing", [False, True])
def test_at_the_break_even_price_nothing_is_gained(existing: bool) -> None:
    """With the limit in place of the declared price, the gain over today is 0."""
    stakes = _stakes(existing=existing)
    curve = profit_curve(_problem(**PRICES), stakes, confidence=0.95, seed=0)

    assert curve is not None
    assert [item.price for item in curve.break_even] == ["true_positive", "false_positive"]
    for item in curve.break_even:
        gained = money_gained(_problem(**{**PRICES, item.price: item.limit}), stakes, confidence=0.95, seed=0)
        assert gained is not None
        assert gained.per_case == pytest.approx(0, abs=1e-9)


def test_where_it_pays_and_where_not() -> None:
    """The range around the threshold in use is where more is gained than today; dear alarms leave none."""
    stakes = _stakes(existing=True)
    curve = profit_curve(_problem(**PRICES), stakes, confidence=0.95, seed=0)
    dear = profit_curve(_problem(**{**PRICES, "false_positive": -900.0}), stakes, confidence=0.95, seed=0)

    assert curve is not None
    assert curve.existing is not None
    assert curve.pays_from is not None
    assert curve.pays_to is not None
    assert curve.pays_from < 0.2 < curve.pays_to
    for threshold, value in zip(curve.thresholds, curve.values, strict=True):
        if curve.pays_from <= threshold <= curve.pays_to:
            assert value > curve.existing
    assert dear is not None
    assert profit_curve(_problem(), stakes, confidence=0.95, seed=0) is None
    assert dear.everybody < 0
    alone = profit_curve(_problem(**{**PRICES, "false_positive": -900.0}), _stakes(), confidence=0.95, seed=0)
    assert alone is not None
    assert (alone.pays_from, alone.pays_to) == (None, None)


def test_without_a_volume_amounts_are_for_1000_cases() -> None:
    """The unit is said, and the amounts follow it."""
    curve = profit_curve(_problem(true_positive=100.0, false_positive=-25.0), _stakes(), confidence=0.95, seed=0)
    yearly = profit_curve(_problem(**PRICES), _stakes(), confidence=0.95, seed=0)

    assert curve is not None
    assert yearly is not None
    assert curve.unit == "per 1,000 cases"
    assert np.array(curve.values) * 10 == pytest.approx(np.array(yearly.values))


def test_the_page_draws_and_tells_it(churn_evaluation: Evaluation) -> None:
    """Churn: a chart with the existing system beside the winner, where it pays, and until which prices."""
    blocks = profit_blocks(churn_evaluation)

    assert churn_evaluation.profit is not None
    assert isinstance(blocks[1], Prose)
    assert "It pays against today's process at thresholds from" in blocks[1].text
    assert "`costs.true_positive` would have to be" in blocks[1].text
    assert profit_blocks(dataclasses.replace(churn_evaluation, profit=None)) == []
    assert Evaluation.from_dict(churn_evaluation.to_dict()).profit == churn_evaluation.profit
