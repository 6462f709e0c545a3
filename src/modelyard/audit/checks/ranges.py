"""Values that the project file declares impossible."""

from collections.abc import Iterator

import polars as pl

from modelyard.audit.context import AuditContext
from modelyard.audit.registry import Threshold, check, declared
from modelyard.core import Finding, Severity

__all__ = ["impossible_values"]

_GRAVE_SHARE = 0.01


@check(
    "D6",
    "impossible-values",
    "range-without-numbers",
    thresholds=(
        Threshold("share for an error", _GRAVE_SHARE, "single slips are mended; one in a hundred has a cause"),
    ),
    needs=(declared("ranges"),),
)
def impossible_values(context: AuditContext) -> Iterator[Finding]:
    """Numbers outside the range that data.ranges declares; an error from 1 % of the rows on.

    Harm: What cannot be is an error of entry, of units or of a join, and the model learns it as a fact.
    """
    for name, (low, high) in context.problem.data.ranges.items():
        if name not in context.frame.columns or not context.frame[name].dtype.is_numeric():
            yield _unusable(name)
            continue
        column = pl.col(name).cast(pl.Float64)
        outside = column.is_nan() & False
        if low is not None:
            outside |= column < low
        if high is not None:
            outside |= column > high
        found = context.frame.filter(outside)[name]
        if found.len() == 0:
            continue
        share = found.len() / context.frame.height
        numbers = found.cast(pl.Float64).to_numpy()
        extremes = f"from {numbers.min():.6g} to {numbers.max():.6g}" if len(set(numbers)) > 1 else f"{numbers[0]:.6g}"
        yield Finding(
            id="impossible-values",
            severity=Severity.ERROR if share >= _GRAVE_SHARE else Severity.WARNING,
            subject=name,
            message=f"{found.len():,} values ({share:.2%}) are outside the declared range: {extremes}.",
            why="What cannot be is an error of entry, of units or of a join.",
            action="Correct these values at the source, make them null, or widen data.ranges if they can be.",
            evidence={"rows": found.len(), "share": share, "low": low, "high": high},
            row="D6",
        )


def _unusable(name: str) -> Finding:
    """A range of a column that has no numbers."""
    return Finding(
        id="range-without-numbers",
        severity=Severity.WARNING,
        subject=name,
        message="A range is declared under data.ranges, but there is no column of numbers by that name.",
        why="The range is not checked.",
        action="Correct the name, or declare the column numeric under data.types.",
        evidence={},
        row="D6",
    )
