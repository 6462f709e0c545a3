"""Windows: the prediction log cut by time, by number or by batch, with small pieces merged until there is enough to judge."""

import dataclasses
import datetime as dt
import zoneinfo
from collections.abc import Sequence
from typing import Literal

import polars as pl

from modelyard.core import DataError, Record

__all__ = ["Length", "Window", "WindowFacts", "before_moment", "cut_windows", "moments", "period_starts"]

Length = Literal["batch", "hour", "day", "week", "month"] | int

_TRUNCATE = {"hour": "1h", "day": "1d", "week": "1w", "month": "1mo"}
_FORMAT = {
    "hour": "%Y-%m-%d %H:00",
    "day": "%Y-%m-%d",
    "week": "week of %Y-%m-%d",
    "month": "%Y-%m",
    "batch": "%Y-%m-%d %H:%M",
}
_BATCH = "_batch"


@dataclasses.dataclass(frozen=True)
class WindowFacts(Record):
    """What a window is.

    Parameters
    ----------
    name
        For people, and different for each window: "2026-11-21", "2026-11-19 to 2026-11-21" if days were merged, or
        "2026-11-21 10:47, batch 3"; in the time zone of the plan.
    start, end
        Moments of its first and its last row, in UTC.
    rows
        Rows in it.
    merged
        How many periods it holds; more than one where a period alone had too few rows.
    judged
        False for the last window while it still waits for rows.
    """

    name: str
    start: dt.datetime
    end: dt.datetime
    rows: int
    merged: int
    judged: bool


@dataclasses.dataclass(frozen=True)
class Window:
    """A window with its rows."""

    facts: WindowFacts
    frame: pl.DataFrame


def cut_windows(
    predictions: pl.DataFrame, length: Length, *, min_rows: int, zone: str = "UTC", batch: str | None = None
) -> tuple[Window, ...]:
    """Cut rows into windows in the order of time.

    Parameters
    ----------
    predictions
        Rows with a column ``at``; a moment without a zone is taken as UTC.
    length
        The period of a window, or its number of rows. A ``batch`` is the rows with one and the same moment, or value of
        ``batch``.
    min_rows
        A period with fewer rows is merged with the next ones until there are that many. Rows left at the end wait:
        their window is not judged.
    zone
        Whose hours, days, weeks and months; a day of a change of clocks has 23 or 25 hours.
    batch
        Column that names the batch, here or as a feature of the log; batches stand in the order of their first row.

    Raises
    ------
    DataError
        If ``at`` is missing, holds nulls, or is no time; if there is no such column of batches.
    """
    if predictions.is_empty():
        return ()
    frame = predictions.with_columns(at=moments(predictions)).sort("at", maintain_order=True)
    if batch is not None:
        frame = _by_batch(frame, batch)
    fewest = max(length, min_rows) if isinstance(length, int) else min_rows
    keys = _keys(frame, length, zone) if batch is None else frame[_BATCH]
    runs = keys.rle().struct.unnest()
    lengths, values = runs["len"].to_list(), runs["value"]
    windows: list[Window] = []
    for first, last, begin, rows in _merged_runs(lengths, fewest):
        part = frame.slice(begin, rows).drop(_BATCH, strict=False)
        name = _name((values[first], values[last]), length, zone, len(windows) + 1)
        at = part["at"] if batch is None else part["at"].sort()
        facts = WindowFacts(name, at[0], at[-1], rows, last - first + 1, judged=rows >= fewest)
        windows.append(Window(facts, part))
    return tuple(windows)


def period_starts(at: pl.Series, length: Length, zone: str) -> pl.Series:
    """The begin of each moment's hour, day, week or month in a zone, in UTC; the moments themselves for other windows."""
    if length not in _TRUNCATE:
        return at
    return at.dt.convert_time_zone(zone).dt.truncate(_TRUNCATE[length]).dt.convert_time_zone("UTC")


def before_moment(predictions: pl.DataFrame, now: dt.datetime | None, slack: dt.timedelta) -> tuple[pl.DataFrame, int]:
    """The rows that are not more than ``slack`` ahead of ``now``, and how many are: some clock is wrong."""
    if now is None or predictions.is_empty():
        return predictions, 0
    kept = predictions.filter(moments(predictions) <= now + slack)
    return kept, predictions.height - kept.height


def _keys(frame: pl.DataFrame, length: Length, zone: str) -> pl.Series:
    """What rows of one piece share; pieces of a number of rows are told apart by their first moment."""
    if isinstance(length, int):
        return pl.int_range(frame.height, eager=True) // length
    return period_starts(frame["at"], length, zone)


def _by_batch(frame: pl.DataFrame, batch: str) -> pl.DataFrame:
    """The rows batch by batch, in the order of each batch's first moment, with its name in a column of its own."""
    column = next((name for name in (f"feature.{batch}", batch) if name in frame.columns), None)
    if column is None:
        raise DataError(
            "the log has no such column of batches",
            where="monitoring.batch",
            got=repr(batch),
            cure="Name a feature that is logged, or a column of the table",
        )
    named = frame.with_columns(pl.col(column).cast(pl.String).fill_null("no batch").alias(_BATCH))
    return (
        named.with_columns(_first=pl.col("at").min().over(_BATCH))
        .sort("_first", _BATCH, "at", maintain_order=True)
        .drop("_first")
    )


def _merged_runs(lengths: Sequence[int], fewest: int) -> list[tuple[int, int, int, int]]:
    """First and last run, begin and rows of each window."""
    found: list[tuple[int, int, int, int]] = []
    first = begin = rows = 0
    for position, count in enumerate(lengths):
        rows += count
        if rows >= fewest or position == len(lengths) - 1:
            found.append((first, position, begin, rows))
            first, begin, rows = position + 1, begin + rows, 0
    return found


def _name(keys: tuple[object, object], length: Length, zone: str, number: int) -> str:
    """A window's name, different for each window."""
    if isinstance(length, int):
        return f"rows {int(str(keys[0])) * length + 1:,} to {(int(str(keys[1])) + 1) * length:,}"
    if not isinstance(keys[0], dt.datetime) or not isinstance(keys[1], dt.datetime):
        return f"batch {keys[0]}" if keys[0] == keys[1] else f"batches {keys[0]} to {keys[1]}"
    local = zoneinfo.ZoneInfo(zone)
    first, last = (key.astimezone(local).strftime(_FORMAT[length]) for key in keys if isinstance(key, dt.datetime))
    if length == "batch":  # many batches may share a minute, and windows are told apart by name
        return f"{first}, batch {number}"
    return first if first == last else f"{first} to {last.removeprefix('week of ')}"


def moments(predictions: pl.DataFrame) -> pl.Series:
    """The column ``at`` in UTC."""
    if "at" not in predictions.columns:
        raise DataError(
            "the predictions have no column 'at'",
            where="prediction log",
            got=", ".join(predictions.columns[:10]),
            cure="Give each row the moment of its prediction in a column called 'at'",
        )
    raw = predictions["at"]
    if raw.dtype == pl.String:
        raw = raw.str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    if not isinstance(raw.dtype, pl.Datetime | pl.Date):
        raise DataError(
            "the column 'at' holds no times",
            where="prediction log",
            got=str(raw.dtype),
            cure="Write ISO 8601 moments, such as 2026-11-21T09:30:00Z",
        )
    found = raw.cast(pl.Datetime("us")) if raw.dtype == pl.Date else raw.dt.cast_time_unit("us")
    zone = getattr(found.dtype, "time_zone", None)
    found = found.dt.replace_time_zone("UTC") if zone is None else found.dt.convert_time_zone("UTC")
    if found.null_count():
        raise DataError(
            "some predictions have no readable moment in 'at'",
            where="prediction log",
            got=f"{found.null_count()} of {len(found)} rows",
            cure="Write ISO 8601 moments, such as 2026-11-21T09:30:00Z, in every row",
        )
    return found
