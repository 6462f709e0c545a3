"""What every look into the past needs: columns that are there, and one line of time."""

from collections.abc import Sequence

import polars as pl

from modelyard.core import DataError
from modelyard.data.dtypes import parse_moments
from modelyard.problem import did_you_mean

__all__ = ["moments_of", "plain_moments", "require_columns", "ticks_of"]


def require_columns(table: pl.DataFrame, columns: Sequence[str], where: str, section: str) -> None:
    """Refuse a table without the columns that a section of the project file names.

    Raises
    ------
    DataError
        If one is absent.
    """
    for column in columns:
        if column not in table.columns:
            raise DataError(
                f"a column that {section} names is not there",
                where=where,
                got=repr(column),
                cure=did_you_mean(column, table.columns),
            )


def moments_of(table: pl.DataFrame, column: str, where: str) -> pl.Series:
    """A column as moments in microseconds, without a zone.

    Raises
    ------
    DataError
        If it holds no dates, or one is missing.
    """
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
    _refuse_missing(values, f"{where}, column {column!r}")
    return plain_moments(values)


def plain_moments(values: pl.Series) -> pl.Series:
    """Dates in microseconds of UTC, without a zone."""
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone:
        values = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return values.cast(pl.Datetime("us"))


def ticks_of(table: pl.DataFrame, column: str, where: str, *, dates: bool) -> pl.Series:
    """A column of times as whole numbers: microseconds of a date, or the number itself.

    Parameters
    ----------
    dates
        True if lengths of time are written as words (24h); then the column must hold dates, else whole numbers.

    Raises
    ------
    DataError
        If it holds something else, or a time is missing.
    """
    if dates:
        return moments_of(table, column, where).to_physical()
    values = table[column]
    if not values.dtype.is_integer():
        raise DataError(
            "lags are counted in whole numbers, and the time column holds something else",
            where=f"{where}, column {column!r}",
            got=str(values.dtype),
            cure="Write lengths of time as 24h or 7d under data.series for dates, or number the rows",
        )
    _refuse_missing(values, f"{where}, column {column!r}")
    return values.cast(pl.Int64)


def _refuse_missing(values: pl.Series, where: str) -> None:
    if missing := values.null_count():
        raise DataError(
            f"the time is missing in {missing:,} of {len(values):,} rows",
            where=where,
            cure="Fill it in, or leave those rows out at the source",
        )
