"""Data quality per window: what a broken pipeline does to a column, told apart from a world that changed."""

import dataclasses
import enum
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import betainc

from modelyard.core import Record
from modelyard.data.profile import SPECIAL_BINS, FeatureReference, as_numbers
from modelyard.data.schema import category_text
from modelyard.monitoring.windows import WindowFacts
from modelyard.report import format_number

__all__ = [
    "UNIT_FACTORS",
    "QualityResult",
    "QualitySignal",
    "chance_of_so_many",
    "check_quality",
    "check_type",
    "plain_category",
    "without_slow_columns",
]

Counts = npt.NDArray[np.int64]

_MARGINS = {"null-rate": 0.02, "new-category": 0.01, "out-of-range": 0.02}
_LARGE_STEP = 0.2
_UNREADABLE = 0.01
_SPIKE_SHARE = 0.2
_IMPOSSIBLE = 1e-6
_LUMPY = 0.1
_UNIT_MATCH = 0.1
_UNITS = {
    10.0: "10",
    100.0: "100 (percent or cents)",
    1000.0: "1,000 (thousands, or milli)",
    1e6: "1,000,000",
    60.0: "60 (minutes or seconds)",
    3600.0: "3,600 (hours or seconds)",
    2.54: "2.54 (inches)",
    2.2046: "2.2046 (pounds)",
    1.6093: "1.6093 (miles)",
}
UNIT_FACTORS = (
    *((factor, f"multiplied by {name}") for factor, name in _UNITS.items()),
    *((1 / factor, f"divided by {name}") for factor, name in _UNITS.items()),
)
"""Factors between units, and how they are told."""


class QualitySignal(enum.StrEnum):
    """What was seen."""

    NULL_RATE = "null-rate"
    NEW_CATEGORY = "new-category"
    RESPELLED = "respelled-category"
    OUT_OF_RANGE = "out-of-range"
    FROZEN = "frozen-column"
    NEW_SPIKE = "new-spike"
    UNIT_CHANGE = "unit-change"
    WRONG_TYPE = "wrong-type"


_SINGLE = (QualitySignal.FROZEN, QualitySignal.NEW_SPIKE)
"""What one value does to a column; a slow one does as much by itself."""


@dataclasses.dataclass(frozen=True)
class QualityResult(Record):
    """One alarm of one column in one window.

    Parameters
    ----------
    window, feature, signal
        Where and what.
    share, reference_share
        The share of the window's rows concerned, and what it was in training.
    large
        True if the step is at least 0.2, or the column is unusable.
    detail
        The rest of the sentence for people.
    """

    window: str
    feature: str
    signal: QualitySignal
    share: float
    reference_share: float
    large: bool
    detail: str


def without_slow_columns(
    results: Sequence[QualityResult],
    windows: Sequence[WindowFacts],
    references: Mapping[str, FeatureReference],
    rate: float,
) -> tuple[QualityResult, ...]:
    """The alarms without frozen columns and spikes that are merely slow.

    Parameters
    ----------
    results
        The alarms of all windows.
    windows
        In their order.
    references
        The columns in training, by name.
    rate
        Accepted chance of a false alarm of one column.

    Notes
    -----
    A column whose pace in training is known is frozen only if so long a run of one value has a smaller chance than
    ``rate``; see :meth:`modelyard.data.history.pace.Pace.chance`. The run is that of all windows in a row that show the same value. Without a pace,
    a column that rests at 3.1 in one window and at 2.9 in another is slow: a pipeline freezes at one value and fills with
    one default.
    """
    values: dict[str, set[str]] = {}
    seen: dict[tuple[str, str], dict[str, QualityResult]] = {}
    for result in results:
        if result.signal in _SINGLE:
            values.setdefault(result.feature, set()).add(result.detail)
            seen.setdefault((result.feature, result.detail), {})[result.window] = result
    kept = []
    for result in results:
        pace = references[result.feature].pace if result.signal in _SINGLE else None
        if pace is not None:
            slow = pace.chance(*_run(result, windows, seen[result.feature, result.detail])) >= rate
        else:
            slow = result.signal in _SINGLE and len(values[result.feature]) > 1
        kept += [] if slow else [result]
    return tuple(kept)


def _run(
    result: QualityResult, windows: Sequence[WindowFacts], same: Mapping[str, QualityResult]
) -> tuple[float, float]:
    """Rows and seconds that a column has stood at one value, in all windows up to this one that show it."""
    place = next(place for place, window in enumerate(windows) if window.name == result.window)
    rows = span_s = 0.0
    while place >= 0 and windows[place].name in same:
        share = same[windows[place].name].share
        rows += share * windows[place].rows
        span_s += share * (windows[place].end - windows[place].start).total_seconds()
        place -= 1
    return rows, span_s


def check_quality(
    window: str, reference: FeatureReference, values: pl.Series, counts: Counts, rate: float
) -> tuple[QualityResult, ...]:
    """All quality alarms of one column in one window.

    Parameters
    ----------
    window
        The window's name.
    reference
        The column in training.
    values, counts
        The column in the window, and its counts over the reference's bins.
    rate
        Accepted chance of a false alarm of one check on this column.

    Notes
    -----
    Shares are judged by the exact binomial test against the reference's share plus a margin (0.02 for nulls and
    numbers out of range, 0.01 for new categories), so that a clean window of any size stays quiet.
    """
    rows = int(counts.sum())
    if rows == 0:
        return ()
    before = np.asarray(reference.counts, dtype=np.float64)
    beyond = QualitySignal.NEW_CATEGORY if reference.is_counted_by_category else QualitySignal.OUT_OF_RANGE
    found: list[QualityResult] = []
    for signal, position in ((QualitySignal.NULL_RATE, -3), (beyond, -2)):
        usual = float((before[position] + 0.5) / (before.sum() + 1))
        share = float(counts[position]) / rows
        limit = min(usual + _MARGINS[signal], 1.0)
        if share > limit and chance_of_so_many(int(counts[position]), rows, limit) < rate:
            exact, detail = _beyond(reference, values, signal) if signal is beyond else (signal, "")
            large = share - usual >= _LARGE_STEP
            reference_share = float(before[position] / max(before.sum(), 1))
            found.append(QualityResult(window, reference.name, exact, share, reference_share, large, detail))
    return (*found, *_single_value(window, reference, values, counts), *_unit_change(window, reference, values, counts))


def chance_of_so_many(count: int, rows: int, share: float) -> float:
    """The chance of ``count`` or more among ``rows`` that each count with the chance ``share``: the binomial law's upper tail.

    >>> round(chance_of_so_many(9, 10, 0.5), 4), chance_of_so_many(0, 10, 0.5)
    (0.0107, 1.0)
    """
    return 1.0 if count <= 0 else float(betainc(count, rows - count + 1, share))


def check_type(
    window: str, reference: FeatureReference, raw: pl.Series, values: pl.Series
) -> tuple[QualityResult, ...]:
    """An alarm if more than 1 % of the cells that are there cannot be read as the profile's kind.

    Parameters
    ----------
    raw, values
        The column as it was logged, and as the profile's kind.
    """
    lost = values.null_count() - raw.null_count()
    if lost <= _UNREADABLE * len(raw):
        return ()
    cells = raw.filter(values.is_null() & raw.is_not_null())
    detail = f"such as '{str(cells[0])[:40]}', where training had {reference.kind.value}"
    share = lost / len(raw)
    return (QualityResult(window, reference.name, QualitySignal.WRONG_TYPE, share, 0.0, share >= _LARGE_STEP, detail),)


def _beyond(reference: FeatureReference, values: pl.Series, signal: QualitySignal) -> tuple[QualitySignal, str]:
    """How far the numbers reach, or which categories are new, and whether they are old ones in another spelling."""
    if not reference.is_counted_by_category:
        numbers = as_numbers(values)
        known = numbers[np.isfinite(numbers)]
        now = (
            f"{format_number(float(known.min()))} to {format_number(float(known.max()))}" if len(known) else "infinite"
        )
        return signal, f"now {now}, in training {format_number(reference.low)} to {format_number(reference.high)}"
    seen = {*reference.categories, *reference.others}
    text = category_text(values).drop_nulls()
    fresh = text.filter(~text.is_in(list(seen))).value_counts(sort=True)
    names, rows = fresh.to_series(0), fresh.to_series(1)
    plain = {plain_category(name) for name in seen}
    alike = sum(count for name, count in zip(names, rows, strict=True) if plain_category(name) in plain)
    detail = "new: " + ", ".join(f"'{str(name)[:40]}'" for name in names.head(5))
    return (QualitySignal.RESPELLED if alike * 2 > rows.sum() else signal), detail


def plain_category(name: str) -> str:
    """A category without case, spaces and signs, and a whole number without its fraction."""
    return "".join(sign for sign in name.removesuffix(".0").casefold() if sign.isalnum())


def _single_value(
    window: str, reference: FeatureReference, values: pl.Series, counts: Counts
) -> tuple[QualityResult, ...]:
    """A column frozen at one value, or a value that suddenly fills a fifth of the rows.

    A column that always came in lumps has a large learnt tolerance; its spikes are left alone, and where its pace is not
    known a single value, too. Otherwise :func:`without_slow_columns` looks whether it has stood for longer than it is used to.
    """
    lumpy = reference.tolerance > _LUMPY
    if lumpy and reference.pace is None:
        return ()
    known = values.drop_nulls()
    if known.dtype.is_float():
        known = known.filter(known.is_not_nan())
    if len(known) < 2:
        return ()
    top = known.value_counts(sort=True).row(0)
    share, rows = top[1] / len(known), int(counts.sum())
    usual = _usual_share(reference, counts)
    detail = f"value {str(top[0])[:40]}"
    if share == 1.0 and usual < 1 and len(known) * math.log(max(usual, 1e-300)) < math.log(_IMPOSSIBLE):
        return (QualityResult(window, reference.name, QualitySignal.FROZEN, 1.0, usual, True, detail),)
    if lumpy or reference.is_counted_by_category or share < _SPIKE_SHARE or reference.spike == top[0]:
        return ()
    if usual < share / 2 and chance_of_so_many(top[1], rows, min(2 * usual, 1.0)) < _IMPOSSIBLE:
        large = share - usual >= _LARGE_STEP
        return (QualityResult(window, reference.name, QualitySignal.NEW_SPIKE, share, usual, large, detail),)
    return ()


def _usual_share(reference: FeatureReference, counts: Counts) -> float:
    """The largest share that the window's fullest bin can owe to one value in training: the bin's own share."""
    before = np.asarray(reference.counts, dtype=np.float64)
    known = np.concatenate([counts[:-3], counts[-2:]]).astype(np.float64)
    total = before.sum() - before[-3]
    if total <= 0:
        return 1.0
    usual = np.concatenate([before[:-3], before[-2:]])
    return float((usual[int(known.argmax())] + 0.5) / (total + 1))


def _unit_change(
    window: str, reference: FeatureReference, values: pl.Series, counts: Counts
) -> tuple[QualityResult, ...]:
    """All numbers multiplied by a known factor: median and spread both changed by it."""
    edges = np.asarray(reference.edges, dtype=np.float64)
    if reference.is_counted_by_category or len(edges) < 5 or counts[-2] + counts[0] + counts[-4] < counts.sum() / 2:
        return ()
    numbers = as_numbers(values)
    known = numbers[np.isfinite(numbers)]
    if len(known) < len(edges):
        return ()
    shares = np.cumsum(np.asarray(reference.counts[: -len(SPECIAL_BINS)], dtype=np.float64))
    levels = shares[:-1] / shares[-1]
    middle = len(edges) // 2
    spread = float(edges[-1] - edges[0])
    if edges[middle] == 0 or spread <= 0:
        return ()
    medians, spreads = _quantile_bands(known, levels[[0, middle, -1]], float(shares[-1]))
    bands = np.sort(medians / edges[middle]), spreads / spread
    if any(band.sum() <= 0 for band in bands):
        return ()
    factor, words = min(UNIT_FACTORS, key=lambda one: abs(math.log(float(np.mean(bands)) / one[0])))
    if any(band[0] > (1 + _UNIT_MATCH) * factor or band[1] < (1 - _UNIT_MATCH) * factor for band in bands):
        return ()
    detail = f"median and spread look {words}"
    return (QualityResult(window, reference.name, QualitySignal.UNIT_CHANGE, 1.0, 0.0, True, detail),)


def _quantile_bands(
    known: npt.NDArray[np.float64], levels: npt.NDArray[np.float64], reference_rows: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """How low and how high the median and the spread may be, given what chance does to quantiles of so few rows.

    A quantile at the level p lies, two standard errors wide, between those at p less and p plus 2·sqrt(p(1-p)(1/n + 1/N)).
    """
    error = 2 * np.sqrt(levels * (1 - levels) * (1 / len(known) + 1 / reference_rows))
    low, high = (np.quantile(known, np.clip(levels + way * error, 0, 1)) for way in (-1, 1))
    return np.array([low[1], high[1]]), np.array([low[2] - high[0], high[2] - low[0]])
