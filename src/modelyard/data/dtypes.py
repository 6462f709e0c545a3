"""Stored types made few and plain: Int64, Float64, String, Boolean, Date and Datetime in UTC without a zone."""

from collections.abc import Iterable

import polars as pl

from modelyard.core import DataError
from modelyard.data.table import ColumnStore

__all__ = ["PARSED_SHARE", "parse_moments", "plain_columns", "plain_types"]

PARSED_SHARE = 0.99
"""Share of a text column's values that must read as numbers or dates for the column to become one."""

_NUMBER = r"^[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|(?i:inf|infinity))$"
_MISSING_WORDS = ("na", "n/a", "#n/a", "nan", "nat", "null", "none", "?", "-")
_LEADING_ZERO = r"^[+-]?0\d"
_MOMENT = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$"
_SHOWN_VALUES = 3


def plain_types(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The same table in plain types, and one note per decision that changed a value.

    Blank strings are nulls. Text of which 99 % or more are numbers or ISO 8601 dates becomes that; words such as
    ``NA`` or ``?`` do not count and become null there, as do the other values that do not parse. Numbers written with
    leading zeros stay text, since they are codes. Text of nothing but true and false becomes Boolean. Infinities and
    NaN become null.

    Raises
    ------
    DataError
        If a cell holds a list, a record or bytes.
    """
    store = ColumnStore()
    notes = plain_columns(frame.iter_columns(), store)
    return store.table().frame(), notes


def plain_columns(columns: Iterable[pl.Series], store: ColumnStore) -> tuple[str, ...]:
    """Put columns into ``store`` in plain types, and tell what was decided; see :func:`plain_types`.

    Raises
    ------
    DataError
        If a cell holds a list, a record or bytes.
    """
    notes: list[str] = []
    for values in columns:
        store.add(_plain(values, notes))
    return tuple(notes)


def _plain(values: pl.Series, notes: list[str]) -> pl.Series:
    dtype = values.dtype
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        raise DataError(
            "the cells of a column are not single values",
            where=f"column {values.name!r}",
            got=str(dtype),
            cure="Flatten it into plain columns, one value per cell, or leave it out",
        )
    if dtype == pl.Boolean:
        return values
    if dtype.is_integer():
        return _plain_integers(values)
    if dtype.is_numeric():
        return _finite(values.cast(pl.Float64), notes)
    if dtype.is_temporal():
        return _plain_moments(values, notes)
    return _plain_strings(values.cast(pl.String), notes)


def _plain_integers(values: pl.Series) -> pl.Series:
    """Int64, or Float64 for the few integers beyond it."""
    try:
        return values.cast(pl.Int64)
    except pl.exceptions.InvalidOperationError:
        return values.cast(pl.Float64)


def _finite(values: pl.Series, notes: list[str]) -> pl.Series:
    """Numbers without infinities and NaN, which mean nothing to a model; infinities are noted."""
    infinite = int(values.is_infinite().sum())
    if infinite:
        notes.append(f"column {values.name!r}: infinite values read as missing: {infinite:,}")
    if infinite or values.is_nan().any():
        return values.set(~values.is_finite().fill_null(value=True), None)
    return values


def _plain_moments(values: pl.Series, notes: list[str]) -> pl.Series:
    if isinstance(values.dtype, pl.Datetime):
        if values.dtype.time_zone not in (None, "UTC"):
            notes.append(f"column {values.name!r}: moments were converted from {values.dtype.time_zone} to UTC")
        return (
            values.dt.convert_time_zone("UTC").dt.replace_time_zone(None).cast(pl.Datetime("us"))
            if (values.dtype.time_zone)
            else values.cast(pl.Datetime("us"))
        )
    if values.dtype == pl.Duration:
        notes.append(f"column {values.name!r}: durations were converted to seconds")
        return values.dt.total_microseconds().cast(pl.Float64) / 1e6
    if values.dtype == pl.Time:
        return values.cast(pl.String)
    return values


def _plain_strings(values: pl.Series, notes: list[str]) -> pl.Series:
    """Text, or what its values parse as."""
    stripped = values.str.strip_chars()
    if (stripped == "").any():
        values = values.set((stripped == "").fill_null(value=False), None)
        stripped = values.str.strip_chars()
    known = stripped.drop_nulls()
    if known.is_empty():
        return values
    said = known.filter(~known.str.to_lowercase().is_in(_MISSING_WORDS))
    head = said.head(1000)
    for reads, parse in ((_reads_as_number, _parse_numbers), (_reads_as_moment, parse_moments)):
        if len(said) and reads(head).sum() >= 0.9 * len(head) and reads(said).sum() >= PARSED_SHARE * len(said):
            return _parsed(stripped, parse(stripped), notes)
    if known.str.to_lowercase().is_in(["true", "false"]).all():
        return stripped.str.to_lowercase() == "true"
    return values


def _parsed(raw: pl.Series, parsed: pl.Series, notes: list[str]) -> pl.Series:
    """``parsed``, with a note naming what was lost on the way."""
    lost = raw.filter(parsed.is_null() & raw.is_not_null())
    if len(lost):
        shown = ", ".join(repr(value) for value in lost.unique(maintain_order=True).head(_SHOWN_VALUES))
        kind = "numbers" if parsed.dtype.is_numeric() else "dates"
        notes.append(f"column {raw.name!r}: read as {kind}; values that became missing: {len(lost):,}, such as {shown}")
    return _finite(parsed, notes) if parsed.dtype.is_float() else parsed


def _reads_as_number(values: pl.Series) -> pl.Series:
    return values.str.contains(_NUMBER) & ~values.str.contains(_LEADING_ZERO)


def _reads_as_moment(values: pl.Series) -> pl.Series:
    return values.str.contains(_MOMENT)


def _parse_numbers(values: pl.Series) -> pl.Series:
    """Int64 if every number is whole and fits, else Float64."""
    if not values.str.contains(r"[.eE]").any():
        whole = values.cast(pl.Int64, strict=False)
        if whole.null_count() == (~_reads_as_number(values)).fill_null(value=True).sum():
            return whole
    return values.set(~_reads_as_number(values).fill_null(value=True), None).cast(pl.Float64, strict=False)


def parse_moments(values: pl.Series) -> pl.Series:
    """ISO 8601 text as ``Date`` if no value has a time of day, else ``Datetime`` in UTC; others become null.

    >>> parse_moments(pl.Series(["2024-02-29", "soon"])).to_list()
    [datetime.date(2024, 2, 29), None]
    """
    text = values.str.strip_chars()
    if not text.str.contains(r"\d[T ]\d").any():
        return text.str.to_date("%Y-%m-%d", strict=False)
    return pl.DataFrame({"text": text}).select(_MOMENT_EXPRESSION).to_series().alias(values.name)


def _moment_expression() -> pl.Expr:
    """Column ``text`` as moments in UTC: the local time written, less the offset written."""
    text = pl.col("text").str.replace(r"^(\d{4}-\d{2}-\d{2})T", "${1} ")
    offset = r" \d{2}:.*([+-]\d{2}):?(\d{2})$"
    hours, minutes = text.str.extract(offset, 1), text.str.extract(offset, 2)
    sign = pl.when(hours.str.starts_with("-")).then(-1).otherwise(1)
    shift = (hours.cast(pl.Int64).abs() * 60 + minutes.cast(pl.Int64)) * sign
    local = text.str.replace(r"( \d{2}:.*?)(Z|[+-]\d{2}:?\d{2})$", "${1}")
    parsed = pl.coalesce(
        local.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us"),
        local.str.to_datetime("%Y-%m-%d %H:%M", strict=False, time_unit="us"),
        local.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")),
    )
    return parsed - pl.duration(minutes=shift.fill_null(0))


_MOMENT_EXPRESSION = _moment_expression()
