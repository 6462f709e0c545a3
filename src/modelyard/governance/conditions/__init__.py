"""Conditions of approvals: what a version must have gone through before it is in production.

Takes: the words of a condition, plans of rollouts, and what the log of rollouts tells of a version.
Gives: conditions that can be measured, and whether they are met, with what is missing.
Never: takes the words of somebody who steered for the passing of time, or a rollout that was aborted for one that held.
"""

from modelyard.governance.conditions.history import Held, held_steps, planned_steps
from modelyard.governance.conditions.meeting import ConditionState, states_of
from modelyard.governance.conditions.words import Condition, ConditionKind, parse_condition

__all__ = [
    "Condition",
    "ConditionKind",
    "ConditionState",
    "Held",
    "held_steps",
    "parse_condition",
    "planned_steps",
    "states_of",
]
