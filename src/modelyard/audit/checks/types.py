"""Values that are not what they seem: mixed types, placeholders, spellings, broken text."""

import re
from collections.abc import Iterator

import polars as pl

from modelyard.audit.columns import Numbers
from modelyard.audit.context import AuditContext
from modelyard.audit.registry import Threshold, check
from modelyard.core import Finding, Severity
from modelyard.data import ColumnKind

__all__ = ["mixed_types", "placeholder_values", "spelling_variants"]

_MIXED_SHARE = 0.02
_PLACEHOLDERS = frozenset(
    {"", "-", "--", "?", "#n/a", "n/a", "n.a.", "na", "nan", "nil", "none", "null", "missing", "unknown", "undefined"}
    | {"not available", "not known", "not specified", "unspecified", "tbd"}
)
_SENTINELS = re.compile(r"-?9{2,6}")
_MIN_SENTINEL_ROWS = 5
_MINUS_ONE_SHARE = 0.02
_MAX_LEVELS = 10_000


@check(
    "D6",
    "numbers-as-text",
    "mixed-types",
    thresholds=(Threshold("share of the rarer type", _MIXED_SHARE, "a lone digit among names is a name"),),
)
def mixed_types(context: AuditContext) -> Iterator[Finding]:
    """Category features in which some values are numbers and others are words, or all are numbers.

    Harm: Read as a category, a number loses its order, and every new number is an unseen level.
    """
    for column, levels in _text_levels(context):
        words = levels.filter(~levels["level"].str.to_lowercase().str.strip_chars().is_in(list(_PLACEHOLDERS)))
        numbers = words["level"].str.strip_chars().cast(pl.Float64, strict=False)
        rows = int(words["rows"].sum())
        share = int(words["rows"].filter(numbers.is_not_null()).sum()) / rows if rows else 0.0
        if share < _MIXED_SHARE or (share > 1 - 1e-12 and words.height <= 20):
            continue
        all_numbers = share > 1 - _MIXED_SHARE
        yield Finding(
            id="numbers-as-text" if all_numbers else "mixed-types",
            severity=Severity.WARNING,
            subject=column,
            message=f"{share:.1%} of the values are numbers written as text, in {words.height:,} levels.",
            why="Read as a category, a number loses its order, and every new number is an unseen level.",
            action="Mend the values that are not numbers, or declare the kind under data.types.",
            evidence={"share": share, "levels": words.height},
            row="D6",
        )


@check(
    "D6",
    "placeholder-value",
    thresholds=(
        Threshold("rows of a sentinel", _MIN_SENTINEL_ROWS, "one 999 may be a real value"),
        Threshold("share of -1", _MINUS_ONE_SHARE, "-1 is a common number; as a stand-in it is frequent"),
    ),
)
def placeholder_values(context: AuditContext) -> Iterator[Finding]:
    """Words and numbers that stand for a missing value: ``unknown``, ``n/a``, -999, 999 far from all others.

    Harm: A stand-in is taken for a real value: it bends means and scales and hides how much is missing.
    """
    for column, levels in _text_levels(context):
        held = levels.filter(levels["level"].str.to_lowercase().str.strip_chars().is_in(list(_PLACEHOLDERS)))
        rows = int(held["rows"].sum())
        if rows:
            yield _placeholder(context, column, held["level"][0], rows)
    for numeric in context.features_of(ColumnKind.NUMERIC):
        numbers = context.measured.numbers(numeric.name)
        found = _sentinel(numbers) if numbers is not None else None
        if found is not None:
            yield _placeholder(context, numeric.name, f"{found[0]:g}", found[1])


def _sentinel(numbers: Numbers) -> tuple[float, int] | None:
    """A largest or smallest value made of nines and further from the rest than the rest is wide, or a lone -1; its rows."""
    if numbers.distinct < 4 or len(numbers.lowest) < 2:
        return None
    (low, low_rows), (next_low, _) = numbers.lowest
    (high, high_rows), (next_high, _) = numbers.highest
    for value, rows, gap, width in (
        (low, low_rows, next_low - low, high - next_low),
        (high, high_rows, high - next_high, next_high - low),
    ):
        nines = value.is_integer() and _SENTINELS.fullmatch(str(int(value))) is not None
        if nines and rows >= _MIN_SENTINEL_ROWS and gap > width:
            return value, rows
    alone = low == -1 and next_low >= 0 and high > 10
    return (-1.0, low_rows) if numbers.whole and alone and low_rows >= _MINUS_ONE_SHARE * numbers.rows else None


def _placeholder(context: AuditContext, name: str, value: str, rows: int) -> Finding:
    """A value that seems to stand for a missing one."""
    share = rows / context.frame.height
    return Finding(
        id="placeholder-value",
        severity=Severity.INFO,
        subject=name,
        message=f"{rows:,} values ({share:.1%}) look like a stand-in for a missing one, such as {value!r}.",
        why="A stand-in is taken for a real value: it bends means and scales, and hides how much is missing.",
        action="If it means missing, make it null at the source; if it means something, keep it.",
        evidence={"value": value, "rows": rows, "share": share},
        row="D6",
    )


@check("D6", "spelling-variants")
def spelling_variants(context: AuditContext) -> Iterator[Finding]:
    """Levels that differ in case or spaces only.

    Harm: One thing under two names is two levels, each with fewer rows.
    """
    for column, levels in _text_levels(context):
        plain = levels["level"].str.to_lowercase().str.strip_chars().str.replace_all(r"\s+", " ")
        variants = levels.height - plain.n_unique()
        if variants:
            yield _untidy("spelling-variants", column, variants, "differ from another in case or spaces only")


def _untidy(check: str, column: str, levels: int, words: str) -> Finding:
    """Levels that are not written as they should be."""
    return Finding(
        id=check,
        severity=Severity.WARNING,
        subject=column,
        message=f"{levels:,} {'level' if levels == 1 else 'levels'} {words}.",
        why="One thing under two names is two levels, each with fewer rows; production may spell a third way.",
        action="Tidy the values at the source, where production data come from too.",
        evidence={"levels": levels},
        row="D6",
    )


def _text_levels(context: AuditContext) -> Iterator[tuple[str, pl.DataFrame]]:
    """Category features of text with their levels and rows; those with more than 10,000 levels are left out."""
    for column in context.features_of(ColumnKind.CATEGORY):
        if context.frame[column.name].dtype != pl.String:
            continue
        levels = context.measured.levels(column.name)
        if levels.distinct <= _MAX_LEVELS:
            yield column.name, levels.frame
