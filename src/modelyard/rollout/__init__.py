"""Rollout: on which way a new version comes to all requests, step by step, and what turns it back. Pure decisions.

Takes: the section ``deploy`` of the project file, time that has passed, figures of the new version and of the baseline.
Gives: the plan as steps, verdicts on figures, the next state, and which variant a request goes to.
Never: looks at a clock, a network or a disk, or takes the absence of data for success.
"""

from typing import TYPE_CHECKING

from modelyard.core.doors import light_door

if TYPE_CHECKING:
    from modelyard.rollout.buckets import share_of
    from modelyard.rollout.guards import judge, said
    from modelyard.rollout.machine import PAUSE_OVER, abort, advance, is_due, look, promote, promoted, resume, start
    from modelyard.rollout.plan import label_metric, plan_of
    from modelyard.rollout.records import (
        GOLDEN,
        AnalysisRule,
        Figure,
        GuardRule,
        Phase,
        Plan,
        Reading,
        State,
        Step,
        StepKind,
        Strategy,
        Verdict,
    )
    from modelyard.rollout.sequential import Interval, always_valid_interval
else:
    __getattr__ = light_door(__name__)

__all__ = [
    "GOLDEN",
    "PAUSE_OVER",
    "AnalysisRule",
    "Figure",
    "GuardRule",
    "Interval",
    "Phase",
    "Plan",
    "Reading",
    "State",
    "Step",
    "StepKind",
    "Strategy",
    "Verdict",
    "abort",
    "advance",
    "always_valid_interval",
    "is_due",
    "judge",
    "label_metric",
    "look",
    "plan_of",
    "promote",
    "promoted",
    "resume",
    "said",
    "share_of",
    "start",
]
