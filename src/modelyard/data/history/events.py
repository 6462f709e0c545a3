"""Features from an event table as of each row's prediction time: nothing that happened at that moment or later is used."""

from collections.abc import Iterator

import polars as pl

from modelyard.core import DataError
from modelyard.data.history.moments import moments_of, require_columns
from modelyard.problem import EventTable

__all__ = ["join_events"]

_ROW, _ENTITY, _AT = "__row", "__entity", "__at"
_DAY_US = 86_400_000_000


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
    require_columns(rows, (plan.row_entity or plan.entity, moment), "the main table", "data.events")
    require_columns(events, (plan.entity, plan.time, *plan.values), f"the event table {name!r}", "data.events")
    asked = rows.select(
        pl.int_range(pl.len()).alias(_ROW),
        pl.col(plan.row_entity or plan.entity).cast(pl.String).alias(_ENTITY),
        moments_of(rows, moment, "the main table").alias(_AT),
    )
    happened = events.select(
        pl.col(plan.entity).cast(pl.String).alias(_ENTITY),
        moments_of(events, plan.time, f"the event table {name!r}").alias(_AT),
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
