"""Time, passed in wherever it matters, so that tests and replays can set it."""

import datetime as dt
from collections.abc import Callable

__all__ = ["Clock", "system_clock"]

Clock = Callable[[], dt.datetime]
"""Gives the present moment as an aware datetime in UTC."""


def system_clock() -> dt.datetime:
    """The machine's clock, in UTC."""
    return dt.datetime.now(dt.UTC)
