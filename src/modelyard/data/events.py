"""Features from an event table as of each row's prediction time: nothing that happened at that moment or later is used."""

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from modelyard.core import ConfigError, DataError
from modelyard.data.dtypes import parse_moments
from modelyard.data.read import located, read_table
from modelyard.problem import EventTable, Problem, did_you_mean

__all__ = ["event_joiner", "join_events", "with_events"]

_ROW, _ENTITY, _AT = "__row", "__entity", "__at"
_DAY_US = 86_400_000_000


def with_events(rows: pl.DataFrame, problem: Problem, root: Path) -> pl.DataFrame:
    """The rows with the features of all event tables that the project file declares; see :func:`event_joiner`."""
    return event_joiner(problem, root)(rows)


def event_joiner(problem: Problem, root: Path) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """What adds the features of all event tables that the project file declares; the tables are read once, now.

    Parameters
    ----------
    root
        The project's folder, from which the tables' paths count.

    Raises
    ------
    ConfigError
        If neither a prediction time nor a time is declared.
    DataError
        If an event table cannot be read; the function that is returned raises it if one cannot be joined.
    """
    moment = problem.data.prediction_time or problem.data.time
    tables = []
    for name, plan in problem.data.events.items():
        if moment is None:
            raise ConfigError(
                "event tables need to know when each prediction is asked for",
                where="data.events",
                got=repr(name),
                cure="Set data.prediction_time (or data.time) to the column that says it",
            )
        tables.append((name, plan, read_table(located(plan.source, root)), moment))

    def join(rows: pl.DataFrame) -> pl.DataFrame:
        for name, plan, events, at in tables:
            rows = join_events(rows, events, plan, name=name, moment=at)
        return rows

    return join


def join_events(rows: pl.DataFrame, events: pl.DataFrame, plan: EventTable, *, name: str, moment: str) -> pl.DataFrame:
    """Add what each row's entity had done before the row's moment.

    New columns: ``<name>.count``, ``<name>.recency_days`` and ``<name>.tenure_days`` over all earlier events (the last
    two missing if there is none); and for each window ``w``, the time before the moment, ``<name>.count_w`` and, for
    each value ``v``, ``<name>.sum_v_w`` (0 if there is none) and ``<name>.mean_v_w`` (missing if there is none).

    Parameters
    ----------
    rows, events
        The rows that are predicted, and what happened: at most one row an event.
    plan
        Columns of entity and time, windows and values.
    name
        Of the event table; begins the names of the new columns.
    moment
        Column of ``rows`` with the prediction time.

    Returns
    -------
    DataFrame
        The rows, in their order, with the new columns behind.

    Raises
    ------
    DataError
        If a column is absent, a moment is missing or no date, or a new column is there already.

    Notes
    -----
    An event at the very moment is not used: whether it was known is not known. Windows are half open, [t - w, t).
    """
    _require(rows, (plan.row_entity or plan.entity, moment), "the main table")
    _require(events, (plan.entity, plan.time, *plan.values), f"the event table {name!r}")
    asked = rows.select(
        pl.int_range(pl.len()).alias(_ROW),
        pl.col(plan.row_entity or plan.entity).cast(pl.String).alias(_ENTITY),
        _moments(rows, moment, "the main table").alias(_AT),
    )
    happened = events.select(
        pl.col(plan.entity).cast(pl.String).alias(_ENTITY),
        _moments(events, plan.time, f"the event table {name!r}").alias(_AT),
        *(_number(events, value, name) for value in plan.values),
    ).sort(_AT)
    found = _ever(asked, happened, name).join(_windows(asked, happened, plan, name), on=_ROW, maintain_order="left")
    new = found.sort(_ROW).drop(_ROW)
    if taken := [column for column in new.columns if column in rows.columns]:
        raise DataError(
            "the main table has a column that the event table would add",
            where=f"the event table {name!r}",
            got=repr(taken[0]),
            cure="Give the event table another name under data.events",
        )
    return rows.hstack(new)


def _ever(asked: pl.DataFrame, happened: pl.DataFrame, name: str) -> pl.DataFrame:
    """Count, recency and tenure over all events before the moment."""
    numbered = happened.select(
        _ENTITY,
        _AT,
        pl.int_range(1, pl.len() + 1).over(_ENTITY).alias("count"),
        pl.col(_AT).alias("last"),
        pl.col(_AT).min().over(_ENTITY).alias("first"),
    )
    known = asked.sort(_AT).join_asof(
        numbered, on=_AT, by=_ENTITY, strategy="backward", allow_exact_matches=False, check_sortedness=False
    )
    return known.select(
        _ROW,
        pl.col("count").fill_null(0).cast(pl.Int64).alias(f"{name}.count"),
        _days(pl.col(_AT) - pl.col("last")).alias(f"{name}.recency_days"),
        _days(pl.col(_AT) - pl.col("first")).alias(f"{name}.tenure_days"),
    )


def _windows(asked: pl.DataFrame, happened: pl.DataFrame, plan: EventTable, name: str) -> pl.DataFrame:
    """Counts, sums and means of the windows: rows and events in one line of time, rows with nothing to add."""
    line = pl.concat([happened.with_columns(pl.lit(1).alias("one")), asked], how="diagonal").sort(_ENTITY, _AT)
    return (
        line.with_columns(expression for window in plan.windows for expression in _window(window, plan, name))
        .filter(pl.col(_ROW).is_not_null())
        .select(_ROW, *(column for window in plan.windows for column in _names(window, plan, name)))
    )


def _window(window: str, plan: EventTable, name: str) -> Iterator[pl.Expr]:
    def rolled(column: str, how: str) -> pl.Expr:
        method = getattr(pl.col(column), f"rolling_{how}_by")
        expression: pl.Expr = method(_AT, window_size=window, closed="left").over(_ENTITY)
        return expression

    yield rolled("one", "sum").fill_null(0).cast(pl.Int64).alias(f"{name}.count_{window}")
    for value in plan.values:
        yield rolled(value, "sum").fill_null(0.0).alias(f"{name}.sum_{value}_{window}")
        yield rolled(value, "mean").alias(f"{name}.mean_{value}_{window}")


def _names(window: str, plan: EventTable, name: str) -> Iterator[str]:
    yield f"{name}.count_{window}"
    for value in plan.values:
        yield f"{name}.sum_{value}_{window}"
        yield f"{name}.mean_{value}_{window}"


def _days(duration: pl.Expr) -> pl.Expr:
    return duration.dt.total_microseconds() / _DAY_US


def _require(table: pl.DataFrame, columns: tuple[str, ...], where: str) -> None:
    for column in columns:
        if column not in table.columns:
            raise DataError(
                "a column that data.events names is not there",
                where=where,
                got=repr(column),
                cure=did_you_mean(column, table.columns),
            )


def _moments(table: pl.DataFrame, column: str, where: str) -> pl.Series:
    """A column as moments in microseconds, without a zone."""
    values = table[column]
    if values.dtype == pl.String:
        values = parse_moments(values)
    if not isinstance(values.dtype, pl.Date | pl.Datetime):
        raise DataError(
            "events are ordered by dates, and the column holds none",
            where=f"{where}, column {column!r}",
            got=str(values.dtype),
            cure="Write its values as ISO 8601: 2024-02-29",
        )
    if missing := values.null_count():
        raise DataError(
            f"the time is missing in {missing:,} of {len(values):,} rows",
            where=f"{where}, column {column!r}",
            cure="Fill it in, or leave those rows out at the source",
        )
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone:
        values = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return values.cast(pl.Datetime("us"))


def _number(events: pl.DataFrame, column: str, name: str) -> pl.Expr:
    """A value as a number; what is not finite is missing."""
    if not (events[column].dtype.is_numeric() or events[column].dtype == pl.Boolean):
        raise DataError(
            "a value of an event must be a number",
            where=f"the event table {name!r}, column {column!r}",
            got=str(events[column].dtype),
            cure="Leave it out under data.events, or make it a number at the source",
        )
    number = pl.col(column).cast(pl.Float64)
    return pl.when(number.is_finite()).then(number).alias(column)
