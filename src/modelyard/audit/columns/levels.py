"""What a column of names is: its levels and their rows, counted once for all who ask."""

import dataclasses

import polars as pl

__all__ = ["MAX_LEVELS", "Levels", "column_levels"]

MAX_LEVELS = 100_000
"""Levels that are kept, the commonest first; a column with more names things."""


@dataclasses.dataclass(frozen=True)
class Levels:
    """The different values of a column, missing ones aside.

    Parameters
    ----------
    frame
        Columns ``level`` and ``rows``; most rows first, then by level; at most :data:`MAX_LEVELS`.
    distinct
        Number of different values, also of those that are not kept.
    rows
        Rows with a value.
    """

    frame: pl.DataFrame
    distinct: int
    rows: int

    @property
    def most(self) -> int:
        """Rows of the commonest value; 0 if there is none."""
        return int(self.frame["rows"][0]) if self.distinct else 0


def column_levels(values: pl.Series) -> Levels:
    """Count the levels of a column of any type."""
    present = values.drop_nulls().alias("level")
    counted = present.value_counts(name="rows")
    if counted.height > MAX_LEVELS:
        kept = counted.top_k(MAX_LEVELS, by=["rows", "level"], reverse=[False, True])
    else:
        kept = counted
    return Levels(kept.sort(["rows", "level"], descending=[True, False]), counted.height, len(present))
