"""What the training rows are like, in a facet: counts, and the range of numbers where that tells of nobody."""

from collections.abc import Collection
from typing import Any

import polars as pl

from modelyard.data import ColumnKind, SplitFacts

__all__ = ["column_metrics"]


def column_metrics(facts: SplitFacts, personal: Collection[str]) -> dict[str, dict[str, Any]]:
    """For each column of the training part: missing values and distinct ones, and smallest and largest number.

    Of a column that is personal only the missing values are counted. Rows of the test part are not looked at; what
    a data version tells of its columns is therefore nothing, and of its training part this.

    Parameters
    ----------
    facts
        The split.
    personal
        Columns that the log hashes or drops.
    """
    frame = pl.scan_parquet(facts.train, glob=False)
    open_ = [column for column in facts.schema.columns if column.name not in personal]
    numeric = [column.name for column in open_ if column.kind is ColumnKind.NUMERIC]
    asked = {
        "nullCount": pl.all().null_count(),
        "distinctCount": pl.col([column.name for column in open_]).n_unique() if open_ else None,
        "min": pl.col(numeric).cast(pl.Float64).fill_nan(None).min() if numeric else None,
        "max": pl.col(numeric).cast(pl.Float64).fill_nan(None).max() if numeric else None,
    }
    found: dict[str, dict[str, Any]] = {column.name: {} for column in facts.schema.columns}
    for what, expression in asked.items():
        if expression is None:
            continue
        for name, value in frame.select(expression).collect().row(0, named=True).items():
            if value is not None:
                found[name][what] = value
    return found
