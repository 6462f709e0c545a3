"""The primary metric by period."""

import dataclasses

from modelyard.core import Record

__all__ = ["Period", "Stability"]

_SURE = 0.05


@dataclasses.dataclass(frozen=True)
class Period(Record):
    """One period: its name, rows, the figure with its interval (None where undefined), and a caveat."""

    name: str
    rows: int
    score: float | None
    low: float | None
    high: float | None
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Stability(Record):
    """The figures of periods that follow one another.

    Parameters
    ----------
    column, unit
        The time column, and what a period is: ``day``, ``week``, ``month``, ``quarter``, ``year`` or ``part``.
    part, metric
        The rows, and what was measured.
    periods
        In order.
    trend, low, high
        Improvement from one period to the next (positive is better, whatever the direction of the metric), by a line
        through the periods; None if it cannot be told.
    p_value
        Two-sided, of no trend.
    """

    column: str
    unit: str
    part: str
    metric: str
    periods: tuple[Period, ...]
    trend: float | None
    low: float | None
    high: float | None
    p_value: float | None

    @property
    def direction(self) -> str:
        """``worse``, ``better``, or ``unclear`` where the trend may be chance."""
        if self.trend is None or self.p_value is None or self.p_value >= _SURE:
            return "unclear"
        return "better" if self.trend > 0 else "worse"
