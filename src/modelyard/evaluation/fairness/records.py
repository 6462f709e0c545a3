"""What is measured between the groups of a protected column."""

import dataclasses

from modelyard.core import Record

__all__ = ["FairnessGap"]


@dataclasses.dataclass(frozen=True)
class FairnessGap(Record):
    """One measure of one protected column.

    Parameters
    ----------
    column, measure
        The column, and ``demographic parity`` (share called positive), ``equal opportunity`` (share of the real
        positives found) or ``equalised odds`` (the larger gap of found positives and of false alarms).
    rate
        The rate that the gap is of: ``selection``, ``true positive`` or ``false positive``.
    difference, low, high
        Highest minus lowest rate of the groups, and its bootstrap interval for these two groups.
    ratio, ratio_low, ratio_high
        Lowest over highest, likewise; None if the highest is 0. Four fifths is a rule of thumb of US law.
    p_value
        The chance of so large a gap if groups were dealt out at random.
    lowest, highest
        The two groups.
    groups, rows
        How many groups were large enough to be judged, and their rows.
    left_out
        Groups that were not: fewer than 50 rows, or fewer than 20 that the rate is of.
    """

    column: str
    measure: str
    rate: str
    difference: float
    low: float | None
    high: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    p_value: float
    lowest: str
    highest: str
    groups: int
    rows: int
    left_out: tuple[str, ...] = ()
