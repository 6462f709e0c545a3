"""How slowly a column moves: the longest it stood at one value, in the order of time."""

import dataclasses
import functools
import math
from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Record

__all__ = ["Pace", "TimeOrder"]

_MICROSECONDS = 1e6
_SECONDS_PER_DAY = 86_400.0


@dataclasses.dataclass(frozen=True)
class Pace(Record):
    """How long a column stood still before it changed.

    Parameters
    ----------
    changes
        How often its value differed from the one before; missing values are passed over.
    longest_rows
        Rows in the longest run of one value.
    longest_s
        Seconds from the first row of the run that lasted longest to the change; None if the time is no date.
    """

    changes: int
    longest_rows: int
    longest_s: float | None = None

    def chance(self, rows: float, span_s: float) -> float:
        """The chance that a run is as long as this one, in rows and in time.

        Parameters
        ----------
        rows, span_s
            The run's length. A span of 0 (a batch of one moment) says nothing, and rows decide alone.

        Notes
        -----
        If changes come at random, the next run is ``c`` times as long as the longest of ``k`` with the chance
        ``1/(1+c) · 2/(2+c) · … · k/(k+c)``, whatever their rate: the mean of ``exp(-c · M)`` over the largest ``M`` of ``k``
        exponential lengths. A column that changes by the calendar is more regular than that, so the chance is rather
        too large. The larger of the two chances is taken: neither more traffic nor a quiet night makes a column frozen.

        >>> monthly = Pace(changes=12, longest_rows=3_100, longest_s=31 * 86_400.0)
        >>> round(monthly.chance(3_000, 30 * 86_400.0), 3), round(monthly.chance(9_300, 93 * 86_400.0), 4)
        (0.083, 0.0022)
        """
        found = self._chance(rows / self.longest_rows) if self.longest_rows else 1.0
        if self.longest_s and span_s > 0:
            found = max(found, self._chance(span_s / self.longest_s))
        return found

    def _chance(self, times: float) -> float:
        runs = self.changes
        return math.exp(math.lgamma(runs + 1) + math.lgamma(times + 1) - math.lgamma(runs + times + 1))


@dataclasses.dataclass(frozen=True)
class TimeOrder:
    """Rows with a known moment in the order of time.

    Parameters
    ----------
    places
        Their positions in the table.
    seconds
        Their moments in that order; None if the time is a number or a text, whose unit nobody knows.
    """

    places: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.float64] | None

    @functools.cached_property
    def is_given(self) -> bool:
        """True if the table stands in that order already."""
        return bool((self.places[1:] > self.places[:-1]).all())

    @classmethod
    def of(cls, time: pl.Series) -> Self:
        """The order of a time column; rows without a moment are left out."""
        order = time.arg_sort(nulls_last=True)[: len(time) - time.null_count()].to_numpy().astype(np.int64)
        seconds = None
        if time.dtype == pl.Date:
            seconds = time.to_physical().cast(pl.Float64).to_numpy()[order] * _SECONDS_PER_DAY
        elif time.dtype == pl.Datetime:
            seconds = time.dt.epoch("us").cast(pl.Float64).to_numpy()[order] / _MICROSECONDS
        return cls(order, seconds)

    def pace(self, values: pl.Series) -> Pace:
        """How slowly ``values``, in the order of the table, moved."""
        ordered = values if self.is_given and len(values) == len(self.places) else values.gather(self.places)
        known = ordered.is_not_null()
        if ordered.dtype.is_float():
            known &= ordered.is_not_nan().fill_null(value=False)
        kept = ordered if known.all() else ordered.filter(known)
        if kept.is_empty():
            return Pace(0, 0)
        changed = np.flatnonzero((kept[1:] != kept[:-1]).to_numpy()) + 1
        ends = np.concatenate([[0], changed, [len(kept)]])
        longest = int(np.diff(ends).max())
        if self.seconds is None:
            return Pace(len(changed), longest)
        seconds = self.seconds[known.to_numpy()]
        moments = seconds[np.minimum(ends, len(kept) - 1)]
        return Pace(len(changed), longest, float(np.diff(moments).max()))
