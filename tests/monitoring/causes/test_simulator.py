"""Seven scenarios whose cause is known, in two worlds: a few here, thirty of each with ``make test-all``."""

from collections import Counter

import pytest
from tests.monitoring.causes.simulator import EXPECTED, WORLDS, Scenario, diagnosed

from modelyard.monitoring import Action, Cause

_SEEDS = 30
_LEAST_RIGHT = 0.95


@pytest.mark.parametrize("scenario", [Scenario.FAULT, Scenario.HARDER, Scenario.PRIOR, Scenario.CONCEPT])
@pytest.mark.parametrize("world", ["linear", pytest.param("branching", marks=pytest.mark.slow)])
def test_the_cause_is_named(world: str, scenario: Scenario) -> None:
    """The verdict is the cause that was planted, and a broken pipeline asks for its repair."""
    found = diagnosed(WORLDS[world](), scenario, seed=1)

    assert found.verdict is EXPECTED[scenario]
    assert (found.action is Action.FIX_PIPELINE) == (scenario is Scenario.FAULT)


@pytest.mark.slow
@pytest.mark.parametrize("world", list(WORLDS))
def test_nineteen_of_twenty_verdicts_are_right(world: str) -> None:
    """Over thirty seeds a scenario; never is retraining asked for on a broken pipeline, and confidence keeps its word."""
    made = [(scenario, diagnosed(WORLDS[world](), scenario, seed)) for scenario in Scenario for seed in range(_SEEDS)]
    right = [found.verdict is EXPECTED[scenario] for scenario, found in made]
    wrong = Counter((scenario, found.verdict) for scenario, found in made if found.verdict is not EXPECTED[scenario])

    assert sum(right) >= _LEAST_RIGHT * len(right), wrong
    assert all(found.action is Action.FIX_PIPELINE for scenario, found in made if scenario is Scenario.FAULT), wrong
    claims = [(found.confidence, good) for (_, found), good in zip(made, right, strict=True) if found.confidence]
    assert sum(good for _, good in claims) >= sum(sure for sure, _ in claims) - 0.05 * len(claims)
    assert all(found.verdict is not Cause.PIPELINE for scenario, found in made if scenario is not Scenario.FAULT)
