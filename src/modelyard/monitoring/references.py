"""What a window is held against: training, the windows before it, or the same days 52 weeks ago."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.data.profile import FeatureReference, learnt_tolerance
from modelyard.monitoring.state import WindowState, merged
from modelyard.monitoring.state.counting import bins_digest
from modelyard.monitoring.windows import Length, WindowFacts, period_starts
from modelyard.problem.sections import WindowPlan

__all__ = ["References", "roll_up", "span_needed"]

Counts = npt.NDArray[np.int64]

_YEAR = dt.timedelta(weeks=52)
_FEWEST_WINDOWS = 4
_DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 31.0}
_MERGED = 3
"""Windows are sought that many times as far back as they would reach if none was merged."""


@dataclasses.dataclass(frozen=True)
class References:
    """Gives each window the reference that the plan names.

    Parameters
    ----------
    kind
        ``profile``: the package's training rows. ``trailing``: the windows before this one. ``last_year``: the hours of the
        window, 52 weeks ago, so that weekdays meet.
    trailing
        Windows before.
    min_rows
        A reference of fewer rows is none.
    past
        Windows that ended before the log begins, in the order of time: for ``trailing``; see :func:`roll_up`.
    history
        Stored hours, in the order of time: for ``last_year``.
    """

    kind: Literal["profile", "trailing", "last_year"]
    trailing: int
    min_rows: int
    past: Sequence[WindowState] = ()
    history: Sequence[WindowState] = ()

    def of(
        self, package: FeatureReference, column: str, window: WindowFacts, before: Sequence[Counts]
    ) -> FeatureReference | None:
        """The reference of one feature for one window; None if there is not enough to hold it against.

        Parameters
        ----------
        package
            The feature in the package's profile, whose bins stay.
        column
            The log's column that holds it.
        window
            The window that is judged.
        before
            Counts of the log's earlier windows over the same bins.

        Notes
        -----
        With 20 windows or more the tolerance is learnt from them, as it is from training; else the package's stays. Windows
        before a step are forgotten one by one, so a step alarms against a trailing reference until it is the usual.
        """
        if self.kind == "profile":
            return package
        if self.kind == "last_year":
            hours = [state for state in self.history if window.start - _YEAR <= state.last <= window.end - _YEAR]
            return self._enough(package, _counts(package, column, hours))
        table = [*_counts(package, column, self.past), *before][-self.trailing :]
        return self._enough(package, table) if len(table) >= _FEWEST_WINDOWS else None

    def _enough(self, package: FeatureReference, table: Sequence[Counts]) -> FeatureReference | None:
        total = np.sum(table, axis=0) if table else np.zeros(1, dtype=np.int64)
        if total.sum() < self.min_rows:
            return None
        tolerance = package.tolerance
        if self.kind == "trailing":
            tolerance = learnt_tolerance(np.stack(table), package.tolerance)
        return dataclasses.replace(package, counts=tuple(total.tolist()), tolerance=tolerance)


def span_needed(
    plan: WindowPlan, begin: dt.datetime, end: dt.datetime
) -> tuple[dt.datetime | None, dt.datetime] | None:
    """From when on, and before when, stored hours matter to a log from ``begin`` to ``end``; None if none do."""
    if plan.reference == "profile":
        return None
    if plan.reference == "last_year":
        return begin - _YEAR - dt.timedelta(hours=1), end - _YEAR + dt.timedelta(microseconds=1)
    if plan.window not in _DAYS:
        return None, begin
    return begin - _MERGED * plan.trailing * dt.timedelta(days=_DAYS[str(plan.window)]), begin


def roll_up(hours: Sequence[WindowState], length: Length, *, min_rows: int, zone: str) -> tuple[WindowState, ...]:
    """Stored hours as windows: exactly what the same rows would have given, except that batches are cut at hours.

    What is left at the end with fewer rows than a window needs is left out.
    """
    fewest = max(length, min_rows) if isinstance(length, int) else min_rows
    starts = pl.Series([hour.start for hour in hours], dtype=pl.Datetime("us", "UTC"))
    groups: dict[object, list[WindowState]] = {}
    for hour, period in zip(hours, period_starts(starts, length, zone), strict=True):
        groups.setdefault(period, []).append(hour)
    found: list[WindowState] = []
    waiting: list[WindowState] = []
    for group in groups.values():
        waiting += group
        if sum(state.rows for state in waiting) >= fewest:
            total = merged(waiting)
            found += [total] if total else []
            waiting = []
    return tuple(found)


def _counts(package: FeatureReference, column: str, states: Sequence[WindowState]) -> list[Counts]:
    """The feature's counts in each window that has it, over the package's bins."""
    digest = bins_digest(package)
    found = (state.feature(column) for state in states)
    return [np.asarray(one.counts, dtype=np.int64) for one in found if one is not None and one.bins == digest]
