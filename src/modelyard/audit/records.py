"""What an audit gives: findings, and facts about every column."""

import dataclasses

from modelyard.core import Finding, Record

__all__ = ["AuditReport", "ColumnFacts", "LevelShare"]


@dataclasses.dataclass(frozen=True)
class LevelShare(Record):
    """A frequent value of a column and the share of rows that have it."""

    value: str
    share: float


@dataclasses.dataclass(frozen=True)
class ColumnFacts(Record):
    """One column of the training part, in numbers.

    Parameters
    ----------
    name, kind
        As in the schema.
    role
        ``feature``, ``target``, or why the column is not a feature.
    missing
        Share of rows without a value, 0 to 1.
    distinct
        Number of different values, missing ones not counted.
    mean, sd
        Of numbers and of booleans (as 0 and 1); None for other kinds, or if there is no value.
    quantiles
        Values at the 0, 5, 25, 50, 75, 95 and 100 % ranks of numbers; of dates, in days since 1 January 1970.
    counts
        Rows in equal-width bins between the first and the last quantile (at most 20); for a sketch of the
        distribution. Empty for categories.
    top
        The most frequent values with their shares, at most five; for categories, booleans and text.
    score
        How well the column alone predicts the target in rows held out: ROC AUC for classes (macro, one against
        the rest), R² for numbers. None for columns that are not features.
    """

    name: str
    kind: str
    role: str
    missing: float
    distinct: int
    mean: float | None = None
    sd: float | None = None
    quantiles: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    top: tuple[LevelShare, ...] = ()
    score: float | None = None


@dataclasses.dataclass(frozen=True)
class AuditReport(Record):
    """What was seen in the training part.

    Parameters
    ----------
    rows, columns
        Size of the training part.
    findings
        Gravest first, then in the order of the checks.
    column_facts
        One per column, in the table's order.
    score_name
        What ``ColumnFacts.score`` is: "ROC AUC" or "R²".
    checks
        Names of the checks that ran.
    """

    rows: int
    columns: int
    findings: tuple[Finding, ...]
    column_facts: tuple[ColumnFacts, ...]
    score_name: str = ""
    checks: tuple[str, ...] = ()
