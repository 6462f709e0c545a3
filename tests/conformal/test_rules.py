"""Rules answer alike from the record and from JSON, and are made from held-out rows."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.conformal import (
    ConformalRule,
    IntervalRule,
    LocalScale,
    SetRule,
    calibrate_intervals,
    calibrate_sets,
    fit_scale,
    scaling_pays,
)


def test_rules_survive_json() -> None:
    """A rule read back from JSON is the same rule."""
    intervals = ConformalRule(0.9, intervals=IntervalRule(1.5, LocalScale((0.0, 1.0), (0.5, 2.0))))
    sets = ConformalRule(0.8, sets=SetRule((0.1, 0.0, 0.4)))

    for rule in (intervals, sets):
        assert ConformalRule.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule


def test_what_is_said_about_a_row() -> None:
    """Values get an interval by the scale around them, classes their names."""
    intervals = ConformalRule(0.9, intervals=IntervalRule(2.0, LocalScale((0.0, 10.0), (1.0, 3.0))))
    sets = ConformalRule(0.9, sets=SetRule((0.3, 0.2, 0.5)))
    probabilities = np.array([[0.4, 0.3, 0.3], [0.05, 0.05, 0.9]])

    assert intervals.describe(np.array([5.0, 20.0]), ()) == {"prediction_interval": [[1.0, 9.0], [14.0, 26.0]]}
    assert sets.describe(probabilities, ("a", "b", "c")) == {"prediction_set": [["a", "b"], ["c"]]}


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2), st.lists(st.floats(0, 1), min_size=1, max_size=9))
@settings(max_examples=50, deadline=None)
def test_no_set_is_empty(floors: list[float], scores: list[float]) -> None:
    """Whatever the floors are, every set names a class, and every class at or above its floor is in it."""
    probabilities = np.array(scores)
    members = SetRule(tuple(floors)).members(probabilities)

    assert members.any(axis=1).all()
    assert members[probabilities >= floors[1], 1].all()
    assert members[1 - probabilities >= floors[0], 0].all()


def test_a_rare_class_has_its_own_floor() -> None:
    """Of 20 % positives that score lower, nine of ten are still in their sets; with one floor for all they would not."""
    generator = np.random.default_rng(0)
    truth = (generator.random(4000) < 0.2).astype(float)
    scores = np.clip(generator.normal(0.15 + 0.3 * truth, 0.15), 0, 1)
    members = calibrate_sets(truth[:2000], scores[:2000], 2, 0.9).members(scores[2000:])
    covered = members[np.arange(2000), truth[2000:].astype(int)]

    assert covered[truth[2000:] == 1].mean() == pytest.approx(0.9, abs=0.04)
    assert covered[truth[2000:] == 0].mean() == pytest.approx(0.9, abs=0.03)


def test_classes_too_rare_to_calibrate_share_a_floor() -> None:
    """Two classes of ten rows each have one floor together; a class of three rows alone is never ruled out."""
    generator = np.random.default_rng(0)
    truth = np.repeat([0.0, 1.0, 2.0], [400, 10, 10])
    shares = generator.dirichlet((1, 1, 1), 420)
    together = calibrate_sets(truth, shares, 3, 0.9).floors
    alone = calibrate_sets(truth[:403], shares[:403], 2, 0.9).floors

    assert together[1] == together[2] > 0
    assert together[0] != together[1]
    assert alone[1] == 0.0


def test_too_few_rows_give_no_interval() -> None:
    """Eight rows cannot promise 90 %."""
    assert calibrate_intervals(np.arange(8.0), np.zeros(8), 0.9) is None


def test_a_scale_is_used_where_it_pays() -> None:
    """Errors that grow with the prediction want a scale; even errors do not, nor do few rows."""
    generator = np.random.default_rng(1)
    predictions = generator.uniform(1, 10, 1000)
    uneven = np.abs(generator.normal(0, predictions))
    even = np.abs(generator.normal(0, 5, 1000))
    rows = np.arange(1000)

    assert scaling_pays(predictions, uneven, 0.9, rows, seed=0)
    assert not scaling_pays(predictions, even, 0.9, rows, seed=0)
    assert not scaling_pays(predictions[:60], uneven[:60], 0.9, rows[:60], seed=0)


def test_the_scale_follows_the_errors() -> None:
    """Mean absolute errors by tenths of the prediction, never below a tenth of the mean, level beyond the ends."""
    predictions = np.linspace(0, 10, 1000)
    scale = fit_scale(predictions, np.where(predictions < 5, 0.0, 2.0))

    assert scale is not None
    assert scale.of(np.array([-5.0, 0.0])).tolist() == pytest.approx([0.1, 0.1])
    assert scale.of(np.array([9.9, 99.0])).tolist() == pytest.approx([2.0, 2.0])
    assert fit_scale(np.ones(500), np.ones(500)) is None
    assert fit_scale(predictions, np.zeros(1000)) is None
