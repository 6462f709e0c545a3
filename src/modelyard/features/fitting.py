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
)
from modelyard.features.numbers import constant_reason, fit_number, is_often_missing, location_and_scale, median
from modelyard.features.targets import fit_target
from modelyard.features.text import TextEncoding, fit_text
from modelyard.features.transforms import InteractionEncoding, fit_interaction
from modelyard.features.values import booleans_in, categories_in, moments_in, numbers_in

__all__ = ["fit_date_differences", "fit_encoding", "fit_interactions"]

Matrix = npt.NDArray[np.float64]

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
    transform: str | None = None,
    drifts: bool = False,
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
    transform
        What the project file declares for a number; None for the rules.
    drifts
        True if rows are split by time, so that later values than training saw are to come.

    Raises
    ------
    DataError
        If the kind cannot be a feature (identifiers).
    """
    if column.kind is ColumnKind.NUMERIC:
        return fit_number(column.name, series, style, transform, drifts=drifts)
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


def _fit_category(name: str, series: pl.Series, style: EncodingStyle, target: Matrix | None) -> ColumnEncoding:
    """One-hot while there are few levels; then the target's mean, or an infrequent bucket or codes (trees).

    Neural models get codes for embeddings, whatever the number of levels.
    """
    categories = categories_in(series)
    levels, counts = _levels_by_frequency(categories)
    rows = len(series)
    often_missing = is_often_missing(int(counts.sum()), rows)
    if len(levels) == 0 or (len(levels) == 1 and not often_missing):
        return ConstantEncoding(name, constant_reason(len(levels)))
    if style is EncodingStyle.NEURAL:
        return _fit_codes_to_embed(name, levels, counts)
    if target is not None and len(levels) > HIGH_CARDINALITY:
        means = fit_target(name, categories, levels, target, standardise=style.is_scaled)
        if means is not None:
            return means
    if style.is_scaled:
        kept = min(int((counts >= FREQUENT_SHARE * rows).sum()), MAX_ONE_HOT_LINEAR)
        if kept == 0 and not often_missing:
            return ConstantEncoding(name, f"each of its {len(levels):,} levels is rarer than {FREQUENT_SHARE:.1%}")
        rare = levels[kept : kept + MAX_LEVELS]
        return CategoryEncoding(name, CategoryStyle.ONE_HOT, levels[:kept], infrequent=rare, indicator=often_missing)
    if len(levels) <= MAX_ONE_HOT_TREE:
        return CategoryEncoding(name, CategoryStyle.ONE_HOT, levels, indicator=often_missing)
    missing_code = -1.0 if style is EncodingStyle.FOREST else None
    return CategoryEncoding(name, CategoryStyle.CODES, levels[:MAX_LEVELS], missing_code=missing_code)


def _fit_codes_to_embed(name: str, levels: tuple[str, ...], counts: npt.NDArray[np.int64]) -> ColumnEncoding:
    """Codes of the levels that came twice or more (of all, where none of few did); the last code is that of all others, of unseen and of missing ones.

    So the last code's embedding is learnt too, where there are rare levels or gaps.
    """
    repeated = int((counts > 1).sum())
    known = levels[: min(repeated, MAX_LEVELS)] or levels[:HIGH_CARDINALITY]
    if not repeated and len(levels) > HIGH_CARDINALITY:
        return ConstantEncoding(name, f"none of its {len(levels):,} levels comes twice")
    return CategoryEncoding(name, CategoryStyle.CODES, known, missing_code=float(len(known)))


def _fit_boolean(name: str, series: pl.Series, style: EncodingStyle) -> ColumnEncoding:
    """0 and 1; gaps are the more frequent value (linear), NaN (trees) or -1 (forests)."""
    values = booleans_in(series).drop_nulls()
    often_missing = is_often_missing(len(values), len(series))
    share = 0.0 if len(values) == 0 else float(values.sum()) / len(values)
    if len(values) == 0 or (share in (0.0, 1.0) and not often_missing):
        return ConstantEncoding(name, constant_reason(len(values)))
    if style is EncodingStyle.TREE:
        return BooleanEncoding(name)
    if style is EncodingStyle.FOREST:
        return BooleanEncoding(name, fill=-1.0)
    return BooleanEncoding(name, fill=1.0 if share >= 0.5 else 0.0, indicator=often_missing)


def _fit_date(name: str, series: pl.Series, style: EncodingStyle, *, calendar_only: bool) -> ColumnEncoding:
    """The calendar parts that vary in training, and elapsed days unless ``calendar_only``."""
    moments = moments_in(series)
    present = moments.drop_nulls()
    often_missing = is_often_missing(len(present), len(moments))
    calendar = _ON_A_CIRCLE if style.is_scaled else _CALENDAR
    wanted = calendar if calendar_only else (*calendar, "epoch_days")
    raw = DateEncoding(name, tuple(DatePart(part) for part in wanted)).encode_series(present)
    varying = [place for place in range(raw.shape[1]) if len(raw) and raw[:, place].min() < raw[:, place].max()]
    indicator = often_missing and style is not EncodingStyle.TREE
    if not varying and not (often_missing and len(present)):
        return ConstantEncoding(name, constant_reason(len(present)))
    if not varying:  # one moment or none: which of the two is all it tells
        varying, indicator = [], True
    return DateEncoding(name, tuple(_date_part(wanted[place], raw[:, place], style) for place in varying), indicator)


def _date_part(part: str, values: npt.NDArray[np.float64], style: EncodingStyle) -> DatePart:
    """One part with its fill and scale."""
    if style is EncodingStyle.TREE:
        return DatePart(part)
    center, scale = location_and_scale(values, style)
    return DatePart(part, fill=median(values), center=center, scale=scale)


def _fit_text(name: str, series: pl.Series, style: EncodingStyle) -> ColumnEncoding:
    """The most widespread terms and the length; linear models take more terms, since one counts for little there."""
    texts = categories_in(series)
    present = texts.drop_nulls()
    often_missing = is_often_missing(len(present), len(texts))
    if len(present) == 0 or (present.n_unique() == 1 and not often_missing):
        return ConstantEncoding(name, constant_reason(len(present)))
    most, norm = (MAX_TERMS_LINEAR, TEXT_NORM) if style.is_scaled else (MAX_TERMS_TREE, 1.0)
    raw = fit_text(name, texts, most_terms=most, norm=norm, indicator=often_missing)
    if not style.is_scaled:
        return raw
    lengths = TextEncoding(name, (), ()).encode_series(texts)[:, 0]
    center, scale = location_and_scale(lengths, style)
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
        center, scale = location_and_scale(present, style)
        found.append(DateDifferenceEncoding(start, end, median(present), center, scale))
    return tuple(found)


def fit_interactions(pairs: Sequence[tuple[str, str]], frame: pl.DataFrame) -> tuple[InteractionEncoding, ...]:
    """The products of the number columns that the project file names together, where both vary."""
    found = []
    for pair in pairs:
        moments = []
        for name in pair:
            values = numbers_in(frame[name])
            present = values[~np.isnan(values)]
            if len(present) and present.min() < present.max():
                moments.append((median(present), *location_and_scale(present, EncodingStyle.LINEAR)))
        if len(moments) == 2:
            found.append(fit_interaction(*pair, (moments[0], moments[1])))
    return tuple(found)


def _levels_by_frequency(categories: pl.Series) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """Levels, most frequent first and then by name, with their counts; missing values left out."""
    counted = categories.drop_nulls().alias("level").value_counts(name="count")
    ordered = counted.sort(["count", "level"], descending=[True, False])
    return tuple(ordered["level"].to_list()), ordered["count"].cast(pl.Int64).to_numpy()
