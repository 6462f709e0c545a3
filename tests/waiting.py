"""Patience with what happens in other processes and threads."""

import time
from collections.abc import Callable

__all__ = ["comes_true"]


def comes_true(question: Callable[[], object], patience_s: float, *, pause_s: float = 0.05) -> bool:
    """Whether something is so within so many seconds; it is asked again after each pause."""
    end = time.monotonic() + patience_s
    while not question():
        if time.monotonic() >= end:
            return False
        time.sleep(pause_s)
    return True
