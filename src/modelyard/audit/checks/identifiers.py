"""Columns that name rows, ids that repeat, and categories with too many levels."""

from collections.abc import Iterator

import polars as pl

from modelyard.audit.context import AuditContext
from modelyard.audit.registry import Threshold, check, declared
from modelyard.core import Finding, Severity
from modelyard.data import ColumnKind
from modelyard.data.schema import looks_like_identifier

__all__ = ["high_cardinality", "identifiers", "repeated_ids"]

_MANY_LEVELS = 100
_LEVELS_PER_ROW = 0.1
_DISTINCT_SHARE = 0.99
_MIN_ROWS = 50
_COUNTER_DENSITY = 0.5
_UUID = r"(?i)^\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?$"


@check(
    "D6",
    "identifier",
    thresholds=(
        Threshold("share of different values", _DISTINCT_SHARE, "a name of rows is different in each, save for slips"),
        Threshold(
            "density of a counter",
            _COUNTER_DENSITY,
            "different whole numbers that fill half of their range were counted out",
        ),
        Threshold("rows", _MIN_ROWS, "fewer values may all differ by chance"),
    ),
)
def identifiers(context: AuditContext) -> Iterator[Finding]:
    """Columns recognised as identifiers, and features that are named or filled like one: counters in any order, UUIDs.

    Harm: A model that learns from names remembers rows and meets only new names in production.
    """
    for column in context.train.schema.columns:
        name = column.name
        if name == context.roles.target:
            continue
        used = name in context.roles.features
        looks = "a name" if column.kind is ColumnKind.IDENTIFIER else _looks_like(context, name) if used else ""
        if not looks:
            continue
        gaps = context.frame[name].null_count()
        distinct = (context.measured.distinct(name) + (gaps > 0)) / context.frame.height
        yield Finding(
            id="identifier",
            severity=Severity.WARNING if used else Severity.INFO,
            subject=name,
            message=f"The column names rows: {distinct:.1%} of its values are different."
            + (" It is used as a feature." if used else " It is not used as a feature."),
            why="A model that learns from names remembers rows, and meets only new names in production.",
            action="Set data.id to it if it is the row's id, or exclude it."
            if used
            else "Nothing; or set data.id to it.",
            evidence={"distinct_share": distinct, "used": used, "looks_like": looks},
            row="D6",
        )


def _looks_like(context: AuditContext, name: str) -> str:
    """What a feature looks like that names rows: ``a name``, ``a counter``, ``a UUID``; ``""`` for none of them."""
    column = context.frame[name]
    rows = len(column) - column.null_count()
    if rows < _MIN_ROWS or column.dtype.is_float() or column.dtype.is_temporal():
        return ""
    if column.dtype == pl.String:
        if context.measured.levels(name).frame["level"].str.contains(_UUID).all():
            return "a UUID"
    elif column.dtype.is_integer() and context.measured.distinct(name) == rows:
        values = column.drop_nulls()
        span = int(values.max()) - int(values.min()) + 1  # type: ignore[arg-type]  # integers, and at least fifty
        if rows >= _COUNTER_DENSITY * span or values.is_sorted() or values.is_sorted(descending=True):
            return "a counter"
    return "a name" if looks_like_identifier(name) and context.measured.distinct(name) >= _DISTINCT_SHARE * rows else ""


@check("D9", "id-repeats", needs=(declared("id"),))
def repeated_ids(context: AuditContext) -> Iterator[Finding]:
    """A declared id that does not name one row.

    Harm: Rows of one id on both sides of a split tell the model the answer.
    """
    name = context.roles.id
    if name is None or name not in context.frame.columns:
        return
    values = context.frame[name]
    repeats = len(values) - values.n_unique()
    if repeats == 0:
        return
    yield Finding(
        id="id-repeats",
        severity=Severity.WARNING,
        subject=name,
        message=f"{repeats:,} of {len(values):,} rows ({repeats / len(values):.1%}) have an id that came before.",
        why="Rows of one id belong together; on both sides of a split they tell the model the answer.",
        action="Declare the column as data.group, or remove the copies at the source.",
        evidence={"rows": repeats, "share": repeats / len(values)},
        row="D9",
    )


@check(
    "D6",
    "high-cardinality",
    thresholds=(
        Threshold("levels", _MANY_LEVELS, "more than one-hot columns can carry"),
        Threshold("levels per row for a warning", _LEVELS_PER_ROW, "fewer than ten rows to a level teach little"),
    ),
)
def high_cardinality(context: AuditContext) -> Iterator[Finding]:
    """Category features with more than 100 levels; a warning if there are fewer than ten rows to a level.

    Harm: Rare levels teach little, and production brings new ones.
    """
    for column in context.features_of(ColumnKind.CATEGORY):
        levels = context.measured.distinct(column.name)
        if levels <= _MANY_LEVELS:
            continue
        rows = context.frame.height - context.frame[column.name].null_count()
        yield Finding(
            id="high-cardinality",
            severity=Severity.WARNING if levels > _LEVELS_PER_ROW * rows else Severity.INFO,
            subject=column.name,
            message=f"The category has {levels:,} levels, {rows / levels:.1f} rows to each.",
            why="Rare levels teach little, and new ones come up in production.",
            action="Merge levels into larger ones that mean something, or exclude the column if it names things.",
            evidence={"levels": levels, "rows_per_level": rows / levels},
            row="D6",
        )
