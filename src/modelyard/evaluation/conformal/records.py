"""What is known about the intervals or sets."""

import dataclasses
import math

from modelyard.conformal import ConformalRule
from modelyard.core import Record

__all__ = ["RegionCoverage", "Regions"]

_TWO_POINTS = 0.02


@dataclasses.dataclass(frozen=True)
class RegionCoverage(Record):
    """In which share of some rows the interval, or set, held the truth.

    Parameters
    ----------
    column, value
        The segment; both empty for all rows, and ``column`` empty for the rows of a true class.
    rows
        Their number.
    covered, low, high
        The share with its interval: of all rows and of classes on its own, of segments together with the others
        (Bonferroni).
    size
        Mean width of the intervals, or mean number of classes in a set.
    note
        A caveat, such as "small: 23 rows"; empty if there is none.
    """

    column: str
    value: str
    rows: int
    covered: float
    low: float
    high: float
    size: float
    note: str = ""

    @property
    def name(self) -> str:
        """Such as "plan is basic"; the class itself for a class, and "all rows"."""
        return f"{self.column} is {self.value}" if self.column else self.value or "all rows"


@dataclasses.dataclass(frozen=True)
class Regions(Record):
    """The intervals or sets of a run, and how far their promise was kept.

    Parameters
    ----------
    coverage
        The share that was asked for.
    rule
        What the package answers by; None if there were too few rows.
    reason
        On which rows it was calibrated and what it promises, or why there is none; a sentence or two.
    units
        Rows, or groups, that it was calibrated on.
    part
        The rows that it was measured on.
    in_sample
        True if these are the rows it was calibrated on: the whole is right by construction then, its parts need not be.
    overall
        All rows; None without a rule.
    classes, segments
        The rows of each true class, and of each segment.
    sizes
        By number of classes in the set: the share of the rows. Empty for intervals.
    """

    coverage: float
    rule: ConformalRule | None
    reason: str
    units: int = 0
    part: str = ""
    in_sample: bool = False
    overall: RegionCoverage | None = None
    classes: tuple[RegionCoverage, ...] = ()
    segments: tuple[RegionCoverage, ...] = ()
    sizes: tuple[float, ...] = ()

    @property
    def sentence(self) -> str:
        """How far the promise was kept on rows other than those of calibration; empty if that is not known."""
        if self.overall is None or self.in_sample:
            return ""
        what, whole = "Sets of classes" if self.sizes else "Intervals", self.overall
        return (
            f"{what} meant for {100 * self.coverage:.3g} % of the cases held the truth in {100 * whole.covered:.1f} % of "
            f"{whole.rows:,} {self.part} rows ({100 * whole.low:.1f} to {100 * whole.high:.1f} %)."
        )

    @property
    def is_short(self) -> bool:
        """True if all rows are covered less than was asked for, beyond the noise of both sets of rows."""
        return self.overall is not None and not self.in_sample and self.overall.high < self._least

    @property
    def _least(self) -> float:
        """What was asked for, less a standard deviation of the chance in the rows of calibration."""
        return self.coverage - math.sqrt(self.coverage * (1 - self.coverage) / max(self.units, 1))

    @property
    def short(self) -> tuple[RegionCoverage, ...]:
        """Classes and segments that are covered less than was asked for: beyond noise, and by two points at least."""
        return tuple(
            part
            for part in (*self.classes, *self.segments)
            if not part.note and part.high < self._least and part.covered < self.coverage - _TWO_POINTS
        )
