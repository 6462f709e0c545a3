"""Lengths of time as the project file writes them: 7d, 12h, 1h30m."""

import re
from typing import Annotated

from pydantic import Field

__all__ = ["DURATION", "Duration", "is_duration", "seconds_of"]

DURATION = r"([1-9]\d*(d|h|m|s))+"
"""Pattern of a whole length of time."""

_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}

Duration = Annotated[str, Field(pattern=rf"^{DURATION}$")]


def is_duration(text: str) -> bool:
    """True for a length of time such as ``7d`` or ``1h30m``."""
    return re.fullmatch(DURATION, text) is not None


def seconds_of(duration: str) -> float:
    """A length of time in seconds.

    >>> seconds_of("1h30m")
    5400.0
    """
    return float(sum(int(count) * _SECONDS[unit] for count, unit in re.findall(r"(\d+)([dhms])", duration)))
