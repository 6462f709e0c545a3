"""Findings about the question itself: objective, metric, baseline, prices, constraints, owner (P1 to P7, G7)."""

import re
from collections.abc import Callable, Iterator, Mapping

from modelyard.core import Finding, Severity
from modelyard.problem.metrics import METRICS
from modelyard.problem.schema import Problem
from modelyard.problem.series import span_length
from modelyard.problem.task import Task

__all__ = ["lint_problem"]

_IMBALANCE = 0.20
_LONGEST_OBJECTIVE_WORDS = 40
_SHORTEST_OBJECTIVE_WORDS = 4


def lint_problem(problem: Problem, *, class_shares: Mapping[str, float] | None = None) -> tuple[Finding, ...]:
    """All findings about a problem whose task is known.

    Parameters
    ----------
    problem
        The problem; with the task ``auto`` the checks that depend on the task are skipped.
    class_shares
        Share of each class in the training part, if somebody has counted them; needed for P4's imbalance checks.
    """
    shares = class_shares or {}
    return tuple(finding for check in _CHECKS for finding in check(problem, shares))


def _objective(problem: Problem, _: Mapping[str, float]) -> Iterator[Finding]:
    words = len(problem.objective.split())
    if _SHORTEST_OBJECTIVE_WORDS <= words <= _LONGEST_OBJECTIVE_WORDS:
        return
    seen = "There is no business objective." if words == 0 else f"The objective has {words} words."
    yield Finding(
        "objective",
        Severity.WARNING,
        "objective",
        seen,
        "Every later choice (metric, threshold, price) serves the objective; unsaid, each reader assumes another.",
        "Write one sentence under 'objective': who decides what, with which benefit.",
        {"words": words},
        "P1",
    )


def _metric_fits_task(problem: Problem, _: Mapping[str, float]) -> Iterator[Finding]:
    if problem.task is Task.AUTO:
        return
    defined = {spec.name for spec in problem.reported_metrics}
    for name in (problem.primary_metric, *problem.metrics.guardrails):
        if name not in defined:
            yield Finding(
                "metric-undefined",
                Severity.ERROR,
                name,
                f"{_title(name)} is not defined for the task {problem.task}.",
                "It cannot be computed.",
                f"Choose one of: {', '.join(sorted(defined))}.",
                {},
                "P3",
            )


def _title(name: str) -> str:
    return METRICS[name].title if name in METRICS else name


def _metric_hides_imbalance(problem: Problem, shares: Mapping[str, float]) -> Iterator[Finding]:
    if not shares or min(shares.values()) >= _IMBALANCE:
        return
    rarest = min(shares.values())
    if problem.primary_metric == "accuracy":
        yield Finding(
            "metric-hides-imbalance",
            Severity.WARNING,
            "metrics.primary",
            f"Accuracy is the primary metric, but the rarest class has {rarest:.1%} of the rows.",
            f"Always answering with the commonest class already scores {max(shares.values()):.1%}.",
            "Use pr_auc, roc_auc or log_loss as the primary metric; accuracy is reported anyway.",
            {"rarest_share": rarest},
            "P4",
        )
    if problem.primary_metric == "roc_auc" and problem.task is Task.BINARY and rarest < _IMBALANCE / 2:
        yield Finding(
            "metric-rank-imbalance",
            Severity.INFO,
            "metrics.primary",
            f"ROC AUC is the primary metric, and the positive class has {rarest:.1%} of the rows.",
            "With rare positives ROC AUC looks good while most alarms are false; PR AUC shows it.",
            "Consider pr_auc as the primary metric, or add a guardrail on it.",
            {"rarest_share": rarest},
            "P4",
        )


def _r2_alone(problem: Problem, _: Mapping[str, float]) -> Iterator[Finding]:
    if problem.task is Task.REGRESSION and problem.primary_metric == "r2" and not problem.metrics.guardrails:
        yield Finding(
            "metric-r2-alone",
            Severity.WARNING,
            "metrics.primary",
            "R² is the only metric that decides.",
            "R² depends on the spread of the target and says nothing in its unit; a wide target flatters any model.",
            "Use rmse or mae as the primary metric, or add a guardrail on one of them.",
            {},
            "P4",
        )


def _existing_system(problem: Problem, _: Mapping[str, float]) -> Iterator[Finding]:
    if not problem.existing_system.is_declared:
        yield Finding(
            "existing-system",
            Severity.INFO,
            "existing_system",
            "No existing system is declared; the comparison is with a naive baseline and a linear model only.",
            "A model is worth what it adds to today's process.",
            "Give existing_system a column, a rule or a constant.",
            {},
            "P5",
        )


def _costs(problem: Problem, _: Mapping[str, float]) -> Iterator[Finding]:
    costs = problem.costs
    priced = {
        Task.BINARY: costs.has_matrix,
        Task.MULTICLASS: costs.per_error is not None,
        Task.REGRESSION: costs.per_unit_error is not None,
    }.get(problem.task, True)
    if not priced:
        yield Finding(
            "costs",
            Severity.INFO,
            "costs",
            "Errors have no price.",
            "Without prices the threshold is a convention and the report cannot say what the model is worth.",
            "Fill in 'costs' with the value of right and wrong decisions.",
            {},
            "P6",
        )
    elif problem.task is not Task.AUTO and costs.volume_per_year is None:
        yield Finding(
            "costs-volume",
            Severity.INFO,
            "costs.volume_per_year",
            "Prices are given, but not how many decisions there are in a year.",
            "Money a year cannot be stated.",
            "Fill in costs.volume_per_year.",
            {},
            "P6",
        )


def _constraints(problem: Problem, _: Mapping[str, float]) -> Iterator[Finding]:
    if all(value is None for value in problem.constraints.model_dump().values()):
        yield Finding(
            "constraints",
            Severity.INFO,
            "constraints",
            "No constraint on latency, memory, size or training time is declared.",
            "Limits that are declared are enforced at selection and at deployment; others surface in production.",
            "Fill in 'constraints', at least latency_p99_ms.",
            {},
            "P7",
        )


def _owner(problem: Problem, _: Mapping[str, float]) -> Iterator[Finding]:
    if not problem.owner:
        yield Finding(
            "owner",
            Severity.WARNING,
            "owner",
            "Nobody owns this model.",
            "No model goes into production without somebody who answers for it.",
            "Fill in owner and contact.",
            {},
            "G7",
        )


def _collection(problem: Problem, _: Mapping[str, float]) -> Iterator[Finding]:
    if not problem.data.collection:
        yield Finding(
            "collection",
            Severity.INFO,
            "data.collection",
            "How the data were collected is not described.",
            "The card shows it to whoever relies on the model, and biases start there.",
            "Fill in data.collection and data.known_biases.",
            {},
            "D12",
        )


def _series_gap(problem: Problem, _: Mapping[str, float]) -> Iterator[Finding]:
    series, gap = problem.data.series, problem.split.gap
    if series is None or (isinstance(gap, str) and re.search("mo|y|q", gap)):
        return
    if gap is None or (int(gap) if isinstance(gap, float) else span_length(gap)) < span_length(series.horizon):
        yield Finding(
            "series-gap",
            Severity.WARNING,
            "split.gap",
            f"The horizon is {series.horizon}, and the gap before each later part is {gap or 'none'}.",
            "Training learns from targets that nobody would know yet when the first rows of the next part are asked for.",
            f"Set split.gap to {series.horizon} or more.",
            {},
            "D3",
        )


def _directions(problem: Problem, _: Mapping[str, float]) -> Iterator[Finding]:
    if problem.task is not Task.MULTICLASS or not problem.features.monotone:
        return
    yield Finding(
        "directions-without-order",
        Severity.ERROR,
        "features.monotone",
        f"Predictions of several classes are to rise or fall in {', '.join(problem.features.monotone)}.",
        "Several classes have no order, so training refuses it.",
        "Leave features.monotone out, or ask for two classes or a value.",
        {},
        "T2",
    )


_CHECKS: tuple[Callable[[Problem, Mapping[str, float]], Iterator[Finding]], ...] = (
    _objective,
    _metric_fits_task,
    _metric_hides_imbalance,
    _r2_alone,
    _existing_system,
    _costs,
    _constraints,
    _owner,
    _collection,
    _series_gap,
    _directions,
)
