"""Figures of a course as the card lists them."""

from collections.abc import Iterable, Mapping

from modelyard.evaluation.records import GuardrailResult, MetricValue
from modelyard.problem import Problem
from modelyard.problem.metrics import COURSE_METRICS, METRICS
from modelyard.unsupervised.guardrails import broken_guardrails

__all__ = ["figures_of", "guardrails_of"]

_LOWER_IS_BETTER = frozenset(("davies_bouldin",))


def figures_of(found: Iterable[tuple[str, float | None, float | None, float | None]]) -> tuple[MetricValue, ...]:
    """Name, value and ends of the interval of each figure, as records; of a figure without a direction more is better."""
    known = METRICS | COURSE_METRICS
    return tuple(
        MetricValue(
            name, value, low, high, known[name].greater_is_better if name in known else name not in _LOWER_IS_BETTER
        )
        for name, value, low, high in found
    )


def guardrails_of(problem: Problem, values: Mapping[str, float | None]) -> tuple[GuardrailResult, ...]:
    """Every bound of the project file, and whether the figure keeps it; one that was not measured does not."""
    broken = {said.split(" is ")[0] for said in broken_guardrails(problem, values)}
    known = METRICS | COURSE_METRICS
    return tuple(
        GuardrailResult(name, bound, values.get(name), met=known[name].title not in broken)
        for name, bound in problem.metrics.guardrails.items()
    )
