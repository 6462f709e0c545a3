"""What is told of forecasts beside what came."""

import dataclasses
import datetime as dt

from modelyard.core import Record

__all__ = ["ForecastWindow"]


@dataclasses.dataclass(frozen=True)
class ForecastWindow(Record):
    """The horizons of one window, all of whose moments have passed.

    Parameters
    ----------
    name, start, end
        The window; its moments are the first that each horizon tells.
    horizons, series, values
        Horizons of single series, how many series they tell, and steps with a value.
    bias, bias_low, bias_high
        The mean of forecast less value, in naive changes of the series (what the naive answer misses on average), and its
        95 % interval: above 0 where too much is told. None if no series has such a change.
    coverage, coverage_low, coverage_high, nominal
        The share of values inside the intervals, its 95 % interval, and the share that they are to hold.
    is_biased, is_narrow
        True if the whole interval of the bias is beyond a quarter of a naive change; if that of the coverage is more than
        0.05 below the nominal share. Both False in a window that still waits for horizons.
    """

    name: str
    start: dt.datetime
    end: dt.datetime
    horizons: int
    series: int
    values: int
    bias: float | None
    bias_low: float | None
    bias_high: float | None
    coverage: float
    coverage_low: float
    coverage_high: float
    nominal: float
    is_biased: bool
    is_narrow: bool
