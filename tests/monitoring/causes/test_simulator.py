"""Seven scenarios whose cause is known, in four worlds: a few here, thirty of each with ``make test-all``."""

from collections import Counter

import pytest
from scipy.stats import binom
from tests.monitoring.causes.other_tasks import OTHER_WORLDS, diagnosed_there
from tests.monitoring.causes.simulator import EXPECTED, WORLDS, Scenario, diagnosed

from modelyard.monitoring import Action, Cause

_SEEDS = 30
_LEAST_RIGHT = 0.95
_BANDS = ((0.0, 0.92), (0.92, 0.97), (0.97, 1.0), (0.0, 1.0))
_CERTAIN = 0.01


def as_often_right(claims: list[tuple[float, bool]], low: float, high: float) -> float:
    """How likely so few right verdicts, or fewer, would be if those with a confidence in [low, high) were right as often as they claim."""
    sure, good = zip(*((one, right) for one, right in claims if low <= one < high), strict=True)
    return float(binom.cdf(sum(good), len(good), sum(sure) / len(sure)))


def test_the_band_of_a_boaster_is_found() -> None:
    """Forty verdicts that claim 0.98: 36 right are certainly too few, 39 are not."""
    claims = [[(0.98, place < right) for place in range(40)] for right in (36, 39)]

    assert [as_often_right(one, 0.97, 1.0) < _CERTAIN for one in claims] == [True, False]


@pytest.mark.parametrize("scenario", [Scenario.FAULT, Scenario.HARDER, Scenario.PRIOR, Scenario.CONCEPT])
@pytest.mark.parametrize("world", ["linear", pytest.param("branching", marks=pytest.mark.slow)])
def test_the_cause_is_named(world: str, scenario: Scenario) -> None:
    """The verdict is the cause that was planted, and a broken pipeline asks for its repair."""
    found = diagnosed(WORLDS[world](), scenario, seed=1)

    assert found.verdict is EXPECTED[scenario]
    assert (found.action is Action.FIX_PIPELINE) == (scenario is Scenario.FAULT)


@pytest.mark.parametrize("scenario", [Scenario.CLEAN, Scenario.HARDER, Scenario.PRIOR, Scenario.CONCEPT])
@pytest.mark.parametrize("world", list(OTHER_WORLDS))
def test_the_cause_is_named_for_several_classes_and_for_numbers(world: str, scenario: Scenario) -> None:
    """The same of three classes and of a number, whose scores within each outcome are known from the day before."""
    found = diagnosed_there(OTHER_WORLDS[world](), scenario, seed=2)

    assert found.verdict is EXPECTED[scenario]
    assert not found.not_known.startswith("That the score separates")
    if scenario is Scenario.PRIOR:
        assert found.action is Action.RECALIBRATE
        assert [one.found for one in found.evidence if one.test == "scores within each outcome"] == [True]


@pytest.mark.slow
@pytest.mark.parametrize("world", list(OTHER_WORLDS))
def test_nineteen_of_twenty_are_right_for_several_classes_and_for_numbers(world: str) -> None:
    """Over thirty seeds a scenario; a broken pipeline is never taken for anything else."""
    made = [(one, diagnosed_there(OTHER_WORLDS[world](), one, seed)) for one in Scenario for seed in range(_SEEDS)]
    wrong = Counter((scenario, found.verdict) for scenario, found in made if found.verdict is not EXPECTED[scenario])

    assert sum(wrong.values()) <= (1 - _LEAST_RIGHT) * len(made), wrong
    assert all(found.action is Action.FIX_PIPELINE for scenario, found in made if scenario is Scenario.FAULT), wrong


@pytest.mark.slow
@pytest.mark.parametrize("world", list(WORLDS))
def test_nineteen_of_twenty_verdicts_are_right(world: str) -> None:
    """Over thirty seeds a scenario; never is retraining asked for on a broken pipeline, and no confidence claims too much."""
    made = [(scenario, diagnosed(WORLDS[world](), scenario, seed)) for scenario in Scenario for seed in range(_SEEDS)]
    right = [found.verdict is EXPECTED[scenario] for scenario, found in made]
    wrong = Counter((scenario, found.verdict) for scenario, found in made if found.verdict is not EXPECTED[scenario])

    assert sum(right) >= _LEAST_RIGHT * len(right), wrong
    assert all(found.action is Action.FIX_PIPELINE for scenario, found in made if scenario is Scenario.FAULT), wrong
    claims = [(found.confidence, good) for (_, found), good in zip(made, right, strict=True) if found.confidence]
    assert {band: fit for band in _BANDS if (fit := as_often_right(claims, *band)) < _CERTAIN} == {}
    assert all(found.verdict is not Cause.PIPELINE for scenario, found in made if scenario is not Scenario.FAULT)
