"""Columns whose shape asks for care: long tails, heaps at zero, levels that hardly occur."""

from collections.abc import Iterator

import polars as pl

from modelyard.audit.columns import Numbers
from modelyard.audit.context import AuditContext
from modelyard.audit.registry import Threshold, at_least_rows, check
from modelyard.core import Finding, Severity
from modelyard.data import ColumnKind

__all__ = ["rare_categories", "skew", "zero_inflation"]

_LONG_TAIL = 3.0
_HEAP = 0.5
_MIN_DISTINCT = 20
_FEW_ROWS = 10
_MANY_LEVELS = 100
_MIN_ROWS = 200


@check(
    "D5",
    "skewed",
    thresholds=(
        Threshold("skewness", _LONG_TAIL, "an exponential column has 2; beyond 3 a mean says little of most rows"),
        Threshold("different values", _MIN_DISTINCT, "fewer are levels rather than a scale"),
    ),
    needs=(at_least_rows(_MIN_ROWS),),
)
def skew(context: AuditContext) -> Iterator[Finding]:
    """Numeric features, and a numeric target, with a long tail: skewness of 3 or more without the outermost 0.5 %.

    Harm: Linear models, distances and squared errors follow the tail and neglect most rows.
    """
    for name, numbers in _numbers(context):
        skewness = numbers.skewness
        if skewness is None or abs(skewness) < _LONG_TAIL or numbers.zeros >= _HEAP:
            continue
        yield Finding(
            id="skewed",
            severity=Severity.INFO,
            subject=name,
            message=f"The values have a long {'right' if skewness > 0 else 'left'} tail: skewness {skewness:.1f}.",
            why="Linear models, distances and squared errors follow the tail and neglect most rows.",
            action="Trees do not mind; for linear models use a logarithm or ranks. For a target, ask which error counts.",
            evidence={"skewness": skewness},
            row="D5",
        )


@check(
    "D5",
    "zero-inflated",
    thresholds=(Threshold("share of zeros", _HEAP, "when the median is zero, means and spreads describe no row"),),
    needs=(at_least_rows(_MIN_ROWS),),
)
def zero_inflation(context: AuditContext) -> Iterator[Finding]:
    """Numeric features, and a numeric target, of which at least half are exactly zero and the rest a scale.

    Harm: Two questions (whether, and how much) are answered as one; means and scales describe no row.
    """
    for name, numbers in _numbers(context):
        share = numbers.zeros
        if share < _HEAP:
            continue
        yield Finding(
            id="zero-inflated",
            severity=Severity.INFO,
            subject=name,
            message=f"{share:.1%} of the values are exactly zero; the others are spread.",
            why="Two questions, whether and how much, are answered as one.",
            action="Ask whether zero means none or unknown; linear models gain from a column that says zero or not.",
            evidence={"share": share},
            row="D5",
        )


def _numbers(context: AuditContext) -> Iterator[tuple[str, Numbers]]:
    """Numeric features and a numeric target, where there are enough different values."""
    names = [column.name for column in context.features_of(ColumnKind.NUMERIC)]
    if not context.task.is_classification:
        names.append(context.roles.target)
    for name in names:
        numbers = context.measured.numbers(name)
        if numbers is not None and numbers.rows >= _MIN_ROWS and numbers.distinct >= _MIN_DISTINCT:
            yield name, numbers


@check(
    "D6",
    "rare-categories",
    thresholds=(
        Threshold("rows of a level", _FEW_ROWS, "with five folds a fold has two of them"),
        Threshold("levels", _MANY_LEVELS, "beyond, the column is reported for its many levels"),
    ),
    needs=(at_least_rows(_MIN_ROWS),),
)
def rare_categories(context: AuditContext) -> Iterator[Finding]:
    """Category features with levels of fewer than ten rows.

    Harm: Such levels are learnt by heart or not at all, and a fold may meet one for the first time.
    """
    for column in context.features_of(ColumnKind.CATEGORY):
        counts = context.measured.levels(column.name).frame
        rare = counts.filter(pl.col("rows") < _FEW_ROWS)
        if rare.height == 0 or not 2 < counts.height <= _MANY_LEVELS:
            continue
        names = sorted(str(level) for level in rare["level"].to_list())
        yield Finding(
            id="rare-categories",
            severity=Severity.INFO,
            subject=column.name,
            message=f"{rare.height:,} of {counts.height:,} levels have fewer than {_FEW_ROWS} rows, such as {names[0]!r}.",
            why="Such levels are learnt by heart or not at all.",
            action="Merge them into larger levels that mean something; slips of the pen are often among them.",
            evidence={"levels": names[:20], "rows": int(rare["rows"].sum())},
            row="D6",
        )
