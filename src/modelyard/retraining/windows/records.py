"""A window on the past, and the choice of one with its figures."""

import dataclasses
import enum
from typing import Self

from modelyard.core import Record
from modelyard.problem import Problem
from modelyard.problem.duration import seconds_of
from modelyard.problem.sections.retraining import SlidingWindow, WeightedWindow

__all__ = ["WindowChoice", "WindowKind", "WindowPolicy", "WindowTrial", "WindowedSplit", "span_words"]

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


class WindowKind(enum.StrEnum):
    """Simple first: of two that are equally good the first is taken."""

    EXPANDING = "expanding"
    SLIDING = "sliding"
    WEIGHTED = "weighted"

    @property
    def rank(self) -> int:
        """0 for the simplest."""
        return list(WindowKind).index(self)


@dataclasses.dataclass(frozen=True)
class WindowPolicy(Record):
    """Which known rows train, and how much they count.

    Parameters
    ----------
    kind
        See :class:`WindowKind`.
    span_s, rows
        Its length, one of the two: seconds or rows that a sliding window reaches back, or after which a row counts half.
        None for an expanding window.
    """

    kind: WindowKind = WindowKind.EXPANDING
    span_s: float | None = None
    rows: int | None = None

    @classmethod
    def declared(cls, problem: Problem) -> Self | None:
        """What the project file asks for; None if it leaves the choice to a backtest."""
        return cls.asked(problem.retraining.window)

    @classmethod
    def asked(cls, asked: SlidingWindow | WeightedWindow | str) -> Self | None:
        """A window as a file says it; None for ``auto``."""
        if isinstance(asked, SlidingWindow):
            return cls._of(WindowKind.SLIDING, asked.sliding)
        if isinstance(asked, WeightedWindow):
            return cls._of(WindowKind.WEIGHTED, asked.weighted)
        return cls() if asked == "expanding" else None

    @classmethod
    def _of(cls, kind: WindowKind, length: str | int) -> Self:
        return cls(kind, rows=length) if isinstance(length, int) else cls(kind, span_s=seconds_of(length))

    @property
    def length(self) -> float:
        """Seconds or rows; infinite for an expanding window."""
        return float(self.rows or self.span_s or "inf")

    @property
    def words(self) -> str:
        """For people.

        >>> WindowPolicy(WindowKind.SLIDING, span_s=90 * 86400.0).words
        'the last 90 days'
        >>> WindowPolicy(WindowKind.WEIGHTED, rows=5000).words
        'all rows, half the weight after 5,000 rows'
        """
        if self.kind is WindowKind.EXPANDING:
            return "all rows"
        length = f"{self.rows:,} rows" if self.rows else span_words(self.span_s or 0.0)
        return f"the last {length}" if self.kind is WindowKind.SLIDING else f"all rows, half the weight after {length}"


def span_words(span_s: float) -> str:
    """A span in the largest unit in which it is whole.

    >>> span_words(7 * 86_400), span_words(36 * 3_600), span_words(60)
    ('7 days', '36 hours', '1 minute')
    """
    name, size = next((unit for unit in _UNITS if span_s % unit[1] == 0), _UNITS[-1])
    count = span_s / size
    return f"{count:,.0f} {name}" + ("" if count == 1 else "s")


@dataclasses.dataclass(frozen=True)
class WindowTrial(Record):
    """How one window did in the backtest.

    Parameters
    ----------
    policy
        The window.
    mean
        The primary metric, over blocks.
    behind, behind_error
        What it lost against the best, over the same blocks, and the standard error of that; positive is worse.
    rows
        Rows that it fitted on a block, on average.
    by_block
        The metric in each block, in the order of time.
    left_out
        Why it was not tried to the end; ``""`` if it was. The figures are None then.
    """

    policy: WindowPolicy
    mean: float | None
    behind: float | None
    behind_error: float | None
    rows: int
    by_block: tuple[float, ...]
    left_out: str = ""


@dataclasses.dataclass(frozen=True)
class WindowChoice(Record):
    """The window that a challenger learns from.

    Parameters
    ----------
    policy
        The window.
    reason
        Why this one, in one sentence with its numbers.
    metric
        By which it was chosen.
    trials
        All windows that were tried, simple ones first; empty if there was nothing to choose.
    family
        With whose configuration they were tried.
    seconds
        That the backtest took.
    """

    policy: WindowPolicy
    reason: str
    metric: str = ""
    trials: tuple[WindowTrial, ...] = ()
    family: str = ""
    seconds: float = 0.0

    @property
    def cuts(self) -> bool:
        """True if some known rows are left out or count less."""
        return self.policy.kind is not WindowKind.EXPANDING


@dataclasses.dataclass(frozen=True)
class WindowedSplit(Record):
    """What was put on which split; kept beside the split that came of it."""

    whole: str
    policy: WindowPolicy
