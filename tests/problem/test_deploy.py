"""The section ``deploy``: strong defaults, guards that stay on, and sentences for what cannot be meant."""

from typing import Any

import pytest
from pydantic import ValidationError

from modelyard.problem.sections.deploy import ALWAYS_ON, DeployPlan


def test_the_guards_are_on_by_default() -> None:
    """An empty section watches errors, latency, validity, golden rows and the distribution of predictions."""
    guards = {guard.name: guard for guard in DeployPlan().analysis["guard"].guards}

    assert list(guards) == [*ALWAYS_ON, "golden_rows", "prediction_psi"]
    assert not any(guard.dry_run for guard in guards.values())


def test_a_named_guard_changes_its_bound_and_removes_none() -> None:
    """A project file that names one guard has the others as before; one that names other analyses has 'guard' too."""
    declared = {"guard": {"metrics": [{"name": "error_rate", "threshold_range": {"max": 0.2}}]}}
    guards = DeployPlan.model_validate({"analysis": declared}).analysis["guard"].guards

    assert guards[0].threshold_range is not None
    assert guards[0].threshold_range.max == 0.2
    assert {guard.name for guard in guards} == {*ALWAYS_ON, "golden_rows", "prediction_psi"}
    assert set(DeployPlan.model_validate({"analysis": {"slow": {"interval": "1h"}}}).analysis) == {"guard", "slow"}


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({"strategy": {"canary": {"steps": [{"set_weight": 10, "pause": {}}]}}}, "a step is one of"),
        ({"strategy": {"canary": {"steps": [{"pause": None}]}}}, "a step is one of"),
        ({"strategy": {"canary": {"steps": [{"pause": {}}]}}}, "the first step is a weight"),
        ({"strategy": {"canary": {"steps": [{"set_weight": 50}, {"set_weight": 10}]}}}, "the weights must rise"),
        (
            {"strategy": {"canary": {"steps": [{"set_weight": 10}, {"analysis": "gard"}]}}},
            "there is no analysis 'gard'. Did you mean 'guard'?",
        ),
        ({"analysis": {"guard": {"metrics": [{"name": "error_rat", "threshold_range": {"max": 1}}]}}}, "'error_rate'?"),
        ({"analysis": {"guard": {"metrics": [{"name": "error_rate"}]}}}, "give threshold_range"),
        (
            {
                "analysis": {
                    "guard": {"metrics": [{"name": "error_rate", "threshold_range": {"max": 1}, "dry_run": True}]}
                }
            },
            "error_rate is always on",
        ),
        (
            {"analysis": {"guard": {"metrics": [{"name": "latency_p99_ms", "max_relative_change": 1}]}}},
            "needs 'vs: baseline'",
        ),
        ({"analysis": {"guard": {"metrics": [{"name": "money"}, {"name": "money"}]}}}, "money stands there twice"),
        ({"analysis": {"guard": {"interval": "soon"}}}, "pattern"),
        ({"strategy": {"ab": {"weight": 100}}}, "less than or equal to 99"),
    ],
)
def test_what_cannot_be_meant_is_refused(section: dict[str, Any], sentence: str) -> None:
    """Each sentence says what is wrong, and near names are offered."""
    with pytest.raises(ValidationError) as error:
        DeployPlan.model_validate(section)

    assert sentence in str(error.value)
