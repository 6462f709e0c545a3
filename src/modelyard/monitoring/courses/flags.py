"""How many rows are called anomalies, against how many were expected."""

import math
from collections.abc import Sequence

from modelyard.core import Finding
from modelyard.evaluation.analytic import wilson_interval
from modelyard.monitoring.courses.records import ExpectedFlags, FlaggedWindow
from modelyard.monitoring.flow.persistence import persistent_severity
from modelyard.monitoring.windows import Window
from modelyard.report import format_percent

__all__ = ["flagged_finding", "flagged_window", "flagged_windows"]

_LEVELS = (1.5, 2.0, 4.0)
_HALF = 0.5


def flagged_windows(
    windows: Sequence[Window], expected: ExpectedFlags, *, label: str, rate: float
) -> tuple[FlaggedWindow, ...]:
    """The share flagged in each window that has answers.

    Parameters
    ----------
    windows
        Judged ones; a window whose log has no decided labels is left out.
    label
        The answer that flags a row.
    rate
        As :func:`flagged_window` takes it.
    """
    found = []
    for window in windows:
        answers = window.frame["label"].drop_nulls() if "label" in window.frame.columns else None
        if answers is not None and len(answers):
            flagged = int((answers == label).sum())
            found.append(flagged_window(window.facts.name, len(answers), flagged, expected, rate=rate))
    return tuple(found)


def flagged_window(name: str, rows: int, flagged: int, expected: ExpectedFlags, *, rate: float) -> FlaggedWindow:
    """Judge a count of flagged rows.

    Parameters
    ----------
    rate
        The chance at which a window is certainly beyond what is harmless, 0 to 1.

    Notes
    -----
    The ratio of two shares has Walter's interval (1975, Biometrika 62), on the logarithm, with half a row added everywhere: a
    threshold that was set by few training rows is itself uncertain. Up to 1.5 times as many, or as few, is harmless.
    """
    from scipy.stats import norm

    known = expected.share * expected.rows + _HALF
    total, of = expected.rows + _HALF, rows + _HALF
    ratio = math.log((flagged + _HALF) / of) - math.log(known / total)
    error = math.sqrt(max(1 / (flagged + _HALF) - 1 / of + 1 / known - 1 / total, 0.0))
    wide = float(norm.isf(rate / 2)) * error
    low, high = ratio - wide, ratio + wide
    beyond = max(low, -high)
    level = sum(beyond > math.log(times) for times in _LEVELS)
    ends = wilson_interval(flagged, rows, 0.95)
    share = flagged / rows
    return FlaggedWindow(
        name, rows, flagged, share, *ends, expected.share, math.exp(ratio), math.exp(low), math.exp(high), level
    )


def flagged_finding(windows: Sequence[FlaggedWindow]) -> Finding | None:
    """A finding if another share was flagged than was expected, and it lasts; None if not."""
    levels = [window.level for window in windows]
    severity = persistent_severity(levels)
    if severity is None:
        return None
    last = next(window for window in reversed(windows) if window.level)
    more = last.times > 1
    count = sum(level > 0 for level in levels)
    message = (
        f"{format_percent(last.share, 2)} of the rows of {last.name} are called anomalies ({format_percent(last.low, 2)} to "
        f"{format_percent(last.high, 2)}), {format_percent(last.expected, 2)} were expected; so in {count} of "
        f"{len(levels)} windows."
    )
    why = (
        "Whoever looks at flagged rows has more to look at, and rows of a new kind hide those that are strange."
        if more
        else "Strange rows may pass as usual: a column that lost its spread makes every row look alike."
    )
    action = (
        "Look at the rows flagged last: if they are of one kind, something has changed; else the threshold is old."
        if more
        else "See which columns moved or broke first."
    )
    evidence = {"share": last.share, "expected": last.expected, "times": last.times}
    return Finding("drift-flagged", severity, "share flagged", message, why, action, evidence, "M2")
