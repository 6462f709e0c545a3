"""Rows by period against the periods before: a source that dries up, doubles, or has stopped."""

import dataclasses
import datetime as dt
import math
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from modelyard.core import Finding, Record, Severity
from modelyard.monitoring.flow.persistence import persistent_severity
from modelyard.monitoring.state import WindowState
from modelyard.monitoring.windows import Length, moments, period_starts
from modelyard.report import format_number

__all__ = ["Volume", "volume_findings", "volumes"]

_STEPS: Mapping[Length, str] = {"hour": "1h", "day": "1d", "week": "1w", "month": "1mo"}
_SEASON: Mapping[Length, int] = {"hour": 24 * 7, "day": 7}
"""Periods after which the same kind of period returns."""

_MOST_BEFORE = 60
_MOST_PERIODS = 90
_FEWEST_BEFORE = 8
_FEWEST_ALIKE = 4
_DEVIATIONS = 5.0
_SMALLEST_SPREAD = 0.1
_HALF, _FIVEFOLD = math.log(2.0), math.log(5.0)


@dataclasses.dataclass(frozen=True)
class Volume(Record):
    """Rows of one period, and what was usual before it.

    Parameters
    ----------
    start
        Begin of the period, in UTC.
    rows
        Answers in it; 0 is a figure too.
    usual
        Median of the periods before that are like it: the same weekday, or hour of the week, where there are four of them.
        None with fewer than eight periods before.
    level
        0 usual; 1 fewer than half or more than twice the usual, and five deviations away; 3 the same for five times.
    """

    start: dt.datetime
    rows: int
    usual: float | None
    level: int


def volumes(
    frame: pl.DataFrame,
    length: Length,
    *,
    zone: str = "UTC",
    now: dt.datetime | None = None,
    history: Sequence[WindowState] = (),
) -> tuple[Volume, ...]:
    """Rows of each period that is over, empty ones too, the last 90.

    Parameters
    ----------
    frame
        Rows with their moments in ``at``.
    length
        Windows by number or batch have no volume: the answer is empty.
    now
        Periods go on until now, so that a log that stopped shows. None: until the last row's period, which is not over.
    history
        Stored hours; those before the log's first row are counted too.
    """
    if length not in _STEPS or frame.is_empty():
        return ()
    at = moments(frame)
    first = at.min()
    old = [hour for hour in history if isinstance(first, dt.datetime) and hour.last < first]
    starts = pl.concat([pl.Series([hour.start for hour in old], dtype=at.dtype), at]).alias("start")
    weights = pl.Series("rows", [*(hour.rows for hour in old), *[1] * len(at)], dtype=pl.Int64)
    counted = pl.DataFrame([period_starts(starts, length, zone), weights]).group_by("start").sum()
    end = period_starts(pl.Series([now or at.max()], dtype=at.dtype), length, zone)
    begin = counted["start"].min()
    calendar = pl.datetime_range(
        pl.lit(begin).dt.convert_time_zone(zone),
        pl.lit(end[0]).dt.convert_time_zone(zone),
        _STEPS[length],
        closed="left",
        eager=False,
    ).dt.convert_time_zone("UTC")
    table = pl.select(start=calendar).join(counted, on="start", how="left", maintain_order="left").fill_null(0)
    rows = table["rows"].to_list()
    begun = max(len(rows) - _MOST_PERIODS, 0)
    return tuple(_volume(table["start"][place], rows, place, length) for place in range(begun, len(rows)))


def _volume(start: dt.datetime, rows: Sequence[int], place: int, length: Length) -> Volume:
    before = rows[max(place - _MOST_BEFORE * (_SEASON.get(length, 1) if length == "hour" else 1), 0) : place]
    if len(before) < _FEWEST_BEFORE:
        return Volume(start, rows[place], None, 0)
    season = _SEASON.get(length)
    alike = before[-season::-season] if season else []
    logs = np.log1p(np.asarray(alike if len(alike) >= _FEWEST_ALIKE else before[-_MOST_BEFORE:], dtype=np.float64))
    usual = float(np.median(logs))
    spread = max(1.4826 * float(np.median(np.abs(logs - usual))), _SMALLEST_SPREAD)
    away = abs(math.log1p(rows[place]) - usual)
    level = 0
    if away > _DEVIATIONS * spread and away > _HALF:
        level = 3 if away > _FIVEFOLD else 1
    return Volume(start, rows[place], math.expm1(usual), level)


def volume_findings(found: Sequence[Volume]) -> list[Finding]:
    """A finding if the number of rows left the usual, by its persistence in the last periods."""
    severity = persistent_severity([volume.level for volume in found])
    if severity is None:
        return []
    last = next(volume for volume in reversed(found) if volume.level)
    usual = format_number(last.usual)
    message = f"{last.rows:,} rows came in the period from {last.start:%Y-%m-%d %H:%M} UTC; {usual} are usual."
    silent = _silent(found)
    if silent > 1:
        message += f" Nothing has come for {silent} periods."
    why = "Rows that do not come are not answered; twice as many may be the same rows sent twice."
    action = "Ask whoever sends them; look whether the service and its log are up."
    evidence = {"rows": last.rows, "usual": last.usual, "silent_periods": silent}
    return [Finding("volume", Severity(severity), "rows", message, why, action, evidence, "M1")]


def _silent(found: Sequence[Volume]) -> int:
    """Periods at the end without a row."""
    count = 0
    for volume in reversed(found):
        if volume.rows:
            break
        count += 1
    return count
