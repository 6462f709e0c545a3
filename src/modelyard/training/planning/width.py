"""How wide a table is once it is encoded, roughly: what a fit costs goes by that, not by the columns of the source."""

from collections.abc import Iterable

import polars as pl

from modelyard.data import Column, ColumnKind
from modelyard.features.fitting import MAX_ONE_HOT_TREE

__all__ = ["matrix_width"]

_PARTS_OF_A_DATE = 6
_TERMS_OF_A_TEXT = 200


def matrix_width(frame: pl.DataFrame, columns: Iterable[Column]) -> int:
    """Features that the columns become: a category of a few levels one for each, a text some hundreds, a number one.

    >>> from modelyard.data import infer_schema
    >>> frame = pl.DataFrame({"age": [20.5, 31.0, 44.25, 60.0], "plan": ["a", "b", "c", "b"]})
    >>> matrix_width(frame, infer_schema(frame).columns)
    4
    """
    return sum(_width(frame[column.name], column.kind) for column in columns)


def _width(values: pl.Series, kind: ColumnKind) -> int:
    if kind is ColumnKind.DATE:
        return _PARTS_OF_A_DATE
    if kind is ColumnKind.TEXT:
        return _TERMS_OF_A_TEXT
    if kind is not ColumnKind.CATEGORY:
        return 1
    levels = values.n_unique()
    return levels if levels <= MAX_ONE_HOT_TREE else 1
