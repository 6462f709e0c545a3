"""Values that are missing, columns that never vary, and gaps that tell something about the target."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from modelyard.audit.checks.collinearity import clusters
from modelyard.audit.context import AuditContext
from modelyard.audit.registry import Threshold, at_least_rows, at_most_features, check
from modelyard.audit.signal import Binned, score_name, strength
from modelyard.core import Finding, Severity

__all__ = ["constant_columns", "missing_tells", "missing_together", "missing_values"]

_NOTED_SHARE = 0.05
_GRAVE_SHARE = 0.5
_NEARLY_CONSTANT = 0.995
_TELLING_STRENGTH = 0.15
_MIN_GAPS = 30
_TOGETHER = 0.95
_MOST_FEATURES = 2_000


@check(
    "D5",
    "missing-values",
    thresholds=(
        Threshold("share for a note", _NOTED_SHARE, "fewer gaps hardly move a column that is filled with its median"),
        Threshold("share for a warning", _GRAVE_SHARE, "from here on most of the column is a guess"),
    ),
)
def missing_values(context: AuditContext) -> Iterator[Finding]:
    """Columns with gaps in at least 5 % of the rows; a warning from half of the rows on.

    Harm: What is missing is guessed; if gaps come about differently in production, predictions suffer.
    """
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


@check(
    "D5",
    "missing-tells",
    thresholds=(
        Threshold(
            "strength", _TELLING_STRENGTH, "gaps at random reach 0.03 on a thousand rows; 0.15 is an AUC of 0.575"
        ),
        Threshold("gaps", _MIN_GAPS, "fewer cannot be told from chance"),
    ),
    needs=(at_least_rows(20),),
)
def missing_tells(context: AuditContext) -> Iterator[Finding]:
    """Features whose gaps alone predict the target: 2·AUC − 1 or R² of at least 0.15, with 30 gaps or more.

    Harm: Gaps that depend on the outcome often come from filling the column in after it: a leak.
    """
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


@check(
    "D6",
    "empty-column",
    "constant-column",
    "nearly-constant-column",
    thresholds=(
        Threshold(
            "share of one value", _NEARLY_CONSTANT, "with one row in two hundred that differs, a fold has next to none"
        ),
    ),
)
def constant_columns(context: AuditContext) -> Iterator[Finding]:
    """Columns with no value, one value, or one value in at least 99.5 % of the rows.

    Harm: A column that stands still cannot help, and may vary for the first time in production.
    """
    for column in context.train.schema.columns:
        # A split column is constant in the training part by its nature.
        if column.name in (context.roles.target, context.problem.split.column):
            continue
        values = context.frame[column.name]
        if values.null_count() == len(values):
            yield _constant("empty-column", column.name, "No row has a value.", Severity.WARNING, 0.0)
            continue
        if context.frame.height == 1:
            continue
        share = context.measured.most(column.name) / len(values)
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


@check(
    "D5",
    "missing-together",
    thresholds=(
        Threshold("shared gaps", _TOGETHER, "columns filled in together have the same gaps, save for slips"),
        Threshold("gaps", _MIN_GAPS, "fewer cannot be told from chance"),
    ),
    needs=(at_least_rows(100), at_most_features(_MOST_FEATURES)),
)
def missing_together(context: AuditContext) -> Iterator[Finding]:
    """Sets of features that miss their values in the same rows: at least 95 % of the gaps of any two are shared.

    Harm: One source that fails takes all of them away at once, and as many flags of missing values say one thing.
    """
    rows = context.sample.height
    gaps = {column.name: context.sample[column.name].is_null() for column in context.features if column.nullable}
    names = [name for name, mask in gaps.items() if _MIN_GAPS <= int(mask.sum()) < rows]
    if len(names) < 2:
        return
    masks = np.column_stack([gaps[name].to_numpy() for name in names]).astype(np.float32)
    both = (masks.T @ masks).astype(np.float64)
    either = both.diagonal()[:, np.newaxis] + both.diagonal() - both
    for cluster in clusters(both / either >= _TOGETHER):
        members = [names[place] for place in cluster]
        count = int(both[cluster[0], cluster[0]])
        yield Finding(
            id="missing-together",
            severity=Severity.INFO,
            subject=", ".join(members[:5]) + (" …" if len(members) > 5 else ""),
            message=f"{len(members)} features miss their values in the same rows ({count:,} of {rows:,} looked at).",
            why="They come from one source: when it fails, all are gone at once.",
            action="Find the source, and whether production has it; one flag of missing values is enough for all.",
            evidence={"features": members, "rows": count},
            row="D5",
        )
