"""Gaps between groups: as fairlearn measures them, with intervals that hold and chance that is told."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.evaluation.fairness.gaps import measure_gaps
from modelyard.evaluation.systems import WINNER, JudgedRows
from modelyard.problem import Problem, Task

if TYPE_CHECKING:
    from modelyard.evaluation import Evaluation

PROBLEM = Problem.model_validate(
    {"data": {"source": "t", "target": "y", "positive": "1"}, "task": "binary", "protected": ["group"]}
)


def _rows(seed: int, rows: int, shares: dict[str, float], *, tilt: float = 0.0) -> JudgedRows:
    """Rows of several groups; ``tilt`` raises the scores of the first group."""
    generator = np.random.default_rng(seed)
    group = generator.choice(list(shares), rows, p=list(shares.values()))
    truth = (generator.random(rows) < 0.4).astype(np.float64)
    score = np.clip(0.3 * truth + 0.7 * generator.random(rows) + tilt * (group == next(iter(shares))), 0, 1)
    return JudgedRows("validation", pl.DataFrame({"group": group}), truth, {WINNER: score}, threshold=0.5)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), tilt=st.floats(-0.2, 0.2))
def test_fairlearn_measures_the_same(seed: int, tilt: float) -> None:
    """Differences and ratios of all three measures, three groups of different sizes."""
    fairlearn = pytest.importorskip("fairlearn.metrics")
    rows = _rows(seed, 900, {"a": 0.5, "b": 0.3, "c": 0.2}, tilt=tilt)
    found = {gap.measure: gap for gap in measure_gaps(PROBLEM, rows, confidence=0.95, seed=0)}
    label = (rows.predictions[WINNER] >= 0.5).astype(int)
    told = {"y_true": rows.truth.astype(int), "y_pred": label, "sensitive_features": rows.frame["group"].to_numpy()}

    for measure, name in (
        ("demographic parity", "demographic_parity"),
        ("equal opportunity", "equal_opportunity"),
        ("equalised odds", "equalized_odds"),
    ):
        assert found[measure].difference == pytest.approx(getattr(fairlearn, f"{name}_difference")(**told))
        assert found[measure].ratio == pytest.approx(getattr(fairlearn, f"{name}_ratio")(**told))


def test_a_planted_gap_is_beyond_chance_and_equality_is_not() -> None:
    """A group whose scores are raised stands out; groups dealt out at random do so in one of twenty tables."""
    tilted = measure_gaps(PROBLEM, _rows(0, 1500, {"a": 0.5, "b": 0.5}, tilt=0.2), confidence=0.95, seed=0)
    chances = [
        measure_gaps(PROBLEM, _rows(seed, 400, {"a": 0.4, "b": 0.3, "c": 0.3}), confidence=0.95, seed=seed)[0].p_value
        for seed in range(60)
    ]

    assert [gap.measure for gap in tilted] == ["demographic parity", "equal opportunity", "equalised odds"]
    assert tilted[0].p_value < 0.01
    assert (tilted[0].lowest, tilted[0].highest) == ("b", "a")
    assert tilted[0].low is not None
    assert tilted[0].low > 0.1
    assert tilted[0].high is not None
    assert tilted[0].low < tilted[0].difference < tilted[0].high
    assert tilted[0].ratio_high is not None
    assert tilted[0].ratio_high < 1
    assert np.mean(np.array(chances) < 0.05) <= 0.15
    assert np.mean(chances) == pytest.approx(0.5, abs=0.12)


def test_small_groups_are_left_out_and_named() -> None:
    """A group of a dozen rows has no rate worth telling; one large group alone has no gap."""
    rows = _rows(0, 600, {"a": 0.5, "b": 0.48, "c": 0.02})
    found = measure_gaps(PROBLEM, rows, confidence=0.95, seed=0)

    assert {gap.left_out for gap in found} == {("c",)}
    assert {gap.groups for gap in found} == {2}
    assert measure_gaps(PROBLEM, _rows(0, 60, {"a": 0.9, "b": 0.1}), confidence=0.95, seed=0) == ()


def test_rows_of_one_unit_are_dealt_out_together() -> None:
    """Forty patients with thirty rows each: a gap that twenty of them explain is not beyond chance, as if 1,200 did."""
    generator = np.random.default_rng(3)
    patient = np.repeat(np.arange(40), 30)
    ill = (generator.random(40) < 0.5)[patient]
    group = np.where((np.arange(40) % 2 == 0)[patient], "a", "b")
    truth = (generator.random(1200) < 0.5).astype(np.float64)
    score = np.where(ill, 0.8, 0.2)
    alone = JudgedRows("validation", pl.DataFrame({"group": group}), truth, {WINNER: score})
    together = dataclasses.replace(alone, units=patient)
    apart = measure_gaps(PROBLEM, alone, confidence=0.95, seed=0)[0]
    joined = measure_gaps(PROBLEM, together, confidence=0.95, seed=0)[0]

    assert joined.difference == apart.difference
    assert joined.p_value > apart.p_value
    assert _width(joined.low, joined.high) > 2 * _width(apart.low, apart.high)


def _width(low: float | None, high: float | None) -> float:
    return (high or 0.0) - (low or 0.0)


def test_other_tasks_have_none() -> None:
    """Rates need two classes."""
    values: npt.NDArray[np.float64] = np.arange(200.0)
    rows = JudgedRows("validation", pl.DataFrame({"group": ["a", "b"] * 100}), values, {WINNER: values})
    regression = PROBLEM.model_copy(update={"task": Task.REGRESSION})

    assert measure_gaps(regression, rows, confidence=0.95, seed=0) == ()


def test_real_customers_have_gaps(churn_evaluation: "Evaluation") -> None:
    """Older customers leave more often, and are called so more often: the gap is there, with its chance."""
    parity = churn_evaluation.fairness[0]

    assert (parity.column, parity.measure) == ("SeniorCitizen", "demographic parity")
    assert (parity.lowest, parity.highest) == ("0", "1")
    assert parity.p_value < 0.05
