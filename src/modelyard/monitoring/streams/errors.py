"""The stream of a model's errors, in the order in which labels came."""

import dataclasses
import datetime as dt
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Finding, Record, Severity
from modelyard.data.schema import category_text
from modelyard.monitoring.streams.adwin import Adwin
from modelyard.problem import Task
from modelyard.report import format_number, format_percent

__all__ = ["ErrorStream", "StreamChange", "error_stream", "stream_findings"]

_FIRST = 300
_LARGE = 0.95


@dataclasses.dataclass(frozen=True)
class StreamChange(Record):
    """A moment at which the rate of errors changed.

    Parameters
    ----------
    row, at
        Label number, from 1, and the moment of its prediction.
    before, after
        The rate before and since, as far as it was known at that label.
    """

    row: int
    at: dt.datetime
    before: float
    after: float


@dataclasses.dataclass(frozen=True)
class ErrorStream(Record):
    """The errors of all labelled rows.

    Parameters
    ----------
    rows
        Labels that came.
    unit
        Above what size an error counts; None for classes, where a wrong label does.
    rate, since
        The rate of errors since the last change, and the number of labels since.
    changes
        In their order.
    """

    rows: int
    unit: float | None
    rate: float
    since: int
    changes: tuple[StreamChange, ...]


def error_stream(joined: pl.DataFrame, task: Task) -> ErrorStream | None:
    """Watch the errors of labelled rows by ADWIN; None without a labelled row.

    Parameters
    ----------
    joined
        Rows with ``truth``, ``label`` or ``score``, and ``at``, in the order in which their labels came.
    task
        For regression an error counts if it is larger than 19 of 20 of the first 300; with fewer there is no answer.
    """
    found = _numbers_wrong(joined) if task is Task.REGRESSION else _labels_wrong(joined)
    if found is None or len(found[0]) == 0:
        return None
    wrong, at, unit = found
    stream = Adwin()
    changes: list[StreamChange] = []
    before = 0.0
    for row, value in enumerate(wrong.tolist(), start=1):
        if stream.update(value):
            changes.append(StreamChange(row, at[row - 1], before, stream.mean))
        before = stream.mean
    return ErrorStream(len(wrong), unit, stream.mean, stream.width, tuple(changes))


def stream_findings(stream: ErrorStream | None) -> list[Finding]:
    """A warning if the rate of errors rose at the last change."""
    if stream is None or not stream.changes:
        return []
    last = stream.changes[-1]
    if stream.rate <= last.before:
        return []
    what = "answers are wrong" if stream.unit is None else f"errors are above {format_number(stream.unit)}"
    message = (
        f"{format_percent(stream.rate)} of the {what} in the last {stream.since:,} labels; "
        f"{format_percent(last.before)} before {last.at:%Y-%m-%d %H:%M} UTC."
    )
    why = "Errors are watched one by one as labels arrive, so a change shows before a window is full."
    action = "See what the performance of the next window says, and read the likely cause."
    evidence = {"rate": stream.rate, "before": last.before, "labels_since": stream.since}
    return [Finding("error-rate-rose", Severity.WARNING, "errors", message, why, action, evidence, "M1")]


_Wrong = tuple[npt.NDArray[np.float64], Sequence[dt.datetime], float | None]


def _labels_wrong(joined: pl.DataFrame) -> _Wrong | None:
    if "label" not in joined.columns:
        return None
    rows = joined.select(
        "at", wrong=(category_text(joined["label"]) != category_text(joined["truth"])).cast(pl.Float64)
    ).drop_nulls()
    return rows["wrong"].to_numpy(), rows["at"].to_list(), None


def _numbers_wrong(joined: pl.DataFrame) -> _Wrong | None:
    size = (joined["truth"].cast(pl.Float64, strict=False) - joined["score"].cast(pl.Float64, strict=False)).abs()
    rows = joined.select("at", size=size).drop_nulls().filter(pl.col("size").is_finite())
    if rows.height < _FIRST:
        return None
    sizes = rows["size"].to_numpy()
    unit = float(np.quantile(sizes[:_FIRST], _LARGE))
    return (sizes > unit).astype(np.float64), rows["at"].to_list(), unit
