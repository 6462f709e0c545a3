"""Why a row is strange: what its score would be with a usual value in one column."""

import numpy as np
import polars as pl

from modelyard.data import Column, ColumnKind, category_text
from modelyard.features.encoder import TableEncoder
from modelyard.report import format_number, format_percent
from modelyard.unsupervised.anomalies.detectors import Detector
from modelyard.unsupervised.anomalies.records import Reason
from modelyard.unsupervised.rows import Array

__all__ = ["UsualValues", "reasons_for", "usual_values"]

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
    frame: pl.DataFrame, encoder: TableEncoder, detector: Detector, columns: tuple[Column, ...], usual: UsualValues
) -> list[tuple[Reason, ...]]:
    """For each row the columns whose usual value would make it less strange, the strongest first."""
    scored = detector.score(encoder.transform(frame))
    drops: dict[str, Array] = {}
    for column in columns:
        other = frame.with_columns(pl.lit(usual[column.name][0], dtype=frame[column.name].dtype).alias(column.name))
        drops[column.name] = scored - detector.score(encoder.transform(other))
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
