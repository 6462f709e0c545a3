"""The reference profile: frozen bins per feature, counts that add up, and how far harmless change has gone before."""

import bisect
import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Record
from modelyard.data.history.pace import Pace, TimeOrder
from modelyard.data.schema import Column, ColumnKind, category_text

__all__ = [
    "SPECIAL_BINS",
    "FeatureReference",
    "ReferenceProfile",
    "as_numbers",
    "bin_labels",
    "bin_places",
    "build_profile",
    "count_bins",
    "debiased_psi",
    "learnt_tolerance",
    "smoothed_psi",
    "text_lengths",
]

SPECIAL_BINS = ("NULL", "NEW", "SPIKE")
"""The last bins of every feature: missing, outside what training saw, and the one value that stands out."""

_QUANTILE_BINS = 10
_TOP_CATEGORIES = 20
_MAX_OTHERS = 1000
_SPIKE_SHARE = 0.05
_SMOOTHING = 0.5
_MIN_WINDOWS = 20
_MAX_WINDOWS = 50
_MIN_WINDOW_ROWS = 200
_WINDOW_ROWS = 1000
_TOLERANCE_FACTOR = 1.5
_TOLERANCE_QUANTILE = 0.95
_SECONDS_PER_DAY = 86_400.0
_BLOCK = 1 << 15
"""Numbers that are counted at once: they stay in the processor's cache while all edges are held against them."""

Counts = npt.NDArray[np.int64]


def _is_counted_by_category(kind: ColumnKind) -> bool:
    return kind not in (ColumnKind.NUMERIC, ColumnKind.DATE, ColumnKind.TEXT)


@dataclasses.dataclass(frozen=True)
class FeatureReference(Record):
    """The bins of one feature and their counts in training.

    Parameters
    ----------
    name, kind
        As in the schema; dates are counted as days since 1970, free text as its length in characters.
    edges
        Inner edges of the number bins, rising; a value equal to an edge belongs to the bin below.
    categories
        The most frequent categories, at most 20; one more bin, OTHER, holds the rarer ones.
    spike
        The number that makes up more than 5 % of the values, which has a bin of its own; None if there is none.
    counts
        Rows per bin in training, in the order of :func:`bin_labels`.
    tolerance
        The population stability index up to which change counts as harmless.
    low, high
        Smallest and largest number seen; what lies beyond is NEW. None for categories.
    others
        The rarer categories that training saw, sorted. Empty beyond 1,000, and then no category is NEW.
    others_known
        False if there were too many rarer categories to keep.
    pace
        How slowly it moved; None if the rows had no time.
    """

    name: str
    kind: ColumnKind
    edges: tuple[float, ...]
    categories: tuple[str, ...]
    spike: float | None
    counts: tuple[int, ...]
    tolerance: float
    low: float | None = None
    high: float | None = None
    others: tuple[str, ...] = ()
    others_known: bool = True
    pace: Pace | None = None

    @property
    def is_counted_by_category(self) -> bool:
        """True if the bins are categories, False if they are ranges of numbers."""
        return _is_counted_by_category(self.kind)

    @property
    def bins(self) -> int:
        """Number of bins, the three special ones included."""
        ordinary = len(self.categories) + 1 if self.is_counted_by_category else len(self.edges) + 1
        return ordinary + len(SPECIAL_BINS)


@dataclasses.dataclass(frozen=True)
class ReferenceProfile(Record):
    """What training looked like, in counts: all that monitoring needs of it."""

    rows: int
    features: tuple[FeatureReference, ...]


def bin_labels(feature: FeatureReference) -> tuple[str, ...]:
    """Names of a feature's bins, for tables and charts.

    >>> price = FeatureReference("price", ColumnKind.NUMERIC, (10.0,), (), 0.0, (5, 4, 0, 0, 1), 0.02, 0.0, 20.0)
    >>> bin_labels(price)
    ('≤ 10', '> 10', 'NULL', 'NEW', '= 0')
    """
    if feature.is_counted_by_category:
        return (*feature.categories, "OTHER", *SPECIAL_BINS)
    missing, new, spike = SPECIAL_BINS
    special = (missing, new, spike if feature.spike is None else f"= {feature.spike:g}")
    if not feature.edges:
        return ("all" if feature.spike is None else f"≠ {feature.spike:g}", *special)
    between = tuple(f"{low:g} to {high:g}" for low, high in zip(feature.edges, feature.edges[1:], strict=False))
    return (f"≤ {feature.edges[0]:g}", *between, f"> {feature.edges[-1]:g}", *special)


def count_bins(feature: FeatureReference, values: pl.Series) -> Counts:
    """Rows of ``values`` per bin of ``feature``; counts of two windows add up to those of both together.

    Values of a wrong type count as missing if a number was wanted, and as text else.
    """
    low, high = feature.low, feature.high
    if feature.is_counted_by_category or low is None or high is None:
        return np.bincount(bin_places(feature, values), minlength=feature.bins).astype(np.int64)
    numbers = as_numbers(text_lengths(values) if feature.kind is ColumnKind.TEXT else values)
    blocks = range(0, len(numbers), _BLOCK)
    return sum(
        (_count_block(feature, low, high, numbers[begin : begin + _BLOCK]) for begin in blocks),
        np.zeros(feature.bins, int),
    )


def _count_block(feature: FeatureReference, low: float, high: float, numbers: npt.NDArray[np.float64]) -> Counts:
    """The counts of a few numbers without the place of each: how many lie above each edge says all."""
    above = [len(numbers), *(int(np.count_nonzero(numbers > edge)) for edge in feature.edges), 0]
    missing = int(np.count_nonzero(np.isnan(numbers)))
    below, beyond = int(np.count_nonzero(numbers < low)), int(np.count_nonzero(numbers > high))
    ordinary = [more - less for more, less in itertools.pairwise(above)]
    ordinary[0] -= missing + below
    ordinary[-1] -= beyond
    spike = 0
    if feature.spike is not None:
        spike = int(np.count_nonzero(numbers == feature.spike))
        ordinary[bisect.bisect_left(feature.edges, feature.spike)] -= spike
    return np.array([*ordinary, missing, below + beyond, spike], dtype=np.int64)


def bin_places(feature: FeatureReference, values: pl.Series) -> npt.NDArray[np.int64]:
    """The bin of every value, by its place in :func:`bin_labels`."""
    if feature.is_counted_by_category:
        return _category_places(feature, category_text(values))
    return _number_places(feature, as_numbers(text_lengths(values) if feature.kind is ColumnKind.TEXT else values))


def text_lengths(values: pl.Series) -> pl.Series:
    """Free text as its number of characters, by which it is watched; numbers stay as they are.

    >>> text_lengths(pl.Series(["hello", "", None])).to_list()
    [5, 0, None]
    """
    return values.str.len_chars().cast(pl.Int64) if values.dtype == pl.String else values


def as_numbers(values: pl.Series) -> npt.NDArray[np.float64]:
    """Numbers with NaN for missing; dates as days since 1970."""
    if values.dtype == pl.Date:
        return values.to_physical().cast(pl.Float64).to_numpy()
    if values.dtype == pl.Datetime:
        return (values.dt.epoch("ms").cast(pl.Float64) / (1000 * _SECONDS_PER_DAY)).to_numpy()
    return values.cast(pl.Float64, strict=False).to_numpy()


def _number_places(feature: FeatureReference, numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    ordinary = len(feature.edges) + 1
    below = np.zeros(len(numbers), dtype=np.int16)
    for edge in feature.edges:  # a comparison each: a fraction of the time of a search, for nine edges
        below += (numbers > edge).view(np.int8)
    places = below.astype(np.int64)
    if feature.low is None or feature.high is None:
        outside = np.ones(len(numbers), dtype=bool)
    else:
        outside = (numbers < feature.low) | (numbers > feature.high)
    places[outside] = ordinary + 1
    if feature.spike is not None:
        places[numbers == feature.spike] = ordinary + 2
    places[np.isnan(numbers)] = ordinary
    return places


def _category_places(feature: FeatureReference, values: pl.Series) -> npt.NDArray[np.int64]:
    other = len(feature.categories)
    places = dict(zip(feature.categories, range(other), strict=True))
    places.update(dict.fromkeys(feature.others, other))
    unseen = other + 2 if feature.others_known else other
    known = (
        values.replace_strict(places, default=unseen, return_dtype=pl.Int64)
        if places
        else (pl.repeat(unseen, len(values), dtype=pl.Int64, eager=True))
    )
    return known.set(values.is_null(), other + 1).to_numpy().copy()


def smoothed_psi(reference: npt.ArrayLike, counts: npt.ArrayLike) -> float:
    """Population stability index of two count vectors, with 0.5 added to each bin that either of them uses.

    ``sum (p - q) ln(p / q)``. A bin that is empty on both sides says nothing and is left out.
    """
    first, second = np.asarray(reference, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    used = (first + second) > 0
    p, q = first[used] + _SMOOTHING, second[used] + _SMOOTHING
    p, q = p / p.sum(), q / q.sum()
    return float(((p - q) * np.log(p / q)).sum())


def debiased_psi(reference: npt.ArrayLike, counts: npt.ArrayLike) -> float:
    """The index less its expectation when nothing changed, ``(B - 1) / h`` with ``h = nN / (n + N)``.

    Without change, ``h`` times the index follows a chi-square law with ``B - 1`` degrees of freedom, ``B`` being the
    bins in use (Yurdakul and Naranjo 2020, "Statistical properties of the population stability index").
    """
    first, second = np.asarray(reference, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    rows, window = first.sum(), second.sum()
    if rows == 0 or window == 0:
        return 0.0
    used = int(((first + second) > 0).sum())
    return smoothed_psi(first, second) - float((used - 1) * (rows + window) / (rows * window))


def build_profile(
    frame: pl.DataFrame,
    columns: Sequence[Column],
    *,
    time: pl.Series | None = None,
    extra: Mapping[str, npt.NDArray[np.float64]] | None = None,
    minimum_tolerance: float = 0.02,
) -> ReferenceProfile:
    """Bins, counts and tolerances of every feature in the training rows.

    Parameters
    ----------
    frame
        The training rows.
    columns
        The features with their kinds.
    time
        The moment of each row. With 20 windows of 200 rows or more, the tolerance of a feature is 1.5 times the 95th
        percentile of the debiased index of each window against all others, in time order: change that was there all
        along is no alarm. Windows have 1,000 rows where there are enough for 20 of them. From the order of time comes each
        feature's pace, too.
    extra
        Further numbers by name, one per row, such as the model's score.
    minimum_tolerance
        The tolerance when time is not given, or less was seen.
    """
    line = None if time is None else _TimeLine(_windows(time), TimeOrder.of(time))
    features = [_reference(frame[column.name], column, line, minimum_tolerance) for column in columns]
    for name, numbers in (extra or {}).items():
        column = Column(name, ColumnKind.NUMERIC, "Float64", nullable=False)
        values = pl.Series(name, np.asarray(numbers, dtype=np.float64))
        features.append(_reference(values, column, line, minimum_tolerance))
    return ReferenceProfile(frame.height, tuple(features))


@dataclasses.dataclass(frozen=True)
class _TimeLine:
    """The window of each row, None if there are too few rows; and their order."""

    windows: npt.NDArray[np.int64] | None
    order: TimeOrder


def _windows(time: pl.Series) -> npt.NDArray[np.int64] | None:
    """The window of each row: equal numbers of rows in time order; None if there are too few."""
    if len(time) < _MIN_WINDOWS * _MIN_WINDOW_ROWS:
        return None
    # Larger windows are preferred to more of them: chance alone moves the index of a small one.
    number = min(max(len(time) // _WINDOW_ROWS, _MIN_WINDOWS), _MAX_WINDOWS)
    position = np.empty(len(time), dtype=np.int64)
    position[time.arg_sort().to_numpy()] = np.arange(len(time))
    return position * number // len(time)


def _reference(values: pl.Series, column: Column, line: _TimeLine | None, minimum_tolerance: float) -> FeatureReference:
    by_category = _is_counted_by_category(column.kind)
    values = text_lengths(values) if column.kind is ColumnKind.TEXT else values
    feature = _category_bins(values, column) if by_category else _number_bins(values, column)
    places = bin_places(feature, values)
    counts = tuple(np.bincount(places, minlength=feature.bins).tolist())
    tolerance = minimum_tolerance
    if line is not None and line.windows is not None:
        number = int(line.windows.max()) + 1
        table = np.bincount(line.windows * feature.bins + places, minlength=number * feature.bins)
        tolerance = learnt_tolerance(table.reshape(number, feature.bins), minimum_tolerance)
    pace = None if line is None else line.order.pace(values)
    return dataclasses.replace(feature, counts=counts, tolerance=float(tolerance), pace=pace)


def learnt_tolerance(table: Counts, minimum: float) -> float:
    """How far change may go that was there all along: 1.5 times the 95th percentile of the windows' debiased index.

    Parameters
    ----------
    table
        Counts by window and bin. Each window is held against all others, never against itself.
    minimum
        The tolerance if less was seen, or there are fewer than 20 windows.
    """
    if len(table) < _MIN_WINDOWS:
        return minimum
    total = table.sum(axis=0)
    changes = [debiased_psi(total - window, window) for window in table]
    return max(minimum, _TOLERANCE_FACTOR * float(np.quantile(changes, _TOLERANCE_QUANTILE)))


def _number_bins(values: pl.Series, column: Column) -> FeatureReference:
    numbers = as_numbers(values)
    known = numbers[np.isfinite(numbers)]
    if known.size == 0:
        return FeatureReference(column.name, column.kind, (), (), None, (), 0.0)
    ordered = np.sort(known)
    bounds = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, [ordered.size]])
    times = np.diff(bounds)
    top = int(times.argmax())
    spike = float(ordered[bounds[top]]) if times[top] > _SPIKE_SHARE * len(numbers) else None
    rest = ordered if spike is None else np.delete(ordered, slice(bounds[top], bounds[top + 1]))
    edges: tuple[float, ...] = ()
    if rest.size:
        # The k-th tenth ends at the smallest value that k tenths of the rows do not exceed, in whole numbers.
        ends = (np.arange(1, _QUANTILE_BINS) * rest.size + _QUANTILE_BINS - 1) // _QUANTILE_BINS - 1
        edges = tuple(float(edge) for edge in np.unique(rest[ends]) if edge < rest[-1])
    return FeatureReference(
        column.name, column.kind, edges, (), spike, (), 0.0, low=float(ordered[0]), high=float(ordered[-1])
    )


def _category_bins(values: pl.Series, column: Column) -> FeatureReference:
    counted = category_text(values).drop_nulls().value_counts(name="rows")
    counted.columns = ["level", "rows"]
    levels = counted.sort(["rows", "level"], descending=[True, False])["level"].to_list()
    top, others = levels[:_TOP_CATEGORIES], sorted(levels[_TOP_CATEGORIES:])
    known = len(others) <= _MAX_OTHERS
    return FeatureReference(
        column.name,
        column.kind,
        (),
        tuple(top),
        None,
        (),
        0.0,
        others=tuple(others) if known else (),
        others_known=known,
    )
