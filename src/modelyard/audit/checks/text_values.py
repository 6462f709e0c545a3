"""Text that is something else, or is spoilt: numbers with a comma, dates, wrong encodings, characters nobody sees."""

from collections.abc import Iterator

import polars as pl

from modelyard.audit.columns import Numbers
from modelyard.audit.context import AuditContext
from modelyard.audit.registry import Threshold, check
from modelyard.core import Finding, Severity
from modelyard.data import Column, ColumnKind

__all__ = ["broken_text", "dates_as_text", "decimal_commas", "invisible_characters"]

_MOST_SHARE = 0.9
_NOTED_TEXTS = 0.01
_FIRST_DAY, _LAST_DAY = 19_000_101, 20_991_231
_COMMA = r"^\s*[-+]?(\d{1,3}([. ]\d{3})+|\d+),\d+\s*$"
_WHOLE = r"^\s*[-+]?(\d{1,3}([. ]\d{3})+|\d+)\s*$"
_POINT = r"^\s*[-+]?\d+\.\d+\s*$"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_TIME = r"(?:[ T]\d{1,2}:\d{2}.*)?"
_DATE = (
    rf"(?i)^\s*(?:(?:19|20)\d{{2}}([-./])\d{{1,2}}([-./])\d{{1,2}}|\d{{1,2}}([-./])\d{{1,2}}([-./])(?:(?:19|20)\d{{2}}|\d{{2}})"
    rf"|\d{{1,2}}[-. ]+{_MONTH}[-, ]+\d{{2,4}}|{_MONTH} \d{{1,2}},? \d{{4}}){_TIME}\s*$"
)
_DAY_OR_MONTH = r"^\s*(\d{1,2})[-./](\d{1,2})[-./]"
_BROKEN = r"[ÃÂ][\x{80}-\x{BF}]|â€|â\x{80}|\x{FFFD}"
_INVISIBLE = r"[\x{00}-\x{08}\x{0B}\x{0C}\x{0E}-\x{1F}\x{7F}\x{80}-\x{9F}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}\x{FEFF}]"
_ODD_SPACE = r"\x{A0}|\x{202F}|\x{2007}"


@check(
    "D6",
    "decimal-comma",
    thresholds=(Threshold("share of the values", _MOST_SHARE, "the rest are stand-ins and slips"),),
)
def decimal_commas(context: AuditContext) -> Iterator[Finding]:
    """Text of which nearly all values are numbers, and some are written with a decimal comma, such as ``12,5``.

    Harm: Read as names, the numbers lose their order; or the column is taken for an identifier and left out.
    """
    for column, levels in _columns(context):
        commas = _share(levels, _COMMA)
        if commas == 0 or commas + _share(levels, _WHOLE) + _share(levels, _POINT) < _MOST_SHARE or commas < 0.05:
            continue
        yield Finding(
            id="decimal-comma",
            severity=Severity.WARNING,
            subject=column.name,
            message=f"{commas:.1%} of the values are numbers with a decimal comma, such as {_example(levels, _COMMA)!r}.",
            why="Read as names, the numbers lose their order, and each new number is an unseen level.",
            action="Read the file with its decimal comma, or replace it by a point at the source.",
            evidence={"share": commas, "kind": column.kind.value},
            row="D6",
        )


@check(
    "D6",
    "dates-as-text",
    "dates-as-numbers",
    thresholds=(Threshold("share of the values", _MOST_SHARE, "the rest are stand-ins and slips"),),
)
def dates_as_text(context: AuditContext) -> Iterator[Finding]:
    """Dates kept as text, or as whole numbers such as 20240131; whether day and month can be told apart is said.

    Harm: The calendar and the order are lost, and no check of time can see the column.
    """
    for column, levels in _columns(context):
        share = _share(levels, _DATE)
        if share < _MOST_SHARE or levels.height < 3:
            continue
        either = _is_ambiguous(levels)
        example = _example(levels, _DATE)
        words = f"{share:.1%} of the values are dates written as text, such as {example!r}"
        yield _dates("dates-as-text", column.name, words + ("; day and month look alike." if either else "."), share)
    for column in context.features_of(ColumnKind.NUMERIC):
        if not context.frame[column.name].dtype.is_integer() or not _may_be_days(context.measured.numbers(column.name)):
            continue
        values = context.frame[column.name].drop_nulls()
        if _are_day_numbers(values):
            words = f"The numbers are dates, such as {values[0]}."
            yield _dates("dates-as-numbers", column.name, words, 1.0)


def _is_ambiguous(levels: pl.DataFrame) -> bool:
    """True if the first two numbers of all dates are months as well as days."""
    parts = levels["level"].str.extract_groups(_DAY_OR_MONTH).struct.unnest()
    numbers = parts.select(pl.all().cast(pl.Int64, strict=False)).drop_nulls()
    return numbers.height > 0 and max(numbers.max().row(0)) <= 12


def _may_be_days(numbers: Numbers | None) -> bool:
    """True if there are at least ten different numbers, all from 19000101 to 20991231."""
    if numbers is None or numbers.distinct < 10:
        return False
    return numbers.quantiles[0] >= _FIRST_DAY and numbers.quantiles[-1] <= _LAST_DAY


def _are_day_numbers(values: pl.Series) -> bool:
    """True if all whole numbers are days of the calendar, year first."""
    return values.unique().cast(pl.String).str.to_date("%Y%m%d", strict=False).null_count() == 0


def _dates(check_id: str, name: str, message: str, share: float) -> Finding:
    """Dates that are no dates by type."""
    return Finding(
        id=check_id,
        severity=Severity.WARNING,
        subject=name,
        message=message,
        why="The calendar and the order are lost, and each new day is a value that was never seen.",
        action="Write dates as 2024-01-31 at the source, or declare the column a date under data.types.",
        evidence={"share": share},
        row="D6",
    )


@check(
    "D6",
    "broken-text",
    thresholds=(Threshold("share of free texts", _NOTED_TEXTS, "people paste a broken word now and then"),),
)
def broken_text(context: AuditContext) -> Iterator[Finding]:
    """Text in a wrongly read encoding (``MÃ¼nchen``): in categories, in free text, in the names of columns.

    Harm: One thing under two spellings is two levels, and production may spell it right.
    """
    yield from _spoilt(context, "broken-text", _BROKEN, "hold characters of a wrongly read encoding")


@check(
    "D6",
    "invisible-characters",
    thresholds=(Threshold("share of free texts", _NOTED_TEXTS, "people paste such characters now and then"),),
)
def invisible_characters(context: AuditContext) -> Iterator[Finding]:
    """Characters that nobody sees (zero-width, control, hard spaces, byte-order marks) in categories, text and names.

    Harm: Two values look equal and are not, so one level is two, and a join finds nothing.
    """
    words = "hold characters that cannot be seen"
    yield from _spoilt(context, "invisible-characters", _INVISIBLE + "|" + _ODD_SPACE, words)


def _spoilt(context: AuditContext, check_id: str, pattern: str, words: str) -> Iterator[Finding]:
    """Columns whose levels, texts or names match the pattern."""
    for column in context.train.schema.columns:
        if _matches(column.name, pattern):
            yield _untidy(check_id, column.name, f"The name of the column {words.replace('hold', 'holds')}.", 1)
    for column, levels in _columns(context, with_text=True):
        spoilt = levels.filter(pl.col("level").str.contains(pattern))
        rows = int(spoilt["rows"].sum())
        if rows == 0 or (column.kind is ColumnKind.TEXT and rows < _NOTED_TEXTS * context.frame.height):
            continue
        message = f"{spoilt.height:,} {'value' if spoilt.height == 1 else 'values'} in {rows:,} rows {words}."
        yield _untidy(check_id, column.name, message, rows)


def _matches(name: str, pattern: str) -> bool:
    """True if a column's name matches; by polars, whose patterns these are."""
    return bool(pl.Series([name]).str.contains(pattern)[0])


def _untidy(check_id: str, name: str, message: str, rows: int) -> Finding:
    """Text that is not what it was meant to be."""
    return Finding(
        id=check_id,
        severity=Severity.WARNING,
        subject=name,
        message=message,
        why="Two values that look equal are two levels, each with fewer rows; production may spell a third way.",
        action="Tidy the text at the source, where production data come from too.",
        evidence={"rows": rows},
        row="D6",
    )


def _columns(context: AuditContext, *, with_text: bool = False) -> Iterator[tuple[Column, pl.DataFrame]]:
    """Columns of strings that are no declared role, with their levels and rows, at most 100,000 levels each."""
    aside = {context.roles.target, context.roles.id, context.problem.split.column, *context.problem.data.exclude}
    kinds = {ColumnKind.CATEGORY, ColumnKind.IDENTIFIER} | ({ColumnKind.TEXT} if with_text else set())
    for column in context.train.schema.columns:
        if column.kind not in kinds or context.frame[column.name].dtype != pl.String or column.name in aside:
            continue
        levels = context.measured.levels(column.name)
        if levels.distinct > 1:
            yield column, levels.frame


def _share(levels: pl.DataFrame, pattern: str) -> float:
    """Share of the rows whose value matches."""
    return int(levels["rows"].filter(levels["level"].str.contains(pattern)).sum()) / max(int(levels["rows"].sum()), 1)


def _example(levels: pl.DataFrame, pattern: str) -> str:
    """The most frequent value that matches."""
    return str(
        levels.filter(pl.col("level").str.contains(pattern)).sort(["rows", "level"], descending=[True, False])["level"][
            0
        ]
    )
