"""A loss against the recent past: the package's figure may be old, what was true last week is not."""

from collections.abc import Sequence

from modelyard.core import Finding, Severity
from modelyard.monitoring.flow.persistence import persistent_severity
from modelyard.monitoring.performance import PerformanceWindow, tolerated_score
from modelyard.monitoring.records import MonitorReport
from modelyard.problem import Problem, metric_spec
from modelyard.report import format_number

__all__ = ["recent_loss"]

_FEWEST_BEFORE = 3
_MOST_BEFORE = 8


def recent_loss(report: MonitorReport, problem: Problem) -> Finding | None:
    """A finding if the metric fell below its recent baseline beyond doubt; None if it did not, or nobody can say.

    The baseline of a window is the mean, weighted by rows, of the metric in up to eight windows before it that were no
    losses themselves; at least three are needed. A window is a loss if its whole interval is worse than the baseline by
    more than ``monitoring.performance_drop``.
    """
    windows = [window for window in report.performance if window.value is not None and not window.note]
    levels, last, baseline = _levels(windows, report.metric, problem.monitoring.performance_drop)
    severity = persistent_severity(levels)
    if severity is None or severity is Severity.INFO or last is None:
        return None
    title = metric_spec(report.metric).title
    return Finding(
        "performance-recent",
        severity,
        report.metric,
        f"{title} was {format_number(last.value)} ({format_number(last.low)} to {format_number(last.high)}) in "
        f"{last.name}; in the windows before it was {format_number(baseline)}.",
        "The whole interval is beyond the tolerated loss against the recent past: this is not chance.",
        "Act on the likely cause; look at what changed between these windows.",
        {"value": last.value, "baseline": baseline, "rows": last.rows},
        "M5",
    )


def _levels(
    windows: Sequence[PerformanceWindow], metric: str, drop: float
) -> tuple[list[int], PerformanceWindow | None, float | None]:
    """0 or 3 for each window, the last loss, and the baseline that it was held against."""
    sound: list[PerformanceWindow] = []
    levels: list[int] = []
    last, held = None, None
    for window in windows:
        before = sound[-_MOST_BEFORE:]
        baseline = _mean(before) if len(before) >= _FEWEST_BEFORE else None
        is_loss = baseline is not None and _is_worse(window, tolerated_score(metric, baseline, drop), metric)
        levels.append(3 if is_loss else 0)
        if is_loss:
            last, held = window, baseline
        else:
            sound.append(window)
    return levels, last, held


def _is_worse(window: PerformanceWindow, tolerated: float, metric: str) -> bool:
    """True if the whole interval is beyond what is tolerated."""
    better = window.high if metric_spec(metric).greater_is_better else window.low
    if better is None:
        return False
    return better < tolerated if metric_spec(metric).greater_is_better else better > tolerated


def _mean(windows: Sequence[PerformanceWindow]) -> float:
    rows = sum(window.rows for window in windows)
    return sum((window.value or 0.0) * window.rows for window in windows) / rows
