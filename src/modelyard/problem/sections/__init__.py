"""Sections of the project file that are large enough for a file of their own.

Takes: what stands under one key.
Gives: frozen models with checked values.
Never: knows another section.
"""

from modelyard.problem.sections.alerts import AlertPlan, AlertRule, SinkPlan
from modelyard.problem.sections.courses import AnomalyPlan, ClusterPlan, ForecastPlan
from modelyard.problem.sections.dependencies import Dependencies
from modelyard.problem.sections.deploy import DeployPlan
from modelyard.problem.sections.log import LogPlan
from modelyard.problem.sections.policy import Policy, TierRules
from modelyard.problem.sections.records import RecordsPlan
from modelyard.problem.sections.retraining import Retraining, Triggers
from modelyard.problem.sections.schedule import ReviewTimes, ScheduledScore, SchedulePlan
from modelyard.problem.sections.store import CheckpointPlan, StorePlan
from modelyard.problem.sections.strict import Address, Strict
from modelyard.problem.sections.training import CustomEstimator, SearchRange, TrainingPlan
from modelyard.problem.sections.windows import WindowPlan

__all__ = [
    "Address",
    "AlertPlan",
    "AlertRule",
    "AnomalyPlan",
    "CheckpointPlan",
    "ClusterPlan",
    "CustomEstimator",
    "Dependencies",
    "DeployPlan",
    "ForecastPlan",
    "LogPlan",
    "Policy",
    "RecordsPlan",
    "Retraining",
    "ReviewTimes",
    "SchedulePlan",
    "ScheduledScore",
    "SearchRange",
    "SinkPlan",
    "StorePlan",
    "Strict",
    "TierRules",
    "TrainingPlan",
    "Triggers",
    "WindowPlan",
]
