"""Choosing a column's encoding from training rows: the only place where encodings learn anything."""

import math

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import DataError
from modelyard.data import Column, ColumnKind
from modelyard.features.encodings import (
    BooleanEncoding,
    CategoryEncoding,
    CategoryStyle,
    ConstantEncoding,
    DateEncoding,
    DatePart,
    Encoding,
    EncodingStyle,
    NumericEncoding,
)
from modelyard.features.values import booleans_in, categories_in, moments_in, numbers_in

__all__ = ["fit_encoding"]

MISSING_SHARE = 0.01
"""From this share of missing values on, that a value is missing becomes a feature of its own."""

FREQUENT_SHARE = 0.005
"""Linear models: levels below this share of the rows go to the infrequent bucket."""

MAX_ONE_HOT_LINEAR = 30
MAX_ONE_HOT_TREE = 12
MAX_LEVELS = 1_000
"""Levels remembered as codes or as infrequent, so that a package stays small; the others count as unseen."""

_CALENDAR = ("month", "day", "weekday", "hour")


def fit_encoding(column: Column, series: pl.Series, style: EncodingStyle, *, calendar_only: bool = False) -> Encoding:
    """The encoding of one column, learned from the training rows in ``series``.

    The order of the rows does not matter, but for the last bit of means.

    Parameters
    ----------
    column
        Name and kind. The kind decides how values are read, whatever the series' own type.
    series
        The training rows of the column; at least one row.
    style
        What the estimator needs.
    calendar_only
        True for a column whose elapsed days must not become a feature: the time column by which rows are split,
        whose later values a model has never seen.

    Raises
    ------
    DataError
        If the kind cannot be a feature (text and identifiers).
    """
    if column.kind is ColumnKind.NUMERIC:
        return _fit_numeric(column.name, series, style)
    if column.kind is ColumnKind.CATEGORY:
        return _fit_category(column.name, series, style)
    if column.kind is ColumnKind.BOOLEAN:
        return _fit_boolean(column.name, series, style)
    if column.kind is ColumnKind.DATE:
        return _fit_date(column.name, series, style, calendar_only=calendar_only)
    raise DataError(
        "a column of this kind cannot be a feature yet",
        where=f"column {column.name!r}",
        got=f"kind {column.kind.value}",
        cure="Exclude the column, or declare another kind under data.types in the project file",
    )


def _fit_numeric(name: str, series: pl.Series, style: EncodingStyle) -> Encoding:
    """Median for gaps, mean and standard deviation for linear models."""
    values = numbers_in(series)
    present = values[~np.isnan(values)]
    often_missing = _often_missing(len(present), len(values))
    if len(present) == 0 or (present.min() == present.max() and not often_missing):
        return ConstantEncoding(name, _constant_reason(len(present)))
    if style is EncodingStyle.TREE:
        return NumericEncoding(name)
    center, scale = _location_and_scale(present, style)
    return NumericEncoding(name, fill=_median(present), center=center, scale=scale, indicator=often_missing)


def _fit_category(name: str, series: pl.Series, style: EncodingStyle) -> Encoding:
    """One-hot while there are few levels, then an infrequent bucket (linear) or codes by frequency (trees)."""
    levels, counts = _levels_by_frequency(categories_in(series))
    rows = len(series)
    often_missing = _often_missing(int(counts.sum()), rows)
    if len(levels) == 0 or (len(levels) == 1 and not often_missing):
        return ConstantEncoding(name, _constant_reason(len(levels)))
    if style is EncodingStyle.LINEAR:
        kept = min(int((counts >= FREQUENT_SHARE * rows).sum()), MAX_ONE_HOT_LINEAR)
        if kept == 0 and not often_missing:
            return ConstantEncoding(name, f"each of its {len(levels):,} levels is rarer than {FREQUENT_SHARE:.1%}")
        rare = levels[kept : kept + MAX_LEVELS]
        return CategoryEncoding(name, CategoryStyle.ONE_HOT, levels[:kept], infrequent=rare, indicator=often_missing)
    if len(levels) <= MAX_ONE_HOT_TREE:
        return CategoryEncoding(name, CategoryStyle.ONE_HOT, levels, indicator=often_missing)
    missing_code = -1.0 if style is EncodingStyle.FOREST else None
    return CategoryEncoding(name, CategoryStyle.CODES, levels[:MAX_LEVELS], missing_code=missing_code)


def _fit_boolean(name: str, series: pl.Series, style: EncodingStyle) -> Encoding:
    """0 and 1; gaps are the more frequent value (linear), NaN (trees) or -1 (forests)."""
    values = booleans_in(series).drop_nulls()
    often_missing = _often_missing(len(values), len(series))
    share = 0.0 if len(values) == 0 else float(values.sum()) / len(values)
    if len(values) == 0 or (share in (0.0, 1.0) and not often_missing):
        return ConstantEncoding(name, _constant_reason(len(values)))
    if style is EncodingStyle.TREE:
        return BooleanEncoding(name)
    if style is EncodingStyle.FOREST:
        return BooleanEncoding(name, fill=-1.0)
    return BooleanEncoding(name, fill=1.0 if share >= 0.5 else 0.0, indicator=often_missing)


def _fit_date(name: str, series: pl.Series, style: EncodingStyle, *, calendar_only: bool) -> Encoding:
    """The calendar parts that vary in training, and elapsed days unless ``calendar_only``."""
    moments = moments_in(series)
    present = moments.drop_nulls()
    often_missing = _often_missing(len(present), len(moments))
    wanted = _CALENDAR if calendar_only else (*_CALENDAR, "epoch_days")
    raw = DateEncoding(name, tuple(DatePart(part) for part in wanted)).encode_series(present)
    varying = [place for place in range(raw.shape[1]) if len(raw) and raw[:, place].min() < raw[:, place].max()]
    indicator = often_missing and style is not EncodingStyle.TREE
    if not varying and not (often_missing and len(present)):
        return ConstantEncoding(name, _constant_reason(len(present)))
    if not varying:  # one moment or none: which of the two is all it tells
        varying, indicator = [], True
    return DateEncoding(name, tuple(_date_part(wanted[place], raw[:, place], style) for place in varying), indicator)


def _date_part(part: str, values: npt.NDArray[np.float64], style: EncodingStyle) -> DatePart:
    """One part with its fill and scale."""
    if style is EncodingStyle.TREE:
        return DatePart(part)
    center, scale = _location_and_scale(values, style)
    return DatePart(part, fill=_median(values), center=center, scale=scale)


def _location_and_scale(present: npt.NDArray[np.float64], style: EncodingStyle) -> tuple[float, float]:
    """Mean and standard deviation for linear models, else 0 and 1; also where huge numbers overflow them."""
    if style is not EncodingStyle.LINEAR:
        return 0.0, 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        center, scale = float(present.mean()), float(present.std())
    if not math.isfinite(center) or not math.isfinite(scale):
        return 0.0, float(np.abs(present).max())
    return center, scale if scale > 0 else 1.0


def _median(present: npt.NDArray[np.float64]) -> float:
    """The median, halved before adding so that huge numbers do not overflow."""
    low, high = np.quantile(present, 0.5, method="lower"), np.quantile(present, 0.5, method="higher")
    return float(low) if low == high else float(low / 2 + high / 2)


def _levels_by_frequency(categories: pl.Series) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """Levels, most frequent first and then by name, with their counts; missing values left out."""
    counted = categories.drop_nulls().alias("level").value_counts(name="count")
    ordered = counted.sort(["count", "level"], descending=[True, False])
    return tuple(ordered["level"].to_list()), ordered["count"].cast(pl.Int64).to_numpy()


def _often_missing(present: int, rows: int) -> bool:
    """True if at least one row in a hundred has no value."""
    return rows - present >= MISSING_SHARE * rows and present < rows


def _constant_reason(present: int) -> str:
    """Why a column is dropped."""
    return "no value in the training rows" if present == 0 else "one value in all training rows"
