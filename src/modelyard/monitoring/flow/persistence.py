"""Nobody is called for one odd window: what lasts matters more than what happened."""

from collections.abc import Sequence

from modelyard.core import Severity

__all__ = ["persistent_severity"]

_LAST = 3
_NEEDED = 2
_STRONG = 2


def persistent_severity(levels: Sequence[int]) -> Severity | None:
    """How much a signal matters, from its level (0 quiet to 3) in each judged window, oldest first.

    An error needs two strong alarms (level 2 or 3) in the last three windows; one strong alarm, or two weak ones, is a
    warning; one weak alarm, or any alarm before the last three windows, is a note. None if there was none.

    >>> persistent_severity([0, 3, 3]), persistent_severity([0, 0, 3]), persistent_severity([0, 0, 0])
    (<Severity.ERROR: 'error'>, <Severity.WARNING: 'warning'>, None)
    """
    recent = levels[-_LAST:]
    alarms = sum(level > 0 for level in recent)
    strong = sum(level >= _STRONG for level in recent)
    if strong >= _NEEDED:
        return Severity.ERROR
    if strong or alarms >= _NEEDED:
        return Severity.WARNING
    return Severity.INFO if any(levels) else None
