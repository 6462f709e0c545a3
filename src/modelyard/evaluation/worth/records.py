"""The profit curve as data."""

import dataclasses

from modelyard.core import Record

__all__ = ["BreakEven", "ProfitCurve"]


@dataclasses.dataclass(frozen=True)
class BreakEven(Record):
    """The price at which the gain is gone, all else as declared.

    Parameters
    ----------
    price
        Key under ``costs``.
    declared, limit
        What it is, and what it would have to be.
    """

    price: str
    declared: float
    limit: float


@dataclasses.dataclass(frozen=True)
class ProfitCurve(Record):
    """What acting from each threshold on is worth, against acting on nobody.

    Parameters
    ----------
    currency, unit
        Of the amounts: ``a year``, or ``per 1,000 cases`` if no volume is declared.
    part
        The rows it was drawn on.
    thresholds, shares
        From which score on, and the share of the rows that are acted on then; thresholds rise.
    values, low, high
        Amounts, and their intervals, each on its own.
    chosen
        The threshold in use, which was not chosen on the test part.
    at_chosen
        The amount there.
    existing, existing_low, existing_high
        The same of today's decisions; None without an existing system.
    everybody
        The same of acting on everybody.
    pays_from, pays_to
        The range of thresholds around the chosen one in which more is gained than today; None if it gains nothing.
    break_even
        Prices at which the chosen threshold would gain nothing over today.
    """

    currency: str
    unit: str
    part: str
    thresholds: tuple[float, ...]
    shares: tuple[float, ...]
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    chosen: float
    at_chosen: float
    existing: float | None
    existing_low: float | None
    existing_high: float | None
    everybody: float
    pays_from: float | None
    pays_to: float | None
    break_even: tuple[BreakEven, ...]
