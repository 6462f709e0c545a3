"""The data contract: what training saw of each feature and what was agreed, held against every later row and table."""

import dataclasses
import datetime as dt
import functools
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from modelyard.core import Record
from modelyard.data.dtypes import parse_moments
from modelyard.data.schema import Column, ColumnKind, Schema, category_text, conform
from modelyard.problem import did_you_mean

__all__ = ["ColumnContract", "Contract", "ContractCheck", "Violation", "ViolationCount", "check_table"]

_RANGE_SLACK = 0.10
_IMPOSSIBLE = ("type", "infinite")
"""Rules whose breach leaves nothing that could be scored."""

_VALUES = ("null", "limit", "range", "category")
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
        ``missing`` (no such field), ``null``, ``type``, ``infinite``, ``limit`` (outside of what the project file
        declares), ``range`` or ``category`` (outside of what training saw).
    got
        The value, shortened.
    expected
        What training saw and what is declared, in words.
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
    """What is expected of one feature.

    What training saw is a hint: a row that leaves it is scored and flagged. What the project file declares is law: a
    row that breaks it is rejected. A field may be declared strict, so that hints are law too, or lenient, so that law is
    a hint; a wrong type or an infinity is always rejected.

    Parameters
    ----------
    name, kind
        As in the schema.
    nullable
        True if a value may be missing: as declared, else if training saw it missing.
    low, high
        Smallest and largest number seen; None for other kinds, and if there was none.
    categories
        The categories seen, sorted; empty for other kinds, and beyond 1,000, when they are not checked.
    lowest, highest
        Declared limits of a number; None if there is none.
    allowed
        Declared categories; empty if none are.
    required
        Whether the field itself must be there, if declared; else it must unless a value may be missing.
    declared
        What of this the project file says: ``range``, ``categories``, ``nullable``, ``required``, ``strictness``.
    reason
        Why, in the project file's words.
    strictness
        ``strict``, ``lenient``, or empty for the rule above.
    """

    name: str
    kind: ColumnKind
    nullable: bool
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    lowest: float | None = None
    highest: float | None = None
    allowed: tuple[str, ...] = ()
    required: bool | None = None
    declared: tuple[str, ...] = ()
    reason: str = ""
    strictness: str = ""

    @functools.cached_property
    def known(self) -> frozenset[str]:
        """The categories that training saw, for fast membership."""
        return frozenset(self.categories)

    @functools.cached_property
    def permitted(self) -> frozenset[str]:
        """The declared categories, for fast membership."""
        return frozenset(self.allowed)

    @functools.cached_property
    def limits(self) -> tuple[float, float]:
        """The range that is not flagged: what was seen, and 10 % of its span on either side."""
        if self.low is None or self.high is None:
            return -math.inf, math.inf
        slack = _RANGE_SLACK * (self.high - self.low)
        return self.low - slack, self.high + slack

    @functools.cached_property
    def hard_limits(self) -> tuple[float, float]:
        """The declared range, beyond which a row is rejected."""
        return (
            -math.inf if self.lowest is None else self.lowest,
            math.inf if self.highest is None else self.highest,
        )

    @property
    def refuses_null(self) -> bool:
        """True if a missing value rejects the row: the project file says that there is none, or the field is strict."""
        return not self.nullable and self.rejects("null")

    def rejects(self, rule: str) -> bool:
        """True if a value that breaks a rule rejects the row; False if it is scored and flagged."""
        if rule in _IMPOSSIBLE:
            return True
        if self.strictness:
            return self.strictness == "strict" and rule in _VALUES
        return rule == "limit" or (rule == "null" and "nullable" in self.declared)

    @property
    def must_be_there(self) -> bool:
        """True if a row without the field is rejected."""
        return not self.nullable if self.required is None else self.required

    @functools.cached_property
    def in_words(self) -> str:
        """What is expected, for people."""
        if self.kind is ColumnKind.NUMERIC:
            seen = "a number" if self.low is None else f"a number between {self.low:g} and {self.high:g}"
            return f"{seen}, {self.range_in_words} by declaration" if self.range_in_words else seen
        if self.kind is ColumnKind.BOOLEAN:
            return "true or false"
        if self.kind is ColumnKind.DATE:
            return "an ISO 8601 date, such as 2024-02-29"
        names = self.allowed or self.categories
        if not names:
            return "text"
        more = len(names) - _SHOWN_CATEGORIES
        listed = ", ".join(names[:_SHOWN_CATEGORIES]) + (f", and {more:,} more" if more > 0 else "")
        return f"one of: {listed}" + (" by declaration" if self.allowed else "")

    @property
    def range_in_words(self) -> str:
        """The declared range, for people; ``""`` if there is none."""
        if self.lowest is None and self.highest is None:
            return ""
        if self.lowest is None:
            return f"at most {self.highest:g}"
        return f"at least {self.lowest:g}" if self.highest is None else f"{self.lowest:g} to {self.highest:g}"

    def check(self, value: object) -> Violation | None:
        """The violation of one present value, or None."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None if self.nullable else self.violation("null", "null", rejects=self.rejects("null"))
        rule = _CHECKS[self.kind](self, value)
        if rule is None:
            return None
        return self.violation(rule, _shown(value), rejects=self.rejects(rule))

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
    lowest, highest = column.hard_limits
    if not lowest <= value <= highest:
        return "limit"
    low, high = column.limits
    return None if low <= value <= high else "range"


def _check_category(column: ColumnContract, value: object) -> str | None:
    """Text; or a number or Boolean whose text is a known category, since JSON clients send codes as numbers."""
    if isinstance(value, str):
        return _check_name(column, value)
    if isinstance(value, bool):
        name = "true" if value else "false"
    elif not isinstance(value, int | float) or _is_beyond_double(value):
        return "type"
    else:
        name = repr(int(value)) if isinstance(value, int) or value.is_integer() else repr(value)
    return _check_name(column, name) if name in column.known or name in column.permitted else "type"


def _check_name(column: ColumnContract, name: str) -> str | None:
    """A category by its name: declared ones are law, known ones a hint."""
    if column.allowed and name not in column.permitted:
        return "limit"
    return "category" if column.categories and name not in column.known else None


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
    """What training saw of every feature, and what the project file declares.

    A missing value is scored, and flagged if training never saw one. A field that is absent altogether rejects the
    row if training never saw it missing: it is a spelling mistake more often than a fact. A wrong type or an infinity
    rejects; a number beyond the range by more than 10 % of its span, or a new category, is flagged. Whatever breaks a
    declaration rejects, if the field is not lenient. Fields that the contract does not name are ignored.
    """

    columns: tuple[ColumnContract, ...]

    def check_row(self, row: Mapping[str, Any]) -> tuple[Violation, ...]:
        """What one row violates, in the order of the columns; built for the request path.

        >>> age = ColumnContract("age", ColumnKind.NUMERIC, nullable=False, low=18, high=98)
        >>> [violation.rule for violation in Contract((age,)).check_row({"age": "old"})]
        ['type']
        """
        if self._is_plain(row):
            return ()
        violations = []
        for column in self.columns:
            present = column.name in row
            violation = column.check(row[column.name]) if present else self._absent(column, row)
            if violation is not None:
                violations.append(violation)
        return tuple(violations)

    @functools.cached_property
    def _is_plain(self) -> Callable[[Mapping[str, Any]], bool]:
        """True for a row that violates nothing, which is what most requests bring; False leaves it to the full check."""
        return _plain_row_test(self.columns)

    def _absent(self, column: ColumnContract, names: Mapping[str, Any]) -> Violation:
        """The violation of a field that is not there, with the name that may have been meant."""
        known = {item.name for item in self.columns}
        strangers = [name for name in names if name not in known]
        hint = did_you_mean(column.name, strangers) if strangers else ""
        got = (
            f"no such field ({hint[len('Did you mean ') : -1]} is there)" if hint.startswith("Did") else "no such field"
        )
        return column.violation("missing", got, rejects=column.must_be_there)

    def check_frame(self, frame: pl.DataFrame) -> pl.DataFrame:
        """What the rows of a table violate: ``row`` (from 0; null for the whole column), ``column``, ``rule``,
        ``got``, ``expected``, ``rejects``.

        Equal to :meth:`check_row` on every row, save that text which reads as the wanted type is accepted, since
        files have no types of their own.
        """
        found = [violations for column in self.columns for violations in self._check_column(column, frame)]
        return pl.concat([pl.DataFrame(schema=_FRAME_SCHEMA), *found]).sort("row", "column", nulls_last=False)

    def conformed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The contract's columns in the types of training; text that reads as a number becomes one, what is absent null."""
        absent = [pl.lit(None, dtype=pl.String).alias(c.name) for c in self.columns if c.name not in rows.columns]
        stored = {ColumnKind.NUMERIC: "Float64"}
        columns = tuple(Column(c.name, c.kind, stored.get(c.kind, "String"), c.nullable) for c in self.columns)
        return conform(rows.with_columns(absent), Schema(columns))

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


def _plain_row_test(columns: Sequence[ColumnContract]) -> Callable[[Mapping[str, Any]], bool]:
    """A quick look at rows: numbers within their range and text among its categories need no more."""
    numbers = [(c.name, *_plain_range(c), c.nullable) for c in columns if c.kind is ColumnKind.NUMERIC]
    texts = {c.name: _plain_names(c) for c in columns if c.kind is ColumnKind.CATEGORY and (c.categories or c.allowed)}
    others = [(c.name, c.check) for c in columns if c.kind is not ColumnKind.NUMERIC and c.name not in texts]
    names = tuple(texts.items())

    def is_plain(row: Mapping[str, Any]) -> bool:
        try:
            for name, low, high, nullable in numbers:
                value = row[name]
                if value.__class__ is float or value.__class__ is int:
                    if not low <= value <= high:
                        return False
                elif value is not None or not nullable:
                    return False
            for name, known in names:
                if row[name] not in known:
                    return False
            return all(check(row[name]) is None for name, check in others)
        except (KeyError, TypeError):  # a field that is absent, or holds a list or an object
            return False

    return is_plain


def _plain_range(column: ColumnContract) -> tuple[float, float]:
    """The range of numbers that violate nothing; finite, since an infinity does."""
    (low, high), (lowest, highest) = column.limits, column.hard_limits
    return max(low, lowest, -sys.float_info.max), min(high, highest, sys.float_info.max)


def _plain_names(column: ColumnContract) -> frozenset[str | None]:
    """The texts that violate nothing, and None if a value may be missing."""
    names: frozenset[str | None] = column.known if column.categories else column.permitted
    if column.allowed:
        names &= column.permitted
    return names | {None} if column.nullable else names


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
        pl.lit(column.rejects(rule)).alias("rejects"),
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
    lowest, highest = column.hard_limits
    beyond = numbers.is_finite() & ((numbers < lowest) | (numbers > highest))
    yield "limit", beyond
    low, high = column.limits
    yield "range", numbers.is_finite() & ~beyond & ((numbers < low) | (numbers > high))


def _categories_in(column: ColumnContract, values: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    plain = values.dtype in (pl.String, pl.Categorical, pl.Enum)
    names = category_text(values)
    unknown = ~names.is_in(column.categories) & values.is_not_null()
    refused = ~names.is_in(column.allowed) & values.is_not_null() if column.allowed else _never(values, broken=False)
    if not plain:
        strange = unknown & refused if column.allowed else unknown
        yield "type", strange
        refused, unknown = refused & ~strange, unknown & ~strange
    yield "limit", refused
    yield "category", unknown & ~refused if column.categories else _never(values, broken=False)


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


@dataclasses.dataclass(frozen=True)
class ViolationCount(Record):
    """How often a column breaks one rule, with the first value that does.

    Parameters
    ----------
    column, rule, expected, rejects
        As in :class:`Violation`.
    rows
        Rows concerned; all of them if the column is absent.
    example
        The first such value, shortened.
    """

    column: str
    rule: str
    rows: int
    example: str
    expected: str
    rejects: bool


@dataclasses.dataclass(frozen=True)
class ContractCheck(Record):
    """A table held against a contract.

    Parameters
    ----------
    source
        The table, as it was named.
    rows, rejected, flagged
        Rows in all, those that cannot be scored, and those that can but have a value unlike the training data.
    found
        What was found by column and rule, what rejects first.
    """

    source: str
    rows: int
    rejected: int
    flagged: int
    found: tuple[ViolationCount, ...]

    @property
    def holds(self) -> bool:
        """True if every row can be scored; a column that must be there and is not breaks even an empty table."""
        return not any(count.rejects for count in self.found)


def check_table(contract: Contract, frame: pl.DataFrame, source: str) -> ContractCheck:
    """Hold a table against a contract, without scoring it."""
    violations = contract.check_frame(frame)
    rows = pl.col("row")
    counts = violations.group_by("column", "rule", "rejects", maintain_order=True).agg(
        pl.when(rows.is_null().any()).then(frame.height).otherwise(pl.len()).alias("rows"),
        pl.col("got").first().alias("example"),
        pl.col("expected").first(),
    )
    rejected, flagged = (_rows_of(violations.filter(pl.col("rejects") == kind), frame.height) for kind in (True, False))
    found = sorted(counts.to_dicts(), key=lambda count: (not count["rejects"], -count["rows"]))
    return ContractCheck(
        source, frame.height, len(rejected), len(flagged - rejected), tuple(map(ViolationCount.from_dict, found))
    )


def _rows_of(violations: pl.DataFrame, height: int) -> set[int]:
    """The rows concerned: all of them if a column is absent."""
    if violations["row"].null_count():
        return set(range(height))
    return set(violations["row"].to_list())
