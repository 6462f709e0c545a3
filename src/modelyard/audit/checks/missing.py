"""Values that are missing, columns that never vary, and gaps that tell something about the target."""

from collections.abc import Iterator

import polars as pl

from modelyard.audit.context import AuditContext
from modelyard.audit.signal import Binned, score_name, strength
from modelyard.core import Finding, Severity

__all__ = ["constant_columns", "missing_tells", "missing_values"]

_NOTED_SHARE = 0.05
_GRAVE_SHARE = 0.5
_NEARLY_CONSTANT = 0.995
_TELLING_STRENGTH = 0.15
_MIN_GAPS = 30


def missing_values(context: AuditContext) -> Iterator[Finding]:
    """Columns with gaps in at least 5 % of the rows; a warning from half of the rows on."""
    for name in context.compared_columns:
        gaps = context.frame[name].null_count()
        share = gaps / context.frame.height
        if share < _NOTED_SHARE or gaps == context.frame.height:
            continue
        yield Finding(
            id="missing-values",
            severity=Severity.WARNING if share >= _GRAVE_SHARE else Severity.INFO,
            subject=name,
            message=f"{gaps:,} of {context.frame.height:,} values ({share:.1%}) are missing.",
            why="What is missing is guessed; if gaps come about differently in production, predictions suffer.",
            action="Find out why values are missing; exclude the column if it will not be there in production.",
            evidence={"rows": gaps, "share": share},
            row="D5",
        )


def missing_tells(context: AuditContext) -> Iterator[Finding]:
    """Features whose gaps alone predict the target: 2·AUC − 1 or R² of at least 0.15, with 30 gaps or more."""
    if not context.scores:
        return
    for column in context.features:
        gaps = context.sample[column.name].is_null()
        if min(int(gaps.sum()), len(gaps) - int(gaps.sum())) < _MIN_GAPS:
            continue
        score = context.score_of_bins(Binned(gaps.cast(pl.Int64).to_numpy(), 2))
        if strength(score, context.task) < _TELLING_STRENGTH:
            continue
        yield Finding(
            id="missing-tells",
            severity=Severity.WARNING,
            subject=column.name,
            message=f"Whether the value is missing predicts the target: {score_name(context.task)} {score:.2f} by that alone.",
            why="Gaps that depend on the outcome often come from filling the column in after it.",
            action="Check when the column is filled in; keep it only if that is before the prediction.",
            evidence={"score": score, "gaps": int(gaps.sum())},
            row="D5",
        )


def constant_columns(context: AuditContext) -> Iterator[Finding]:
    """Columns with no value, one value, or one value in at least 99.5 % of the rows."""
    for column in context.train.schema.columns:
        # A split column is constant in the training part by its nature.
        if column.name in (context.roles.target, context.problem.split.column):
            continue
        values = context.frame[column.name]
        present = values.drop_nulls()
        if len(present) == 0:
            yield _constant("empty-column", column.name, "No row has a value.", Severity.WARNING, 0.0)
            continue
        if context.frame.height == 1:
            continue
        share = int(present.value_counts(name="rows")["rows"].max()) / len(values)  # type: ignore[arg-type]
        if share == 1.0:
            yield _constant("constant-column", column.name, "All rows have one value.", Severity.WARNING, share)
        elif share >= _NEARLY_CONSTANT:
            text = f"One value fills {share:.2%} of the rows."
            yield _constant("nearly-constant-column", column.name, text, Severity.INFO, share)


def _constant(check: str, name: str, message: str, severity: Severity, share: float) -> Finding:
    """A column that hardly varies."""
    return Finding(
        id=check,
        severity=severity,
        subject=name,
        message=message,
        why="A column that does not vary cannot help, and may vary for the first time in production.",
        action="Exclude the column, or find out why it stands still.",
        evidence={"share": share},
        row="D6",
    )
