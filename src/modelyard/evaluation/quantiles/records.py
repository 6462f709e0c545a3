"""What is known about the quantiles."""

import dataclasses
import math

from modelyard.conformal import QuantileRule, level_name
from modelyard.core import Record

__all__ = ["BelowShare", "LevelLoss", "Quantiles"]

_TWO_POINTS = 0.02


@dataclasses.dataclass(frozen=True)
class BelowShare(Record):
    """Which share of some rows has its true value at or below the quantile of a level; it should be that level.

    Parameters
    ----------
    column, value
        The segment; both empty for all rows.
    rows
        Their number.
    level
        The level of the quantile.
    below, low, high
        The share with its interval: of all levels, or of all segments and levels, together (Bonferroni). Rows that
        equal their quantile count for either side in the interval.
    note
        A caveat, such as "small: 23 rows"; empty if there is none.
    """

    column: str
    value: str
    rows: int
    level: float
    below: float
    low: float
    high: float
    note: str = ""

    @property
    def name(self) -> str:
        """Such as "plan is basic", and "all rows"."""
        return f"{self.column} is {self.value}" if self.column else "all rows"

    def strays(self, units: int) -> bool:
        """Whether the level is missed beyond the noise of these rows and of the ``units`` of calibration."""
        slack = math.sqrt(self.level * (1 - self.level) / max(units, 1))
        return self.high < self.level - slack or self.low > self.level + slack


@dataclasses.dataclass(frozen=True)
class LevelLoss(Record):
    """The pinball loss of the quantile at one level (Koenker and Bassett, 1978, "Regression quantiles").

    A truth above the quantile costs ``level`` times the distance, one below it ``1 - level`` times; at 0.5 that is half
    the absolute error. The right quantile has the smallest loss.

    Parameters
    ----------
    level
        The level.
    loss, low, high
        The mean over the rows with its interval; None where it is undefined.
    plain
        The loss of one value for all rows: the truth's own quantile on the rows of calibration.
    """

    level: float
    loss: float
    low: float | None
    high: float | None
    plain: float


@dataclasses.dataclass(frozen=True)
class Quantiles(Record):
    """The quantiles of a run, and how far they are right.

    Parameters
    ----------
    asked
        The levels of the project file.
    rule
        What the package answers by; None if there were too few rows for every level.
    reason
        On which rows it was calibrated and what it promises, and which levels it leaves out and why.
    units
        Rows, or groups, that it was calibrated on.
    plain
        The truth's own quantiles on these rows, one for each level of the rule.
    part
        The rows that it was measured on.
    in_sample
        True if these are the rows it was calibrated on: the whole is right by construction then, its parts need not be.
    overall, losses
        One for each level of the rule; empty without one.
    segments
        By segment, then level.
    """

    asked: tuple[float, ...]
    rule: QuantileRule | None
    reason: str
    units: int = 0
    plain: tuple[float, ...] = ()
    part: str = ""
    in_sample: bool = False
    overall: tuple[BelowShare, ...] = ()
    losses: tuple[LevelLoss, ...] = ()
    segments: tuple[BelowShare, ...] = ()

    @property
    def sentence(self) -> str:
        """How far they are right on rows other than those of calibration; empty if that is not known."""
        if not self.overall or self.in_sample:
            return ""
        held = ", ".join(f"{level_name(item.level)}: {100 * item.below:.1f} %" for item in self.overall)
        return f"Share of {self.overall[0].rows:,} {self.part} rows below the quantile at {held}."

    @property
    def off(self) -> tuple[BelowShare, ...]:
        """Levels that all rows miss, beyond the noise of both sets of rows."""
        return () if self.in_sample else tuple(item for item in self.overall if item.strays(self.units))

    @property
    def uneven(self) -> tuple[BelowShare, ...]:
        """Levels that a segment misses: beyond noise, and by two points at least; the furthest first."""
        missed = (
            item
            for item in self.segments
            if not item.note and item.strays(self.units) and abs(item.below - item.level) > _TWO_POINTS
        )
        return tuple(sorted(missed, key=lambda item: -abs(item.below - item.level)))
