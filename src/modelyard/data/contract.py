"""The data contract: what training saw of each feature, held against every later row and table."""

import dataclasses
import datetime as dt
import functools
import math
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from modelyard.core import DataError, Record
from modelyard.data.dtypes import parse_moments
from modelyard.data.roles import Roles
from modelyard.data.schema import ColumnKind, category_text
from modelyard.data.version import Dataset
from modelyard.problem import did_you_mean

__all__ = ["ColumnContract", "Contract", "Violation", "derive_contract"]

_RANGE_SLACK = 0.10
_MAX_CATEGORIES = 1000
_SHOWN_CATEGORIES = 5
_SHOWN_CHARACTERS = 60
_LARGEST = int(sys.float_info.max)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?")
_FRAME_SCHEMA = {
    "row": pl.Int64,
    "column": pl.String,
    "rule": pl.String,
    "got": pl.String,
    "expected": pl.String,
    "rejects": pl.Boolean,
}


@dataclasses.dataclass(frozen=True)
class Violation(Record):
    """One value that the contract does not foresee.

    Parameters
    ----------
    column
        The feature concerned.
    rule
        ``missing`` (no such field), ``null``, ``type``, ``infinite``, ``range`` or ``category``.
    got
        The value, shortened.
    expected
        What training saw, in words.
    rejects
        True if the row cannot be scored; False if it is scored and flagged.
    """

    column: str
    rule: str
    got: str
    expected: str
    rejects: bool


@dataclasses.dataclass(frozen=True)
class ColumnContract(Record):
    """What training saw of one feature.

    Parameters
    ----------
    name, kind
        As in the schema.
    nullable
        True if training saw it missing.
    low, high
        Smallest and largest number seen; None for other kinds, and if there was none.
    categories
        The categories seen, sorted; empty for other kinds, and beyond 1,000, when they are not checked.
    """

    name: str
    kind: ColumnKind
    nullable: bool
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()

    @functools.cached_property
    def known(self) -> frozenset[str]:
        """The categories, for fast membership."""
        return frozenset(self.categories)

    @functools.cached_property
    def limits(self) -> tuple[float, float]:
        """The range that is not flagged: what was seen, and 10 % of its span on either side."""
        if self.low is None or self.high is None:
            return -math.inf, math.inf
        slack = _RANGE_SLACK * (self.high - self.low)
        return self.low - slack, self.high + slack

    @functools.cached_property
    def in_words(self) -> str:
        """What is expected, for people."""
        if self.kind is ColumnKind.NUMERIC:
            return "a number" if self.low is None else f"a number between {self.low:g} and {self.high:g}"
        if self.kind is ColumnKind.BOOLEAN:
            return "true or false"
        if self.kind is ColumnKind.DATE:
            return "an ISO 8601 date, such as 2024-02-29"
        if not self.categories:
            return "text"
        more = len(self.categories) - _SHOWN_CATEGORIES
        shown = ", ".join(self.categories[:_SHOWN_CATEGORIES])
        return f"one of: {shown}" + (f", and {more:,} more" if more > 0 else "")

    def check(self, value: object) -> Violation | None:
        """The violation of one present value, or None."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None if self.nullable else self.violation("null", "null", rejects=False)
        rule = _CHECKS[self.kind](self, value)
        if rule is None:
            return None
        return self.violation(rule, _shown(value), rejects=rule in ("type", "infinite"))

    def violation(self, rule: str, got: str, *, rejects: bool) -> Violation:
        """A violation of this column's contract."""
        return Violation(self.name, rule, got, self.in_words, rejects)


def _shown(value: object) -> str:
    """A value for people, shortened."""
    if _is_beyond_double(value):
        return "a whole number of hundreds of digits"
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _is_beyond_double(value: object) -> bool:
    """True for a whole number that no double holds; JSON allows hundreds of digits."""
    return isinstance(value, int) and not -_LARGEST <= value <= _LARGEST


def _check_number(column: ColumnContract, value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "type"
    if _is_beyond_double(value) or math.isinf(value):
        return "infinite"
    low, high = column.limits
    return None if low <= value <= high else "range"


def _check_category(column: ColumnContract, value: object) -> str | None:
    """Text; or a number or Boolean whose text is a known category, since JSON clients send codes as numbers."""
    if isinstance(value, str):
        return "category" if column.categories and value not in column.known else None
    if isinstance(value, bool):
        return None if ("true" if value else "false") in column.known else "type"
    if not isinstance(value, int | float) or _is_beyond_double(value):
        return "type"
    name = repr(int(value)) if isinstance(value, int) or value.is_integer() else repr(value)
    return None if name in column.known else "type"


def _check_text(column: ColumnContract, value: object) -> str | None:
    """Any text; what is no text is not read as one."""
    del column
    return None if isinstance(value, str) else "type"


def _check_boolean(column: ColumnContract, value: object) -> str | None:
    del column
    return None if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)) else "type"


def _check_date(column: ColumnContract, value: object) -> str | None:
    del column
    if isinstance(value, dt.date):
        return None
    if not isinstance(value, str) or not _MOMENT.fullmatch(value.strip()):
        return "type"
    try:
        dt.datetime.fromisoformat(value.strip())
    except ValueError:
        return "type"
    return None


def _check_nothing(column: ColumnContract, value: object) -> str | None:
    del column, value
    return None


_CHECKS = {
    ColumnKind.NUMERIC: _check_number,
    ColumnKind.CATEGORY: _check_category,
    ColumnKind.BOOLEAN: _check_boolean,
    ColumnKind.DATE: _check_date,
    ColumnKind.TEXT: _check_text,
    ColumnKind.IDENTIFIER: _check_nothing,
}


@dataclasses.dataclass(frozen=True)
class Contract(Record):
    """What training saw of every feature.

    A missing value is always scored, and flagged if training never saw one. A field that is absent altogether
    rejects the row if training never saw it missing: it is a spelling mistake more often than a fact. A wrong type or
    an infinity rejects; a number beyond the range by more than 10 % of its span, or a new category, is flagged.
    Fields that the contract does not name are ignored.
    """

    columns: tuple[ColumnContract, ...]

    def check_row(self, row: Mapping[str, Any]) -> tuple[Violation, ...]:
        """What one row violates, in the order of the columns; built for the request path.

        >>> age = ColumnContract("age", ColumnKind.NUMERIC, nullable=False, low=18, high=98)
        >>> [violation.rule for violation in Contract((age,)).check_row({"age": "old"})]
        ['type']
        """
        violations = []
        for column in self.columns:
            present = column.name in row
            violation = column.check(row[column.name]) if present else self._absent(column, row)
            if violation is not None:
                violations.append(violation)
        return tuple(violations)

    def _absent(self, column: ColumnContract, names: Mapping[str, Any]) -> Violation:
        """The violation of a field that is not there, with the name that may have been meant."""
        known = {item.name for item in self.columns}
        strangers = [name for name in names if name not in known]
        hint = did_you_mean(column.name, strangers) if strangers else ""
        got = (
            f"no such field ({hint[len('Did you mean ') : -1]} is there)" if hint.startswith("Did") else "no such field"
        )
        return column.violation("missing", got, rejects=not column.nullable)

    def check_frame(self, frame: pl.DataFrame) -> pl.DataFrame:
        """What the rows of a table violate: ``row`` (from 0; null for the whole column), ``column``, ``rule``,
        ``got``, ``expected``, ``rejects``.

        Equal to :meth:`check_row` on every row, save that text which reads as the wanted type is accepted, since
        files have no types of their own.
        """
        found = [violations for column in self.columns for violations in self._check_column(column, frame)]
        return pl.concat([pl.DataFrame(schema=_FRAME_SCHEMA), *found]).sort("row", "column", nulls_last=False)

    def _check_column(self, column: ColumnContract, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
        if column.name not in frame.columns:
            violation = self._absent(column, dict.fromkeys(frame.columns))
            yield pl.DataFrame([{"row": None, **violation.to_dict()}], schema=_FRAME_SCHEMA)
            return
        values = frame[column.name]
        if values.dtype.is_float():
            values = values.fill_nan(None)
        missing = values.is_null()
        if not column.nullable and missing.any():
            yield _violations(values, missing, column, "null")
        for rule, mask in _FRAME_CHECKS[column.kind](column, values):
            broken = mask.fill_null(value=False)
            if broken.any():
                yield _violations(values, broken, column, rule)


def _violations(values: pl.Series, mask: pl.Series, column: ColumnContract, rule: str) -> pl.DataFrame:
    """One row per True in ``mask``."""
    broken = values.filter(mask)
    got = ["null"] * len(broken) if rule == "null" else [_shown(value) for value in broken.to_list()]
    return pl.DataFrame({"row": mask.arg_true().cast(pl.Int64), "got": pl.Series(got, dtype=pl.String)}).select(
        "row",
        pl.lit(column.name).alias("column"),
        pl.lit(rule).alias("rule"),
        "got",
        pl.lit(column.in_words).alias("expected"),
        pl.lit(rule in ("type", "infinite")).alias("rejects"),
    )


def _never(values: pl.Series, *, broken: bool) -> pl.Series:
    """The same answer for every present value."""
    return values.is_not_null() if broken else pl.repeat(value=False, n=len(values), eager=True)


def _numbers_in(column: ColumnContract, values: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    if values.dtype == pl.String:
        numbers = values.str.strip_chars().cast(pl.Float64, strict=False)
    elif values.dtype.is_numeric():
        numbers = values.cast(pl.Float64)
    else:
        yield "type", _never(values, broken=True)
        return
    yield "type", numbers.is_null() & values.is_not_null()
    yield "infinite", numbers.is_infinite()
    low, high = column.limits
    yield "range", numbers.is_finite() & ((numbers < low) | (numbers > high))


def _categories_in(column: ColumnContract, values: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    plain = values.dtype in (pl.String, pl.Categorical, pl.Enum)
    unknown = ~category_text(values).is_in(column.categories) & values.is_not_null()
    if plain:
        yield "category", unknown if column.categories else _never(values, broken=False)
    else:
        yield "type", unknown


def _text_in(column: ColumnContract, values: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    del column
    yield "type", _never(values, broken=values.dtype not in (pl.String, pl.Categorical, pl.Enum))


def _booleans_in(column: ColumnContract, values: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    del column
    words = ["true", "false", "yes", "no", "0", "1"] if values.dtype == pl.String else ["true", "false", "0", "1"]
    yield "type", ~category_text(values).str.to_lowercase().is_in(words) & values.is_not_null()


def _dates_in(column: ColumnContract, values: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    del column
    if values.dtype in (pl.Date, pl.Datetime):
        return
    if values.dtype == pl.String:
        yield "type", parse_moments(values).is_null() & values.is_not_null()
    else:
        yield "type", _never(values, broken=True)


def _nothing_in(column: ColumnContract, values: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    del column, values
    yield from ()


_FRAME_CHECKS = {
    ColumnKind.NUMERIC: _numbers_in,
    ColumnKind.CATEGORY: _categories_in,
    ColumnKind.BOOLEAN: _booleans_in,
    ColumnKind.DATE: _dates_in,
    ColumnKind.TEXT: _text_in,
    ColumnKind.IDENTIFIER: _nothing_in,
}


def derive_contract(train: Dataset, roles: Roles) -> Contract:
    """The contract that the training part makes for its features.

    Raises
    ------
    DataError
        If a feature is not in the training part.
    """
    absent = [name for name in roles.features if name not in train.frame.columns]
    if absent:
        raise DataError(
            "a feature is not in the training part",
            got=repr(absent[0]),
            cure=did_you_mean(absent[0], train.frame.columns),
        )
    return Contract(tuple(_derive(train.frame[name], train.schema.column(name).kind) for name in roles.features))


def _derive(values: pl.Series, kind: ColumnKind) -> ColumnContract:
    nullable = values.null_count() > 0
    if kind is ColumnKind.NUMERIC:
        numbers = values.cast(pl.Float64).fill_nan(None).drop_nulls()
        if numbers.is_empty():
            return ColumnContract(values.name, kind, nullable=True)
        low, high = float(numbers.min()), float(numbers.max())  # type: ignore[arg-type]
        return ColumnContract(values.name, kind, nullable, low, high)
    if kind is ColumnKind.CATEGORY:
        levels = category_text(values).drop_nulls().unique().sort()
        known = tuple(levels.to_list()) if len(levels) <= _MAX_CATEGORIES else ()
        return ColumnContract(values.name, kind, nullable, categories=known)
    return ColumnContract(values.name, kind, nullable)
