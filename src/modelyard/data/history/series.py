"""Lags and rolling windows of a series as of each row's time: nothing is used that was not known when it was asked for."""

from collections.abc import Iterator, Sequence

import polars as pl

from modelyard.core import DataError
from modelyard.data.history.moments import require_columns, ticks_of
from modelyard.problem import SeriesColumn, SeriesPlan, span_length

__all__ = ["join_series", "past_of"]

_ROW, _SERIES, _AT = "__row", "__series", "__at"
_TABLE, _PAST, _SECTION = "the main table", "the history of the series", "data.series"


def join_series(rows: pl.DataFrame, past: pl.DataFrame, plan: SeriesPlan, *, time: str, target: str) -> pl.DataFrame:
    """Add what was known of each row's series when its prediction was asked for.

    A row of time ``t`` sees a column's values of rows before ``t`` that were known by ``t``, each ``known_after`` its
    own row's time; of the target, those of rows at ``t - horizon`` or before. New columns: for each lag ``l``
    ``<column>.lag_l``, the newest value of ``t - l`` or before, and no older than ``t - 2l``; for each window ``w``
    ``<column>.mean_w`` and the like, over the time ``w`` that ends with the newest moment that may be seen. Each is
    missing if there is no value; a standard deviation (n - 1) needs two.

    Parameters
    ----------
    rows
        The rows that are predicted. They are no history of one another unless they are in ``past``.
    past
        The history, as :func:`past_of` gives it.
    plan
        Columns, lags, windows and the horizon.
    time, target
        Columns of the main table.

    Returns
    -------
    DataFrame
        The rows, in their order, with the new columns behind.

    Raises
    ------
    DataError
        If a column is absent or unfit, a time is missing, or a new column is there already.
    """
    require_columns(rows, (*(plan.by or ()), time), _TABLE, _SECTION)
    asked = _line(rows, plan, time, _TABLE).with_row_index(_ROW)
    found: list[pl.Series] = []
    for name, column in plan.columns.items():
        values = past.filter(pl.col(name).is_not_null()).select(_SERIES, _AT, pl.col(name).alias("value")).sort(_AT)
        newest = max(plan.known_after(name, target), 1)
        found += [_lagged(asked, values, span_length(lag)).alias(f"{name}.lag_{lag}") for lag in column.lags]
        if column.windows:
            found += _rolled(asked, _numbers(values, name), newest, name, column)
    if taken := [series.name for series in found if series.name in rows.columns]:
        raise DataError(
            "the main table has a column that data.series would add",
            where=_TABLE,
            got=repr(taken[0]),
            cure="Rename it at the source, or leave out that lag or window",
        )
    return rows.hstack(found)


def past_of(tables: Sequence[pl.DataFrame], plan: SeriesPlan, *, time: str) -> pl.DataFrame:
    """The history in one table: series, time and the columns of the plan; one row for each moment of a series.

    Parameters
    ----------
    tables
        Each may lack columns that another has. Where two know a value of one moment, the first counts.

    Raises
    ------
    DataError
        If a column is absent everywhere, a time is missing, or a series has two values of one moment in one table.
    """
    parts = []
    for table in tables:
        require_columns(table, (*(plan.by or ()), time), _PAST, _SECTION)
        part = _line(table, plan, time, _PAST).hstack(
            table.with_columns(_typed(name, table, tables) for name in plan.columns).select(list(plan.columns))
        )
        part = part.unique(maintain_order=True)
        _refuse_two_values(part, plan, time)
        parts.append(part)
    return (
        pl.concat(parts)
        .group_by(_SERIES, _AT, maintain_order=True)
        .agg(pl.col(name).drop_nulls().first() for name in plan.columns)
    )


def _typed(name: str, table: pl.DataFrame, tables: Sequence[pl.DataFrame]) -> pl.Expr:
    """A column in the type that it has in the first table that has it; what does not fit is missing."""
    types = [other[name].dtype for other in tables if name in other.columns and other[name].dtype != pl.Null]
    if not any(name in other.columns for other in tables):
        require_columns(table, (name,), _PAST, _SECTION)
    dtype = types[0] if types else pl.Null()
    return (pl.col(name) if name in table.columns else pl.lit(None)).cast(dtype, strict=False).alias(name)


def _line(table: pl.DataFrame, plan: SeriesPlan, time: str, where: str) -> pl.DataFrame:
    """Series and time of each row."""
    words = [pl.col(name).cast(pl.String).fill_null("\0") for name in plan.by or ()]
    named = table.select(pl.concat_str(words, separator="\x1f")) if words else None
    series = pl.repeat("", table.height, eager=True) if named is None else named.to_series()
    at = ticks_of(table, time, where, dates=isinstance(plan.horizon, str))
    return pl.DataFrame({_SERIES: series, _AT: at})


def _refuse_two_values(part: pl.DataFrame, plan: SeriesPlan, time: str) -> None:
    """A series has one value of a moment; else it is not known which rows belong together."""
    twice = part.select(_SERIES, _AT).is_duplicated()
    if twice.any():
        raise DataError(
            "a series has several rows of one moment",
            where=f"column {time!r}, series by {', '.join(plan.by or ()) or 'nothing'}",
            got=f"{int(twice.sum()):,} of {part.height:,} rows",
            cure="Name all columns that tell series apart under data.series.by",
        )


def _numbers(values: pl.DataFrame, name: str) -> pl.DataFrame:
    """Values as finite numbers."""
    dtype = values["value"].dtype
    if not (dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)):
        raise DataError(
            "only numbers have windows",
            where=f"data.series.columns.{name}",
            got=str(dtype),
            cure="Leave the windows out; lags are possible for every column",
        )
    return values.with_columns(pl.col("value").cast(pl.Float64)).filter(pl.col("value").is_finite())


def _lagged(asked: pl.DataFrame, values: pl.DataFrame, lag: int) -> pl.Series:
    """The newest value of ``lag`` before each row or earlier, but no older than twice the lag."""
    found = (
        asked.with_columns(pl.col(_AT) - lag)
        .sort(_AT)
        .join_asof(values, on=_AT, by=_SERIES, strategy="backward", tolerance=lag, check_sortedness=False)
    )
    return found.sort(_ROW)["value"]


def _rolled(
    asked: pl.DataFrame, values: pl.DataFrame, newest: int, name: str, column: SeriesColumn
) -> Iterator[pl.Series]:
    """The windows' statistics: rows and values in one line of time, rows with nothing to add."""
    ends = asked.with_columns(pl.col(_AT) - newest)
    line = pl.concat([values, ends], how="diagonal").sort(_SERIES, _AT)
    wanted = {f"{name}.{how}_{window}": (how, window) for window in column.windows for how in column.statistics}
    rolled = line.with_columns(_window(*what).alias(key) for key, what in wanted.items())
    found = rolled.filter(pl.col(_ROW).is_not_null()).sort(_ROW)
    return (found[key] for key in wanted)


def _window(how: str, window: str | int) -> pl.Expr:
    method = getattr(pl.col("value"), f"rolling_{how}_by")
    fewest = 2 if how == "std" else 1
    rolled = method(_AT, window_size=f"{span_length(window)}i", closed="right", min_samples=fewest)
    expression: pl.Expr = rolled.over(_SERIES)
    return expression
