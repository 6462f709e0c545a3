"""Sections of the project file that are large enough for a file of their own.

Takes: what stands under one key.
Gives: frozen models with checked values.
Never: knows another section.
"""

from modelyard.problem.sections.courses import AnomalyPlan, ClusterPlan, ForecastPlan
from modelyard.problem.sections.deploy import DeployPlan
from modelyard.problem.sections.log import LogPlan
from modelyard.problem.sections.store import CheckpointPlan, StorePlan
from modelyard.problem.sections.strict import Strict
from modelyard.problem.sections.training import CustomEstimator, SearchRange, TrainingPlan

__all__ = [
    "AnomalyPlan",
    "CheckpointPlan",
    "ClusterPlan",
    "CustomEstimator",
    "DeployPlan",
    "ForecastPlan",
    "LogPlan",
    "SearchRange",
    "StorePlan",
    "Strict",
    "TrainingPlan",
]
