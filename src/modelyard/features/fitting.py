"""Choosing a column's encoding from training rows: the only place where encodings learn anything."""

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import DataError
from modelyard.data import Column, ColumnKind
from modelyard.features.dates import DateDifferenceEncoding
from modelyard.features.encodings import (
    BooleanEncoding,
    CategoryEncoding,
    CategoryStyle,
    ColumnEncoding,
    ConstantEncoding,
    DateEncoding,
    DatePart,
    EncodingStyle,
    NumericEncoding,
)
from modelyard.features.skew import LogEncoding, log_unit
from modelyard.features.targets import fit_target
from modelyard.features.text import TextEncoding, fit_text
from modelyard.features.values import booleans_in, categories_in, moments_in, numbers_in

__all__ = ["fit_date_differences", "fit_encoding"]

Matrix = npt.NDArray[np.float64]

MISSING_SHARE = 0.01
"""From this share of missing values on, that a value is missing becomes a feature of its own."""

FREQUENT_SHARE = 0.005
"""Linear models: levels below this share of the rows go to the infrequent bucket."""

MAX_ONE_HOT_LINEAR = 30
MAX_ONE_HOT_TREE = 12
MAX_LEVELS = 1_000
"""Levels remembered as codes or as infrequent, so that a package stays small; the others count as unseen."""

HIGH_CARDINALITY = 30
"""Above this number of levels a category becomes the target's mean in each level, where that tells anything."""

MAX_TERMS_LINEAR = 1_000
MAX_TERMS_TREE = 300
"""Measured on sms_spam: more terms give trees little, and 300 do as well as 30 to 100 components of a singular value
decomposition, which one request would have to multiply out."""

TEXT_NORM = math.sqrt(10.0)
"""Linear models: the terms of a text together weigh as much as ten standardised numbers, not as one."""

_HEAVY_TAILS = 3.0
"""A standard deviation this many times the one that the middle half of the rows would suggest is made by few rows."""

_NORMAL_QUARTILES = 1.349
"""The quartiles of a normal distribution are this many standard deviations apart."""

_MAX_DATE_COLUMNS = 4

_CALENDAR = ("month", "day", "weekday", "hour")
_ON_A_CIRCLE = ("month_sin", "month_cos", "day", "weekday_sin", "weekday_cos", "hour_sin", "hour_cos")


def fit_encoding(
    column: Column,
    series: pl.Series,
    style: EncodingStyle,
    *,
    calendar_only: bool = False,
    target: Matrix | None = None,
) -> ColumnEncoding:
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
    target
        The training rows' target, shape (rows, outputs), for categories with many levels: values, or 0 and 1 for each
        class. None leaves it out of sight.

    Raises
    ------
    DataError
        If the kind cannot be a feature (identifiers).
    """
    if column.kind is ColumnKind.NUMERIC:
        return _fit_numeric(column.name, series, style)
    if column.kind is ColumnKind.CATEGORY:
        return _fit_category(column.name, series, style, target)
    if column.kind is ColumnKind.BOOLEAN:
        return _fit_boolean(column.name, series, style)
    if column.kind is ColumnKind.DATE:
        return _fit_date(column.name, series, style, calendar_only=calendar_only)
    if column.kind is ColumnKind.TEXT:
        return _fit_text(column.name, series, style)
    raise DataError(
        "a column of this kind cannot be a feature",
        where=f"column {column.name!r}",
        got=f"kind {column.kind.value}",
        cure="Exclude the column, or declare another kind under data.types in the project file",
    )


def _fit_numeric(name: str, series: pl.Series, style: EncodingStyle) -> ColumnEncoding:
    """Median for gaps, mean and standard deviation for linear models."""
    values = numbers_in(series)
    present = values[~np.isnan(values)]
    often_missing = _often_missing(len(present), len(values))
    if len(present) == 0 or (present.min() == present.max() and not often_missing):
        return ConstantEncoding(name, _constant_reason(len(present)))
    if style is EncodingStyle.TREE:
        return NumericEncoding(name)
    unit = log_unit(present) if style is EncodingStyle.LINEAR else None
    if unit is not None:
        return _fit_log(name, present, unit, indicator=often_missing)
    center, scale = _location_and_scale(present, style)
    return NumericEncoding(name, fill=_median(present), center=center, scale=scale, indicator=often_missing)


def _fit_log(name: str, present: Matrix, unit: float, *, indicator: bool) -> LogEncoding:
    """A skewed number: its logarithm has the mean and standard deviation that are taken out."""
    raw = LogEncoding(name, unit, fill=_median(present), center=0.0, scale=1.0, indicator=indicator)
    logarithms = raw.encode_series(pl.Series(present))[:, 0]
    center, scale = _location_and_scale(logarithms, EncodingStyle.LINEAR)
    return dataclasses.replace(raw, center=center, scale=scale)


def _fit_category(name: str, series: pl.Series, style: EncodingStyle, target: Matrix | None) -> ColumnEncoding:
    """One-hot while there are few levels; then the target's mean, or an infrequent bucket (linear) or codes (trees)."""
    categories = categories_in(series)
    levels, counts = _levels_by_frequency(categories)
    rows = len(series)
    often_missing = _often_missing(int(counts.sum()), rows)
    if len(levels) == 0 or (len(levels) == 1 and not often_missing):
        return ConstantEncoding(name, _constant_reason(len(levels)))
    if target is not None and len(levels) > HIGH_CARDINALITY:
        means = fit_target(name, categories, levels, target, standardise=style is EncodingStyle.LINEAR)
        if means is not None:
            return means
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


def _fit_boolean(name: str, series: pl.Series, style: EncodingStyle) -> ColumnEncoding:
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


def _fit_date(name: str, series: pl.Series, style: EncodingStyle, *, calendar_only: bool) -> ColumnEncoding:
    """The calendar parts that vary in training, and elapsed days unless ``calendar_only``."""
    moments = moments_in(series)
    present = moments.drop_nulls()
    often_missing = _often_missing(len(present), len(moments))
    calendar = _ON_A_CIRCLE if style is EncodingStyle.LINEAR else _CALENDAR
    wanted = calendar if calendar_only else (*calendar, "epoch_days")
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


def _fit_text(name: str, series: pl.Series, style: EncodingStyle) -> ColumnEncoding:
    """The most widespread terms and the length; linear models take more terms, since one counts for little there."""
    texts = categories_in(series)
    present = texts.drop_nulls()
    often_missing = _often_missing(len(present), len(texts))
    if len(present) == 0 or (present.n_unique() == 1 and not often_missing):
        return ConstantEncoding(name, _constant_reason(len(present)))
    linear = style is EncodingStyle.LINEAR
    most, norm = (MAX_TERMS_LINEAR, TEXT_NORM) if linear else (MAX_TERMS_TREE, 1.0)
    raw = fit_text(name, texts, most_terms=most, norm=norm, indicator=often_missing)
    if not linear:
        return raw
    lengths = TextEncoding(name, (), ()).encode_series(texts)[:, 0]
    center, scale = _location_and_scale(lengths, style)
    return dataclasses.replace(raw, center=center, scale=scale)


def fit_date_differences(
    columns: Sequence[Column], frame: pl.DataFrame, style: EncodingStyle
) -> tuple[DateDifferenceEncoding, ...]:
    """The days between every two date columns, where they vary; of the first four date columns at most.

    The time column by which rows are split takes part: its distance to another date comes again, though its own
    values do not.
    """
    dates = [column.name for column in columns if column.kind is ColumnKind.DATE][:_MAX_DATE_COLUMNS]
    found = []
    for start, end in itertools.combinations(dates, 2):
        apart = DateDifferenceEncoding(start, end).encode_pair(frame[start], frame[end])[:, 0]
        present = apart[~np.isnan(apart)]
        if len(present) == 0 or present.min() == present.max():
            continue
        if style is EncodingStyle.TREE:
            found.append(DateDifferenceEncoding(start, end))
            continue
        center, scale = _location_and_scale(present, style)
        found.append(DateDifferenceEncoding(start, end, _median(present), center, scale))
    return tuple(found)


def _location_and_scale(present: npt.NDArray[np.float64], style: EncodingStyle) -> tuple[float, float]:
    """Mean and standard deviation for linear models, or median and quartiles where few rows make the spread; else 0
    and 1. Where huge numbers overflow them, 0 and the largest.
    """
    if style is not EncodingStyle.LINEAR:
        return 0.0, 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        center, scale = float(present.mean()), float(present.std())
    if not math.isfinite(center) or not math.isfinite(scale):
        return 0.0, float(np.abs(present).max())
    low, high = np.quantile(present, [0.25, 0.75])
    usual = float(high - low) / _NORMAL_QUARTILES
    if 0 < _HEAVY_TAILS * usual < scale:
        return _median(present), usual
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
