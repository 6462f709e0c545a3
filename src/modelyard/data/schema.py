"""What the columns are: their kinds, inferred by stated rules, and frames made to conform to them."""

import dataclasses
import enum
import re
from collections.abc import Mapping

import polars as pl

from modelyard.core import DataError, Record
from modelyard.data.table import TableLike
from modelyard.problem import did_you_mean

__all__ = [
    "Column",
    "ColumnKind",
    "Schema",
    "category_text",
    "conform",
    "conform_column",
    "infer_column",
    "infer_schema",
    "looks_like_identifier",
]

_MIN_NAMELESS_ROWS = 20
_IDENTIFIER_SHARE = 0.95
_IDENTIFIER_LENGTH = 40
_TEXT_WORDS = 4
_TEXT_SHARE = 0.2
_COUNTER_DENSITY = 0.5
_IDENTIFIER_NAME = re.compile(
    r"(^|[_\W])(id|idx|index|key|uuid|guid|no|nr|order|instant|row|rownum)($|[_\W])|[a-z]I[dD]$|(^|[_\W])[A-Z]ID$"
)


class ColumnKind(enum.StrEnum):
    """What a column holds, which decides how it is checked, encoded and watched."""

    NUMERIC = "numeric"
    CATEGORY = "category"
    BOOLEAN = "boolean"
    DATE = "date"
    TEXT = "text"
    IDENTIFIER = "identifier"


@dataclasses.dataclass(frozen=True)
class Column(Record):
    """One column.

    Parameters
    ----------
    name
        As in the table.
    kind
        See :class:`ColumnKind`.
    dtype
        Polars' name of the stored type, such as ``Int64``; ``Null`` if no row has a value.
    nullable
        True if a value was missing in the rows that were looked at.
    """

    name: str
    kind: ColumnKind
    dtype: str
    nullable: bool


@dataclasses.dataclass(frozen=True)
class Schema(Record):
    """The columns of a table, in its order."""

    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column called ``name``.

        Raises
        ------
        DataError
            If there is none; the cure names the nearest.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise DataError("the table has no such column", got=repr(name), cure=did_you_mean(name, self.names))


def looks_like_identifier(name: str) -> bool:
    """True if a column's name says that it numbers or names rows.

    >>> [looks_like_identifier(name) for name in ("customerID", "row_order", "id", "PID", "paid", "period")]
    [True, True, True, True, False, False]
    """
    return _IDENTIFIER_NAME.search(name) is not None or _IDENTIFIER_NAME.search(name.lower()) is not None


def infer_schema(frame: TableLike, overrides: Mapping[str, str] | None = None) -> Schema:
    """The kind of every column of ``frame``.

    Rules, in this order: an override wins; Boolean is ``boolean``; dates and moments are ``date``; numbers are
    ``numeric``, but integers that are all distinct and sorted are an ``identifier`` if their name says so or they
    count the rows; strings are an ``identifier`` if above 95 % are distinct and 40 characters or shorter on average,
    ``text`` if above 4 words on average and mostly distinct, else ``category``.

    Parameters
    ----------
    frame
        Rows that may be looked at: the training part, once there is a split.
    overrides
        Column name to kind, from ``data.types`` of the project file. Unknown names are ignored here; the frame
        may be a part of the table.
    """
    given = overrides or {}
    return Schema(tuple(infer_column(frame[name], given.get(name)) for name in frame.columns))


def infer_column(values: pl.Series, override: str | None = None) -> Column:
    """The kind of one column; see :func:`infer_schema`."""
    empty = values.null_count() == len(values)
    dtype = "Null" if empty and len(values) else str(values.dtype)
    kind = ColumnKind(override) if override else _kind(values.drop_nulls())
    return Column(values.name, kind, dtype, values.null_count() > 0)


def _kind(values: pl.Series) -> ColumnKind:
    """The kind of a column by its non-null values."""
    if values.dtype == pl.Boolean:
        return ColumnKind.BOOLEAN
    if values.dtype.is_temporal():
        return ColumnKind.DATE
    if values.dtype.is_numeric():
        return ColumnKind.IDENTIFIER if values.dtype.is_integer() and _counts_rows(values) else ColumnKind.NUMERIC
    return _kind_of_strings(values)


def _counts_rows(values: pl.Series) -> bool:
    """True for integers that are distinct and sorted, and named like an identifier or dense like a counter."""
    named = looks_like_identifier(values.name)
    if len(values) < (2 if named else _MIN_NAMELESS_ROWS):
        return False
    if not (values.is_sorted() or values.is_sorted(descending=True)) or values.n_unique() < len(values):
        return False
    span = abs(int(values[-1]) - int(values[0])) + 1
    return named or len(values) / span >= _COUNTER_DENSITY


def _kind_of_strings(values: pl.Series) -> ColumnKind:
    rows = len(values)
    if rows == 0:
        return ColumnKind.CATEGORY
    text = values.cast(pl.String)
    distinct = text.n_unique()
    enough = rows >= (2 if looks_like_identifier(values.name) else _MIN_NAMELESS_ROWS)
    if enough and distinct / rows > _IDENTIFIER_SHARE and _mean(text.str.len_chars()) <= _IDENTIFIER_LENGTH:
        return ColumnKind.IDENTIFIER
    if enough and distinct / rows > _TEXT_SHARE and _mean(text.str.count_matches(r"\S+")) > _TEXT_WORDS:
        return ColumnKind.TEXT
    return ColumnKind.CATEGORY


def _mean(values: pl.Series) -> float:
    return float(values.cast(pl.Float64).sum()) / max(len(values), 1)


def category_text(values: pl.Series) -> pl.Series:
    """Categories as text: strings as they are, whole numbers without a fraction, Booleans as ``true`` and ``false``.

    >>> category_text(pl.Series("c", [1.0, 2.0, None])).to_list()
    ['1', '2', None]
    >>> category_text(pl.Series([1.0, 0.5])).to_list()
    ['1', '0.5']
    """
    if values.dtype == pl.String:
        return values
    if values.dtype.is_float():
        whole = (values.is_finite() & (values == values.round(0)) & (values.abs() < 2**53)).fill_null(value=False)
        exact = values.set(~whole, None).cast(pl.Int64).cast(pl.String)
        return exact.zip_with(whole, values.cast(pl.String))
    return values.cast(pl.String)


def conform(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """The columns of ``schema`` that ``frame`` has, stored as their kinds say.

    Numbers become ``Int64`` or ``Float64``, categories and text ``String``, Booleans ``Boolean``, dates ``Date`` or
    ``Datetime``; identifiers keep their type. Values that do not fit become null; :func:`~modelyard.data.contract`
    finds them before, where that matters. Columns that ``schema`` lacks are left out.
    """
    present = [column for column in schema.columns if column.name in frame.columns]
    return pl.DataFrame([conform_column(frame[column.name], column) for column in present])


def conform_column(values: pl.Series, column: Column) -> pl.Series:
    """One column, stored as its kind says; see :func:`conform`."""
    if column.kind in (ColumnKind.CATEGORY, ColumnKind.TEXT):
        return category_text(values)
    if column.kind is ColumnKind.NUMERIC:
        return _as_number(values, column.dtype)
    if column.kind is ColumnKind.BOOLEAN:
        return _as_boolean(values)
    if column.kind is ColumnKind.DATE and not values.dtype.is_temporal():
        from modelyard.data.dtypes import parse_moments

        return parse_moments(values.cast(pl.String))
    return values


def _as_number(values: pl.Series, dtype: str) -> pl.Series:
    """Int64 stays where training had integers; whatever else is read as Float64."""
    if values.dtype.is_integer() and dtype != "Float64":
        return values.cast(pl.Int64)
    if values.dtype.is_temporal():
        return values.cast(pl.Datetime("us")).dt.epoch("s").cast(pl.Float64)
    if values.dtype == pl.String:
        values = values.str.strip_chars()
    return values.cast(pl.Float64, strict=False)


def _as_boolean(values: pl.Series) -> pl.Series:
    """Booleans from ``true``/``false``, ``yes``/``no`` or 0/1; anything else is null."""
    if values.dtype == pl.Boolean:
        return values
    words = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
    return category_text(values).str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)
