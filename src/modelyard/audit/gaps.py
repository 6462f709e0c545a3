"""Which columns are missing together: the patterns of gaps, the commonest first."""

import polars as pl

from modelyard.audit.context import AuditContext
from modelyard.audit.records import GapPattern

__all__ = ["gap_patterns"]

_MOST_PATTERNS = 12


def gap_patterns(context: AuditContext) -> tuple[GapPattern, ...]:
    """The commonest patterns of gaps, at most twelve; empty if no value is missing."""
    frame = context.frame
    counts = frame.null_count().row(0)
    holed = [name for name, count in zip(frame.columns, counts, strict=True) if count]
    if not holed:
        return ()
    patterns = (
        frame.select(pl.col(holed).is_null())
        .group_by(holed)
        .agg(pl.len().alias("__rows"))
        .sort("__rows", *holed, descending=True)
        .head(_MOST_PATTERNS)
    )
    return tuple(
        GapPattern(tuple(name for name, gap in zip(holed, row, strict=False) if gap), int(row[-1]))
        for row in patterns.rows()
    )
