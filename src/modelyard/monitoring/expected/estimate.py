"""The expected metric of a window, and what is said of it."""

import dataclasses
from collections.abc import Sequence

from modelyard.core import Finding, Record, Severity
from modelyard.monitoring.expected.assumption import Assumption
from modelyard.monitoring.expected.promise import Promise
from modelyard.monitoring.flow.persistence import persistent_severity
from modelyard.problem import metric_spec
from modelyard.report import format_number

__all__ = ["ExpectedPerformance", "expect_window", "expected_findings"]

_SAID = {
    Assumption.HELD: "labels so far bear that out",
    Assumption.UNCHECKED: "no label has confirmed it",
    Assumption.BROKEN: "it cannot be believed",
}


@dataclasses.dataclass(frozen=True)
class ExpectedPerformance(Record):
    """The primary metric that a window's predictions promise.

    Parameters
    ----------
    window, rows
        Which window, and its predictions.
    value, low, high
        The promise and its 95 % range of chance; None if nothing could be promised, see ``note``.
    assumption
        Whether outcomes still fall as the model says. A figure whose assumption is broken is no estimate.
    against
        What speaks against it.
    worse
        True if the whole range is worse than tolerated and the assumption is not broken.
    note
        Why there is no value.
    """

    window: str
    rows: int
    value: float | None
    low: float | None
    high: float | None
    assumption: Assumption
    against: tuple[str, ...] = ()
    worse: bool = False
    note: str = ""


def expect_window(
    window: tuple[str, int],
    promise: Promise | None,
    word: tuple[Assumption, tuple[str, ...]],
    *,
    metric: str,
    tolerated: float | None,
    note: str,
) -> ExpectedPerformance:
    """Put together what was promised and whether it may be believed.

    Parameters
    ----------
    window
        Name and rows.
    word
        From :func:`modelyard.monitoring.expected.contradictions`.
    tolerated
        The metric's value beyond which a loss is too large; None if the package's own is not known.
    note
        Why there is no promise, if there is none.
    """
    name, rows = window
    if promise is None:
        return ExpectedPerformance(name, rows, None, None, None, *word, note=note)
    better = metric_spec(metric).greater_is_better
    worse = tolerated is not None and (promise.high < tolerated if better else promise.low > tolerated)
    worse = worse and word[0] is not Assumption.BROKEN
    return ExpectedPerformance(name, rows, promise.value, promise.low, promise.high, *word, worse=worse)


def expected_findings(expected: Sequence[ExpectedPerformance], metric: str, *, labelled: bool) -> list[Finding]:
    """A warning if the promise itself is worse than tolerated; labels, where they came, say it better."""
    severity = persistent_severity([1 if one.worse else 0 for one in expected])
    if severity is None or labelled:
        return []
    last = next(one for one in reversed(expected) if one.worse)
    message = (
        f"{metric_spec(metric).title} is expected to be {format_number(last.value)} ({format_number(last.low)} to "
        f"{format_number(last.high)}) in {last.window}, below what is tolerated; {_SAID[last.assumption]}."
    )
    why = "The rows have become harder; that shows in the model's own probabilities, before labels come."
    action = "Have some of these rows labelled; until then it is an expectation."
    evidence = {"value": last.value, "low": last.low, "high": last.high, "assumption": last.assumption.value}
    return [Finding("expected-drop", Severity(severity), metric, message, why, action, evidence, "M3")]
