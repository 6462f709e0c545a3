"""Exit codes by name; the errors of ``core.errors`` carry the same numbers."""

import enum

__all__ = ["ExitCode"]


class ExitCode(enum.IntEnum):
    """What the command's exit status means."""

    DONE = 0
    BROKEN = 1
    USAGE = 2
    REFUSED = 3
    WAITING = 4
    INCONCLUSIVE = 5
    INTERRUPTED = 130
