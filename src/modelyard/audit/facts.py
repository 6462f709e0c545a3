"""Facts about every column of the training part: counts, quantiles, frequent values."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.audit.context import AuditContext
from modelyard.audit.records import ColumnFacts, LevelShare
from modelyard.data import Column, ColumnKind

__all__ = ["column_facts"]

_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_SKETCH_BINS = 20
_TOP = 5
_LONGEST_VALUE = 60
_SECONDS_PER_DAY = 86_400.0


def column_facts(context: AuditContext) -> tuple[ColumnFacts, ...]:
    """One record per column of the training part, in the table's order."""
    return tuple(_facts(context, column) for column in context.train.schema.columns)


def _facts(context: AuditContext, column: Column) -> ColumnFacts:
    """The facts of one column."""
    values = context.frame[column.name]
    present = values.drop_nulls()
    numbers = _as_numbers(present, column.kind)
    measured = numbers if numbers is not None and column.kind is not ColumnKind.DATE else None
    sketched = numbers is not None and column.kind is not ColumnKind.BOOLEAN
    return ColumnFacts(
        name=column.name,
        kind=column.kind.value,
        role=_role(context, column.name),
        missing=1 - len(present) / len(values) if len(values) else 0.0,
        distinct=present.n_unique(),
        mean=_finite(np.mean, measured),
        sd=_finite(np.std, measured),
        quantiles=_quantiles(numbers) if numbers is not None and sketched else (),
        counts=_sketch(numbers) if numbers is not None and sketched else (),
        top=() if sketched else _top(present, len(values)),
        score=context.scores.get(column.name),
    )


def _role(context: AuditContext, name: str) -> str:
    """What the column is for."""
    if name == context.roles.target:
        return "target"
    return "feature" if name in context.roles.features else context.roles.excluded.get(name, "not used")


def _as_numbers(present: pl.Series, kind: ColumnKind) -> npt.NDArray[np.float64] | None:
    """Values as finite float64; dates in days since 1970; None for kinds that are not numbers."""
    if kind is ColumnKind.DATE and present.dtype.is_temporal() and present.dtype != pl.Time:
        numbers = present.cast(pl.Datetime("us")).dt.epoch("s").cast(pl.Float64).to_numpy() / _SECONDS_PER_DAY
    elif present.dtype == pl.Boolean or (present.dtype.is_numeric() and kind is not ColumnKind.CATEGORY):
        numbers = present.cast(pl.Float64).to_numpy()
    else:
        return None
    return numbers[np.isfinite(numbers)]


def _finite(
    statistic: Callable[[npt.NDArray[np.float64]], Any], numbers: npt.NDArray[np.float64] | None
) -> float | None:
    """A statistic that JSON can hold; None without numbers, or where huge ones overflow it."""
    if numbers is None or len(numbers) == 0:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        value = float(statistic(numbers))
    return value if np.isfinite(value) else None


def _quantiles(numbers: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """The seven quantiles; none without values."""
    return tuple(float(q) for q in np.quantile(numbers, _QUANTILES, method="nearest")) if len(numbers) else ()


def _sketch(numbers: npt.NDArray[np.float64]) -> tuple[int, ...]:
    """Counts in equal-width bins; one bin if all values are equal."""
    if len(numbers) == 0:
        return ()
    low, high = float(numbers.min()), float(numbers.max())
    width = high / _SKETCH_BINS - low / _SKETCH_BINS
    if not low < high or not np.isfinite(width) or low + width == low:
        return (len(numbers),)
    places = np.clip(((numbers / width) - (low / width)).astype(np.int64), 0, _SKETCH_BINS - 1)
    return tuple(int(count) for count in np.bincount(places, minlength=_SKETCH_BINS))


def _top(present: pl.Series, rows: int) -> tuple[LevelShare, ...]:
    """The most frequent values; ties by name."""
    if len(present) == 0:
        return ()
    counted = present.cast(pl.String).alias("value").value_counts(name="count")
    first = counted.top_k(_TOP, by=["count", "value"], reverse=[False, True]).sort(
        ["count", "value"], descending=[True, False]
    )
    return tuple(LevelShare(_short(value), count / rows) for value, count in first.rows())


def _short(value: str) -> str:
    """Long text cut, so that a report stays small."""
    return value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 1] + "…"
