"""Facts about every column of the training part: counts, quantiles, frequent values."""

import polars as pl

from modelyard.audit.columns import Levels, Numbers, column_numbers
from modelyard.audit.context import AuditContext
from modelyard.audit.records import ColumnFacts, LevelShare
from modelyard.data import Column, ColumnKind

__all__ = ["column_facts"]

_ORDERED = (ColumnKind.NUMERIC, ColumnKind.DATE, ColumnKind.IDENTIFIER)
_TOP = 5
_LONGEST_VALUE = 60


def column_facts(context: AuditContext) -> tuple[ColumnFacts, ...]:
    """One record per column of the training part, in the table's order."""
    return tuple(_facts(context, column) for column in context.train.schema.columns)


def _facts(context: AuditContext, column: Column) -> ColumnFacts:
    """The facts of one column."""
    values = context.frame[column.name]
    numbers = context.measured.numbers(column.name) if column.kind in _ORDERED else None
    binary = column.kind is ColumnKind.BOOLEAN or values.dtype == pl.Boolean
    measured = (
        _of_booleans(values) if binary else numbers if column.kind is not ColumnKind.DATE else None
    ) or Numbers()
    sketched = numbers or Numbers()
    return ColumnFacts(
        name=column.name,
        kind=column.kind.value,
        role=_role(context, column.name),
        missing=values.null_count() / len(values) if len(values) else 0.0,
        distinct=context.measured.distinct(column.name),
        mean=measured.mean,
        sd=measured.sd,
        quantiles=sketched.quantiles,
        counts=sketched.counts,
        zeros=measured.zeros if measured.rows else None,
        skewness=None if binary else measured.skewness,
        top=_top(context.measured.levels(column.name), len(values)) if numbers is None else (),
        score=context.scores.get(column.name),
    )


def _of_booleans(values: pl.Series) -> Numbers:
    """Figures of a column of true and false, or of two numbers, as 0 and 1."""
    return column_numbers(values.cast(pl.Float64, strict=False))


def _role(context: AuditContext, name: str) -> str:
    """What the column is for."""
    if name == context.roles.target:
        return "target"
    return "feature" if name in context.roles.features else context.roles.excluded.get(name, "not used")


def _top(levels: Levels, rows: int) -> tuple[LevelShare, ...]:
    """The most frequent values; ties by name."""
    first = levels.frame.head(_TOP).select(pl.col("level").cast(pl.String), "rows")
    return tuple(LevelShare(_short(level), count / rows) for level, count in first.rows())


def _short(value: str) -> str:
    """Long text cut, so that a report stays small."""
    return value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 1] + "…"
