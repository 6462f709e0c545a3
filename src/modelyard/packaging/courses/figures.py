"""Figures of a course as the card lists them."""

from collections.abc import Iterable

from modelyard.evaluation.records import MetricValue
from modelyard.problem.metrics import COURSE_METRICS, METRICS

__all__ = ["figures_of"]

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
