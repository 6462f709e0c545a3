"""A table of the past, put in order and cut: what the first champion had, and the periods that came after."""

import dataclasses
import datetime as dt

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import ConfigError, DataError
from modelyard.data import Schema, conform, infer_schema, resolve
from modelyard.data.history.moments import moments_of
from modelyard.problem import Problem
from modelyard.training.target import class_names, encode_target

__all__ = ["Grid", "History", "Period", "history_of"]

Array = npt.NDArray[np.float64]

_FEWEST_FIRST = 200
_FEWEST_PERIODS = 2


@dataclasses.dataclass(frozen=True)
class Grid:
    """How the past is cut.

    Parameters
    ----------
    start
        Share of the rows that the first champion has, or the moment at which the replay begins.
    period_s
        Length of a period.
    label_delay_s
        How long after its row a label is known.
    """

    start: float | dt.datetime = 0.25
    period_s: float = 7 * 86_400.0
    label_delay_s: float = 0.0


@dataclasses.dataclass(frozen=True)
class Period:
    """Rows ``begin`` to ``end`` (positions), from ``start`` to just before ``until``."""

    begin: int
    end: int
    start: dt.datetime
    until: dt.datetime


@dataclasses.dataclass(frozen=True)
class History:
    """Labelled rows in the order of time.

    Parameters
    ----------
    problem
        Resolved.
    frame, schema
        The rows and their kinds, which are those of the first part.
    truth, classes
        The encoded target.
    moments
        When each row was; microseconds, without a zone.
    first
        How many rows the first champion has.
    periods
        What came after; periods without rows are left out.
    delay
        How long a label takes to come.
    """

    problem: Problem
    frame: pl.DataFrame
    schema: Schema
    truth: Array
    classes: tuple[str, ...]
    moments: pl.Series
    first: int
    periods: tuple[Period, ...]
    delay: dt.timedelta

    @property
    def rows_replayed(self) -> slice:
        """Positions of the rows that were scored."""
        return slice(self.first, len(self.truth))

    def known_at(self, moment: dt.datetime) -> int:
        """How many rows, from the first on, have a label by then."""
        return int((self.moments <= moment - self.delay).sum())


def history_of(table: pl.DataFrame, problem: Problem, grid: Grid) -> History:
    """The table as a history.

    Raises
    ------
    ConfigError
        If the problem names no time column.
    DataError
        If it holds no dates, the target is not there, or too little is left on either side of the start.
    """
    time = problem.data.time
    if time is None:
        raise ConfigError(
            "a replay needs a time column, since it walks through the past in its order",
            where="data.time",
            got="none",
            cure="Name the column with the moment of each row: --set data.time=COLUMN",
        )
    for name in (time, problem.data.target):
        if name not in table.columns:
            raise DataError(
                "the history lacks a column that the replay needs",
                where="--data",
                got=repr(name),
                cure="Export the table with its times and outcomes",
            )
    if table[time].dtype.is_numeric():
        raise DataError(
            "the time column holds numbers, and policies of retraining speak of days",
            where=f"column {time!r}",
            got=str(table[time].dtype),
            cure="Write its values as dates: 2024-02-29, or 2024-02-29 13:30",
        )
    known = table.filter(pl.col(problem.data.target).is_not_null())
    order = moments_of(known, time, "--data").arg_sort()
    frame = known[order]
    moments = moments_of(frame, time, "--data")
    begin = _begin(moments, grid)
    first = int((moments < begin).sum())
    periods = _periods(moments, begin, grid.period_s)
    _refuse_too_little(first, len(periods))
    schema = infer_schema(frame[:first], dict(problem.data.types))
    frame = conform(frame.select(schema.names), schema)
    problem = resolve(problem, frame[:first])
    classes = class_names(problem, frame[problem.data.target])
    truth = encode_target(frame[problem.data.target], problem.task, classes)
    delay = dt.timedelta(seconds=grid.label_delay_s)
    return History(problem, frame, schema, truth, classes, moments, first, periods, delay)


def _begin(moments: pl.Series, grid: Grid) -> dt.datetime:
    """The moment at which the replay begins."""
    if isinstance(grid.start, dt.datetime):
        return grid.start.astimezone(dt.UTC).replace(tzinfo=None) if grid.start.tzinfo else grid.start
    found: dt.datetime = moments[min(int(len(moments) * grid.start), len(moments) - 1)]
    return found


def _periods(moments: pl.Series, begin: dt.datetime, period_s: float) -> tuple[Period, ...]:
    """The rows from ``begin`` on, period by period."""
    length, last = dt.timedelta(seconds=period_s), moments[-1]
    periods, start = [], begin
    while start <= last:
        until = start + length
        low, high = int((moments < start).sum()), int((moments < until).sum())
        if high > low:
            periods.append(Period(low, high, start, until))
        start = until
    return tuple(periods)


def _refuse_too_little(first: int, periods: int) -> None:
    if first < _FEWEST_FIRST or periods < _FEWEST_PERIODS:
        raise DataError(
            "the history is too short for a replay",
            where="--data",
            got=f"{first:,} labelled rows before the start, and {periods} periods after it",
            cure=f"Give {_FEWEST_FIRST} rows or more for the first champion, and {_FEWEST_PERIODS} periods; "
            "see --start and --every",
        )
