"""Why a row is strange: what its score would be with a usual value in one column."""

from collections.abc import Callable

import numpy as np
import polars as pl

from modelyard.data import Column, ColumnKind, category_text
from modelyard.report import format_number, format_percent
from modelyard.unsupervised.anomalies.records import Reason
from modelyard.unsupervised.rows import Array

__all__ = ["UsualValues", "in_words", "reasons_for", "usual_values"]

_MOST_REASONS = 3
_LEAST_SHARE = 0.05
_LEAST_AMOUNT = 0.25

UsualValues = dict[str, tuple[object, str]]
"""Column to its usual value, and what is usual in words."""


def usual_values(frame: pl.DataFrame, columns: tuple[Column, ...]) -> UsualValues:
    """The median and the middle nine tenths of a number; the commonest value and its share of anything else."""
    return {column.name: _usual(frame[column.name].drop_nulls(), column) for column in columns}


def _usual(values: pl.Series, column: Column) -> tuple[object, str]:
    if values.is_empty():
        return None, "no value"
    if column.kind is ColumnKind.NUMERIC:
        low, middle, high = (values.quantile(share, "nearest") for share in (0.05, 0.5, 0.95))
        return middle, f"{format_number(low)} to {format_number(high)}"
    counts = values.value_counts(sort=True)
    value, count = counts.row(0)
    return value, f"{value} ({format_percent(count / len(values), 0)})"


def reasons_for(
    frame: pl.DataFrame, score: Callable[[pl.DataFrame], Array], usual: UsualValues
) -> list[tuple[Reason, ...]]:
    """For each row the columns whose usual value would make it less strange, the strongest first.

    Parameters
    ----------
    score
        How strange each row of a table is.
    usual
        Of every column that counts.
    """
    scored = score(frame)
    drops: dict[str, Array] = {}
    for name, (value, _) in usual.items():
        drops[name] = scored - score(frame.with_columns(pl.lit(value, dtype=frame[name].dtype).alias(name)))
    return [_strongest(frame, row, drops, usual, float(scored[row])) for row in range(frame.height)]


def _strongest(
    frame: pl.DataFrame, row: int, drops: dict[str, Array], usual: UsualValues, score: float
) -> tuple[Reason, ...]:
    least = max(_LEAST_AMOUNT, _LEAST_SHARE * abs(score))
    ordered = sorted(drops, key=lambda name: -drops[name][row])[:_MOST_REASONS]
    return tuple(
        Reason(name, _as_text(frame[name], row), usual[name][1], float(drops[name][row]))
        for name in ordered
        if np.isfinite(drops[name][row]) and drops[name][row] >= least
    )


def _as_text(values: pl.Series, row: int) -> str:
    value = values[row]
    if value is None:
        return "missing"
    return format_number(float(value)) if values.dtype.is_numeric() else str(category_text(values[row : row + 1])[0])


def in_words(reasons: tuple[Reason, ...]) -> str:
    """The columns that make a row strange, each with what is usual."""
    said = [f"{reason.column} is {reason.value} (usual: {reason.usual})" for reason in reasons]
    return "; ".join(said) or "no single column; the combination is rare"
