"""A winner that gets worse from period to period."""

from collections.abc import Iterator

from modelyard.core import Finding, Severity
from modelyard.evaluation.periods.records import Stability
from modelyard.problem import metric_spec
from modelyard.report import format_number

__all__ = ["trend_findings"]


def trend_findings(stability: Stability | None) -> Iterator[Finding]:
    """One finding if the trend is down beyond chance."""
    if stability is None or stability.direction != "worse":
        return
    title = metric_spec(stability.metric).title
    first, last = stability.periods[0], stability.periods[-1]
    yield Finding(
        "worse-over-time",
        Severity.WARNING,
        stability.column,
        f"{title} gets worse by {format_number(abs(float(f'{stability.trend or 0.0:.2g}')))} a {stability.unit} on "
        f"{stability.part} (chance {stability.p_value or 0.0:.2g}): {format_number(first.score)} in {first.name}, "
        f"{format_number(last.score)} in {last.name}.",
        "A model that wears out will be worse in production than any average of the past.",
        "Retrain often, learn from recent rows, or find the columns whose meaning changes; watch it from the first day.",
        {"trend": stability.trend, "p_value": stability.p_value, "periods": len(stability.periods)},
        "E6",
    )
