"""The problem: what is asked, by which measure, at which price.

Takes: ``modelyard.yaml``, overlays and ``--set`` values.
Gives: a frozen ``Problem`` with the origin of each value, and findings about the question itself.
Never: reads data.
"""

from typing import TYPE_CHECKING

from modelyard.core.doors import light_door

if TYPE_CHECKING:
    from modelyard.problem.course_draft import write_course_draft
    from modelyard.problem.draft import ProblemDraft, write_draft
    from modelyard.problem.families import DEFAULT_FAMILIES, FAMILY_GROUP, FAMILY_NAMES
    from modelyard.problem.guardrails import GuardrailResult, broken_bounds, broken_findings, held_guardrails
    from modelyard.problem.linter import lint_problem
    from modelyard.problem.load import PROJECT_FILE, LoadedProblem, json_schema, load_problem
    from modelyard.problem.metrics import (
        COURSE_METRICS,
        METRICS,
        MetricInput,
        MetricSpec,
        declare_metrics,
        default_metric,
        metric_spec,
        metrics_for,
    )
    from modelyard.problem.schema import EventTable, FeaturePlan, Problem
    from modelyard.problem.sections.courses import AnomalyPlan, ClusterPlan, ForecastPlan
    from modelyard.problem.series import SeriesColumn, SeriesPlan, span_length
    from modelyard.problem.suggestion import did_you_mean
    from modelyard.problem.task import Task
else:
    __getattr__ = light_door(__name__)

__all__ = [
    "COURSE_METRICS",
    "DEFAULT_FAMILIES",
    "FAMILY_GROUP",
    "FAMILY_NAMES",
    "METRICS",
    "PROJECT_FILE",
    "AnomalyPlan",
    "ClusterPlan",
    "EventTable",
    "FeaturePlan",
    "ForecastPlan",
    "GuardrailResult",
    "LoadedProblem",
    "MetricInput",
    "MetricSpec",
    "Problem",
    "ProblemDraft",
    "SeriesColumn",
    "SeriesPlan",
    "Task",
    "broken_bounds",
    "broken_findings",
    "declare_metrics",
    "default_metric",
    "did_you_mean",
    "held_guardrails",
    "json_schema",
    "lint_problem",
    "load_problem",
    "metric_spec",
    "metrics_for",
    "span_length",
    "write_course_draft",
    "write_draft",
]
