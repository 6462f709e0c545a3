"""Rows that come more than once, and equal rows with different answers."""

import math
from collections.abc import Iterator, Sequence

import polars as pl

from modelyard.audit.context import AuditContext
from modelyard.audit.registry import CLASSES, Threshold, check
from modelyard.core import Finding, Severity
from modelyard.data import ColumnKind

__all__ = ["contradictory_labels", "duplicate_rows"]

_NOTED_SHARE = 0.01
_KEY, _TARGET, _ANSWERS, _ROWS = "key", "target", "answers", "rows"
_ROOM_PER_ROW = 100
"""Possible combinations per row above which repeated rows are no coincidence."""


@check(
    "D6",
    "duplicate-rows",
    thresholds=(
        Threshold(
            "share for a warning", _NOTED_SHARE, "a copy in a hundred moves a score less than its interval is wide"
        ),
        Threshold("combinations per row", _ROOM_PER_ROW, "with fewer, rows must repeat by chance"),
    ),
)
def duplicate_rows(context: AuditContext) -> Iterator[Finding]:
    """Rows that repeat an earlier row in every column but identifiers and times.

    A warning from 1 % of the rows on, unless the columns are so coarse that rows must repeat by chance: no free text,
    and fewer than 100 possible combinations per row.

    Harm: Copies on both sides of a split let a model remember instead of learn.
    """
    columns = [*context.compared_columns, context.roles.target]
    frame = context.frame
    repeated = frame.height - _hashes_with_target(context).n_unique()
    if repeated == 0:
        return
    share = repeated / frame.height
    by_chance = _repeats_by_chance(context, columns)
    yield Finding(
        id="duplicate-rows",
        severity=Severity.WARNING if share >= _NOTED_SHARE and not by_chance else Severity.INFO,
        subject="",
        message=f"{repeated:,} of {frame.height:,} rows ({share:.1%}) repeat another row"
        + (", which columns with so few values make likely." if by_chance else "."),
        why="Copies on both sides of a split let a model remember instead of learn, and count twice in training.",
        action="Remove the copies at the source, unless each is an event of its own.",
        evidence={"rows": repeated, "share": share, "coincidence_likely": by_chance},
        row="D6",
    )


def _repeats_by_chance(context: AuditContext, columns: Sequence[str]) -> bool:
    """True if the columns' values could form fewer than 100 different rows for each row there is."""
    if any(context.train.schema.column(name).kind is ColumnKind.TEXT for name in columns):
        return False
    levels = (context.measured.distinct(name) + (context.frame[name].null_count() > 0) for name in columns)
    room = sum(math.log(max(number, 1)) for number in levels)
    return room < math.log(_ROOM_PER_ROW * context.frame.height)


@check(
    "D6",
    "contradictory-labels",
    thresholds=(
        Threshold("share for a warning", _NOTED_SHARE, "that much of the accuracy is out of reach for any model"),
    ),
    needs=(CLASSES,),
)
def contradictory_labels(context: AuditContext) -> Iterator[Finding]:
    """Classes only: rows that are equal in all features but differ in the target. A warning from 1 % of the rows on.

    Harm: No model can be right on both; the labels are wrong or a deciding column is not there.
    """
    columns = [name for name in context.compared_columns if name != context.roles.target]
    if not context.task.is_classification or not columns:
        return
    rows = context.row_hashes
    if rows.n_unique() == _hashes_with_target(context).n_unique():
        return
    pairs = pl.DataFrame([rows.alias(_KEY), context.frame[context.roles.target].alias(_TARGET)])
    answers = pl.col(_TARGET).n_unique().alias(_ANSWERS)
    groups = pairs.filter(pl.col(_KEY).is_duplicated()).group_by(_KEY).agg(answers, pl.len().alias(_ROWS))
    torn = groups.filter(pl.col(_ANSWERS) > 1)
    torn_rows = int(torn[_ROWS].sum())
    share = torn_rows / context.frame.height
    coarse = _repeats_by_chance(context, columns)
    yield Finding(
        id="contradictory-labels",
        severity=Severity.WARNING if share >= _NOTED_SHARE and not coarse else Severity.INFO,
        subject=context.roles.target,
        message=f"{torn_rows:,} rows ({share:.1%}) equal another row in all features but have another answer.",
        why="No model can be right on both; it is label noise, or a feature that decides is not in the table.",
        action="Look at such pairs: correct wrong labels, or add what tells the rows apart.",
        evidence={"rows": torn_rows, "share": share, "sets": torn.height},
        row="D6",
    )


def _hashes_with_target(context: AuditContext) -> pl.Series:
    """64 bits for each training row, of the compared columns and the target."""
    target = context.frame[context.roles.target]
    return pl.DataFrame([context.row_hashes.alias(_KEY), target.alias(_TARGET)]).hash_rows(seed=2)
