"""Whether conditions are met by what a version has gone through, or will be by a plan."""

import dataclasses
from collections.abc import Sequence

from modelyard.core import ConfigError, Record
from modelyard.governance.conditions.history import Held
from modelyard.governance.conditions.words import Condition, ConditionKind, duration_words, parse_condition
from modelyard.governance.records import Approval

__all__ = ["ConditionState", "states_of"]


@dataclasses.dataclass(frozen=True)
class ConditionState(Record):
    """One condition of an approval, and what there is.

    Parameters
    ----------
    text, by
        The condition, and who gave it.
    met
        Whether it is met; True for words of an earlier release, which nobody can measure.
    got
        What there is, in words.
    """

    text: str
    by: str
    met: bool
    got: str


def states_of(approvals: Sequence[Approval], rollouts: Sequence[Sequence[Held]]) -> tuple[ConditionState, ...]:
    """The conditions of all approvals that count; each must be met within one rollout.

    Parameters
    ----------
    rollouts
        Steps that held, by rollout; steps of a plan that is to begin count as one more.
    """
    return tuple(_state(item.approver, text, rollouts) for item in approvals for text in item.conditions)


def _state(by: str, text: str, rollouts: Sequence[Sequence[Held]]) -> ConditionState:
    try:
        condition = parse_condition(text)
    except ConfigError:  # given before conditions were enforced
        return ConditionState(text, by, met=True, got=f"{text!r} is of an earlier release and cannot be measured")
    counted = [[step for step in steps if _counts(condition, step)] for steps in rollouts]
    longest = max((sum(step.seconds for step in steps) for steps in counted), default=0.0)
    met = any(counted) and longest >= condition.seconds
    return ConditionState(condition.text, by, met, _words(condition, longest, any(counted)))


def _counts(condition: Condition, step: Held) -> bool:
    if condition.kind is ConditionKind.SHADOW:
        return step.is_shadow
    return not step.is_shadow and step.weight >= condition.percent


def _words(condition: Condition, seconds: float, any_step: bool) -> str:
    """How far it is met."""
    if condition.kind is ConditionKind.SHADOW:
        return f"{duration_words(seconds)} in shadow"
    return (
        f"{duration_words(seconds)} at {condition.percent}% or more" if any_step else f"no step at {condition.percent}%"
    )
