"""Quantiles: a share p of new truths lies below the one at p, whatever the model and however skewed its errors."""

import json

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.conformal import (
    LocalScale,
    QuantileRule,
    calibrate_quantiles,
    fewest_units,
    fit_scale,
    level_name,
    predictive_quantile,
)

Array = npt.NDArray[np.float64]
LEVELS = tuple(round(0.05 * step, 2) for step in range(1, 20))
REPETITIONS = 600


def _values(generator: np.random.Generator, rows: int) -> tuple[Array, Array]:
    """A poor model of a skewed target whose errors grow with it."""
    x = generator.uniform(0, 3, rows)
    return np.exp(x) + generator.exponential(np.exp(x)), 1 + 4 * x


@pytest.mark.parametrize("scaled", [False, True])
def test_every_level_comes_out_as_it_says(scaled: bool) -> None:
    """Levels 0.05 to 0.95, 600 calibrations on 200 rows of skewed and uneven errors: each is right within 1 point."""
    below = []
    for repetition in range(REPETITIONS):
        generator = np.random.default_rng(repetition)
        truth, predictions = _values(generator, 300)
        scale = fit_scale(predictions[:100], np.abs(truth - predictions)[:100]) if scaled else None
        rule = calibrate_quantiles(truth[100:], predictions[100:], LEVELS, scale=scale)
        new, predicted = _values(generator, 100)
        assert rule is not None
        below.append((new[:, np.newaxis] <= rule.values(predicted)).mean(axis=0))

    np.testing.assert_allclose(np.mean(below, axis=0), LEVELS, atol=0.01)


def test_few_rows_are_no_reason_to_stray() -> None:
    """With 19 rows, the fewest for 5 %, each level is still right within 2 points."""
    below = []
    for repetition in range(REPETITIONS):
        generator = np.random.default_rng(repetition)
        rule = calibrate_quantiles(generator.exponential(1, 19), np.zeros(19), LEVELS)
        assert rule is not None
        below.append((generator.exponential(1, 50)[:, np.newaxis] <= rule.values(np.zeros(50))).mean(axis=0))

    np.testing.assert_allclose(np.mean(below, axis=0), LEVELS, atol=0.02)


def test_levels_hold_for_new_groups_only_if_groups_count() -> None:
    """Of 40 groups some are large and have larger errors: the levels hold for a new group's row; by rows they do not."""
    strays: dict[bool, list[Array]] = {True: [], False: []}
    for repetition in range(REPETITIONS):
        generator = np.random.default_rng(repetition)
        large = generator.random(80) < 0.3
        centre = generator.exponential(1, 80) + large
        names = np.repeat(np.arange(40), np.where(large[:40], 30, 3))
        truth = centre[names] + generator.normal(0, 0.3, len(names))
        new = centre[40:] + generator.normal(0, 0.3, 40)
        for grouped, found in strays.items():
            rule = calibrate_quantiles(truth, np.zeros(len(names)), LEVELS, groups=names if grouped else None)
            assert rule is not None
            found.append((new[:, np.newaxis] <= rule.values(np.zeros(40))).mean(axis=0))
    by_group, by_row = (np.abs(np.mean(strays[grouped], axis=0) - LEVELS) for grouped in (True, False))

    assert by_group.max() <= 0.01
    assert by_row.max() >= 0.1


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=19, max_size=60),
    st.lists(st.integers(1, 19), min_size=1, max_size=6, unique=True),
)
@settings(max_examples=40, deadline=None)
def test_quantiles_never_cross(errors: list[float], steps: list[int]) -> None:
    """A higher level never gives a lower value, and none leaves the range of the errors."""
    levels = sorted(step / 20 for step in steps)
    rule = calibrate_quantiles(np.array(errors), np.zeros(len(errors)), levels)

    assert rule is not None
    assert rule.levels == tuple(levels)
    assert list(rule.shifts) == sorted(rule.shifts)
    assert min(errors) <= rule.shifts[0]
    assert rule.shifts[-1] <= max(errors)


@given(st.lists(st.floats(-1e3, 1e3), min_size=10, max_size=40), st.integers(2, 18))
@settings(max_examples=40, deadline=None)
def test_rows_that_stand_for_themselves_are_groups_of_one(errors: list[float], step: int) -> None:
    """Groups of one row give what rows give, which is Weibull's position ``p (n + 1)``, as NumPy has it."""
    values, level = np.array(errors), step / 20
    if len(errors) < fewest_units(level):
        assert predictive_quantile(values, level) is None
        return

    expected = float(np.quantile(values, level, method="weibull"))
    assert predictive_quantile(values, level) == pytest.approx(expected, abs=1e-9)
    assert predictive_quantile(values, level, np.arange(len(values))) == pytest.approx(expected, abs=1e-9)


def test_a_large_group_counts_as_one() -> None:
    """One group of 1,000 rows far above moves the median of 20 small ones by its one voice only."""
    errors = np.concatenate([np.arange(20.0), np.full(1000, 100.0)])
    groups = np.concatenate([np.arange(20), np.full(1000, 20)])

    assert predictive_quantile(errors, 0.5) == 100.0
    assert predictive_quantile(errors, 0.5, groups) == pytest.approx(10.0)


def test_levels_that_take_more_rows_are_left_out() -> None:
    """Twelve rows, or twelve groups, can tell 10 and 90 %, not 5 %; three rows tell none of them."""
    errors = np.arange(12.0)
    rule = calibrate_quantiles(errors, np.zeros(12), (0.05, 0.1, 0.9))
    grouped = calibrate_quantiles(np.arange(120.0), np.zeros(120), (0.05, 0.1), groups=np.arange(120) % 12)

    assert rule is not None
    assert rule.levels == (0.1, 0.9)
    assert grouped is not None
    assert grouped.levels == (0.1,)
    assert calibrate_quantiles(errors[:3], np.zeros(3), (0.1, 0.9)) is None
    assert (fewest_units(0.1), fewest_units(0.05), fewest_units(0.999)) == (9, 19, 999)


def test_skewed_errors_give_skewed_quantiles() -> None:
    """Errors that reach up further than down: so do the quantiles, unlike an interval of one margin."""
    errors = np.random.default_rng(0).exponential(1, 2000) - 1
    rule = calibrate_quantiles(errors, np.zeros(2000), (0.05, 0.5, 0.95))

    assert rule is not None
    np.testing.assert_allclose(rule.shifts, [-0.95, np.log(2) - 1, np.log(20) - 1], atol=0.1)


def test_the_answer_names_its_levels() -> None:
    """Values by level, at the scale around each prediction; the rule survives JSON; 0.1 is called 0.1."""
    rule = QuantileRule((0.1, 0.975), (-1.0, 2.0), LocalScale((0.0, 10.0), (1.0, 3.0)))

    assert rule.describe(np.array([5.0, 20.0])) == [{"0.1": 3.0, "0.975": 9.0}, {"0.1": 17.0, "0.975": 26.0}]
    assert QuantileRule.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule
    assert [level_name(level) for level in LEVELS[:3]] == ["0.05", "0.1", "0.15"]
