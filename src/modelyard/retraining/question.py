"""The question of a retraining: it must be the champion's, and a call goes on with an earlier one of the same."""

from collections.abc import Mapping
from typing import Any

from modelyard.core import StateError, digest_json
from modelyard.data import as_divided, settled
from modelyard.problem import Problem, Task
from modelyard.retraining.champion import Champion
from modelyard.version import __version__

__all__ = ["same_question", "settings_digest"]

_ELSEWHERE: Mapping[str, Any] = {
    "objective": True,
    "users": True,
    "out_of_scope": True,
    "owner": True,
    "contact": True,
    "escalation": True,
    "team": True,
    "dependencies": True,
    "policy": True,
    "store": True,
    "log": True,
    "records": True,
    "deploy": True,
    "monitoring": True,
    "alerts": True,
    "tracking": True,
    "retraining": {"triggers", "cooldown"},
}
"""What neither a step's result nor a gate depends on; all else does, so a section that is new counts by itself."""


def same_question(problem: Problem, champion: Champion) -> Problem:
    """The problem as the champion answers it, on rows that are divided as its own were.

    Raises
    ------
    StateError
        If the project file has changed it since.
    """
    asked = settled(problem, champion.scorer.task, champion.scorer.classes)
    same_task = problem.task in (Task.AUTO, asked.task)
    same_class = problem.data.positive in (None, asked.data.positive)
    if problem.data.target == champion.run.record.target and same_task and same_class:
        return as_divided(asked, champion.base.record.strategy)
    raise StateError(
        "the champion answers another question than the project file asks by now",
        where="modelyard.yaml",
        got=f"target {problem.data.target!r}, task {problem.task}, positive class {problem.data.positive!r}",
        cure="Train anew with 'modelyard train', or put the question back",
    )


def settings_digest(problem: Problem) -> str:
    """Names the settings on which a retraining depends, and the version of modelyard that carries it out."""
    asked = problem.model_dump(mode="json", exclude=dict(_ELSEWHERE))
    return digest_json({"problem": asked, "modelyard": __version__})
