"""Windows: the prediction log cut by time, with small pieces merged until there is enough to judge."""

import dataclasses
import datetime as dt
from typing import Literal

import polars as pl

from modelyard.core import DataError, Record

__all__ = ["Length", "Window", "WindowFacts", "cut_windows", "moments"]

Length = Literal["batch", "hour", "day", "week"]

_TRUNCATE = {"hour": "1h", "day": "1d", "week": "1w"}
_FORMAT = {"hour": "%Y-%m-%d %H:00", "day": "%Y-%m-%d", "week": "week of %Y-%m-%d", "batch": "%Y-%m-%d %H:%M"}


@dataclasses.dataclass(frozen=True)
class WindowFacts(Record):
    """What a window is.

    Parameters
    ----------
    name
        For people, and different for each window: "2026-11-21", "2026-11-19 to 2026-11-21" if days were merged, or
        "2026-11-21 10:47, batch 3".
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


def cut_windows(predictions: pl.DataFrame, length: Length, *, min_rows: int) -> tuple[Window, ...]:
    """Cut rows into windows in the order of time.

    Parameters
    ----------
    predictions
        Rows with a column ``at``; a moment without a zone is taken as UTC.
    length
        The period of a window. A ``batch`` is the rows with one and the same moment.
    min_rows
        A period with fewer rows is merged with the next ones until there are that many. Rows left at the end wait:
        their window is not judged.

    Raises
    ------
    DataError
        If ``at`` is missing, holds nulls, or is no time.
    """
    if predictions.is_empty():
        return ()
    frame = predictions.with_columns(at=moments(predictions)).sort("at", maintain_order=True)
    keys = frame["at"] if length == "batch" else frame["at"].dt.truncate(_TRUNCATE[length])
    runs = keys.rle().struct.unnest()
    windows: list[Window] = []
    first = begin = rows = 0
    lengths = runs["len"].to_list()
    for position, count in enumerate(lengths):
        rows += count
        if rows >= min_rows or position == len(lengths) - 1:
            names = (runs["value"][first], runs["value"][position])
            part = frame.slice(begin, rows)
            facts = _facts(part, names, length, merged=position - first + 1, judged=rows >= min_rows)
            if length == "batch":  # many batches may share a minute, and windows are told apart by name
                facts = dataclasses.replace(facts, name=f"{facts.name}, batch {len(windows) + 1}")
            windows.append(Window(facts, part))
            first, begin, rows = position + 1, begin + rows, 0
    return tuple(windows)


def _facts(
    part: pl.DataFrame, keys: tuple[dt.datetime, dt.datetime], length: Length, *, merged: int, judged: bool
) -> WindowFacts:
    """The name and the extent of a window."""
    first, last = (key.strftime(_FORMAT[length]) for key in keys)
    if last.startswith("week of ") and first != last:
        last = last.removeprefix("week of ")
    name = first if first == last or length == "batch" else f"{first} to {last}"
    return WindowFacts(name, part["at"][0], part["at"][-1], part.height, merged, judged)


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
