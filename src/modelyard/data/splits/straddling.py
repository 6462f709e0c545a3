"""What a split lets through: equal rows, groups and moments on both sides, as findings of counts only."""

import polars as pl

from modelyard.core import Finding, Severity
from modelyard.data.table import Table

__all__ = ["shared_groups", "shared_rows", "times_overlap", "unseen_classes"]


def shared_rows(train: Table, test: Table, columns: list[str]) -> tuple[Finding, ...]:
    """Rows of the test part that the training part holds too, equal in every one of ``columns``."""
    if not columns or train.height == 0 or test.height == 0:
        return ()
    seen = train.row_hashes(columns).unique()
    repeated = int(test.row_hashes(columns).is_in(seen.implode()).sum())
    if not repeated:
        return ()
    share = repeated / test.height
    return (
        Finding(
            id="duplicate-rows-straddle",
            severity=Severity.WARNING if share >= 0.01 else Severity.INFO,
            subject="",
            message=f"{repeated:,} of {test.height:,} test rows ({share:.1%}) have an exact copy in the training part.",
            why="A model that remembers rows is rewarded for it, so the test flatters it.",
            action="Remove repeated rows at the source, or declare what they have in common as data.group.",
            evidence={"rows": repeated, "share": share},
            row="D9",
        ),
    )


def shared_groups(train: pl.Series, test: pl.Series) -> tuple[Finding, ...]:
    """Declared groups with rows in both the training and the test part."""
    groups = test.drop_nulls().unique()
    shared = int(groups.is_in(train.drop_nulls().unique().implode()).sum())
    if not shared:
        return ()
    return (
        Finding(
            id="group-straddles",
            severity=Severity.WARNING,
            subject=train.name,
            message=f"{shared:,} of the test part's {len(groups):,} groups have rows in the training part too.",
            why="The test then says how well known groups are predicted, not new ones.",
            action="Set split.strategy: group if production meets new groups; keep it if it meets the same ones.",
            evidence={"groups": shared, "test_groups": len(groups)},
            row="D9",
        ),
    )


def times_overlap(train: pl.Series, test: pl.Series) -> tuple[Finding, ...]:
    """Training rows that are as late as the first test row, or later."""
    if train.is_empty() or test.is_empty():
        return ()
    late = int((train >= test.min()).sum())
    if not late:
        return ()
    return (
        Finding(
            id="time-straddles",
            severity=Severity.WARNING,
            subject=train.name,
            message=f"{late:,} of {len(train):,} training rows are not earlier than the first test row.",
            why="A model that has seen later rows knows what production will not know.",
            action="Set split.strategy: time, unless time plays no role in production.",
            evidence={"rows": late, "share": late / len(train)},
            row="D9",
        ),
    )


def unseen_classes(train: pl.Series, other: pl.Series, part: str) -> tuple[Finding, ...]:
    """Classes that occur in another part but not in the training part."""
    unseen = sorted(set(other.unique().to_list()) - set(train.unique().to_list()))
    if not unseen:
        return ()
    return (
        Finding(
            id="class-not-in-training",
            severity=Severity.WARNING,
            subject=train.name,
            message=f"{len(unseen)} classes of the {part} part do not occur in the training part.",
            why="No model can predict a class that it has never seen.",
            action="Collect more rows of the rare classes, or merge them at the source.",
            evidence={"classes": len(unseen)},
            row="D8",
        ),
    )
