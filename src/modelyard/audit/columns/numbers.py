"""What a column of numbers is, in figures: its values are put in order once, and all figures are read off that order."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["FAR", "Numbers", "column_numbers", "robust_distance"]

Values = npt.NDArray[np.float64]

FAR = 7.0
"""Robust distance from which a value lies far from the others."""

_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_SKETCH_BINS = 20
_THINNED = 50_000
_TICKS_PER_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


@dataclasses.dataclass(frozen=True)
class Numbers:
    """A column of numbers, or of moments in days since 1970. Values that are not finite count as different only.

    Parameters
    ----------
    rows
        Finite values.
    distinct
        Number of different values, infinite ones among them.
    most
        Rows of the commonest value.
    mean, sd
        None without values, or where huge ones overflow.
    quantiles
        At the 0, 5, 25, 50, 75, 95 and 100 % ranks; empty without values.
    counts
        Rows in 20 steps of equal width; one count if all values are equal.
    zeros
        Share of values that are exactly zero.
    skewness
        Third standardised moment without the outermost 0.5 % on each side; None if there is no spread.
    lowest, highest
        The two outermost values on each side with their rows, the outermost first.
    whole
        True if no value has a fraction.
    far, farthest, distance
        Values whose robust distance is above :data:`FAR`; the value with the largest distance, and that distance.
    """

    rows: int = 0
    distinct: int = 0
    most: int = 0
    mean: float | None = None
    sd: float | None = None
    quantiles: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    zeros: float = 0.0
    skewness: float | None = None
    lowest: tuple[tuple[float, int], ...] = ()
    highest: tuple[tuple[float, int], ...] = ()
    whole: bool = False
    far: int = 0
    farthest: float = 0.0
    distance: float = 0.0


def column_numbers(values: pl.Series) -> Numbers:
    """Put a numeric column, or one of dates or moments, in order and read off its figures."""
    present = values.drop_nulls()
    ordered = np.sort(_plain(present))
    infinite = 0
    if ordered.dtype.kind == "f":
        finite = ordered[np.searchsorted(ordered, -np.inf, side="right") : np.searchsorted(ordered, np.inf)]
        infinite = present.n_unique() - _distinct(finite) if len(finite) < len(ordered) else 0
        ordered = finite
    if len(ordered) == 0:
        return Numbers(distinct=infinite, most=_commonest(present))
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    runs = np.diff(np.r_[starts, len(ordered)])
    unit = _unit(values.dtype)
    numbers = ordered.astype(np.float64, copy=False) if unit == 1 else ordered / unit
    ends = [(float(numbers[start]), int(run)) for start, run in zip(starts[[0, -1]], runs[[0, -1]], strict=True)]
    inner = [(float(numbers[starts[place]]), int(runs[place])) for place in (1, -2) if len(starts) > 1]
    far, farthest, distance = _far(numbers)
    return Numbers(
        rows=len(numbers),
        distinct=len(starts) + infinite,
        most=_commonest(present) if infinite else int(runs.max()),
        mean=_moment(numbers.mean),
        sd=_moment(numbers.std),
        quantiles=tuple(_at_ranks(numbers, _QUANTILES).tolist()),
        counts=_sketch(numbers),
        zeros=float(np.searchsorted(numbers, 0, side="right") - np.searchsorted(numbers, 0)) / len(numbers),
        skewness=_skewness(numbers),
        lowest=(ends[0], *inner[:1]),
        highest=(ends[1], *inner[1:]),
        whole=ordered.dtype.kind in "iu" or bool((np.floor(ordered[starts]) == ordered[starts]).all()),
        far=far,
        farthest=farthest,
        distance=distance,
    )


@dataclasses.dataclass(frozen=True)
class _Scale:
    """What distances are measured from and by: the median, the quartile range, and each side's own spread."""

    middle: float
    spread: float
    below: float
    above: float


def robust_distance(values: Values, ordered: Values) -> Values:
    """Distance of values from the median of all, in robust standard deviations of their own side.

    Each side has its own median absolute deviation (the double MAD of Rosenmai, 2013), so a skewed column is not all
    outliers; an ``asinh`` of the distance in quartile ranges grows like a logarithm, so a long tail is not either.
    Zero everywhere if half of the values are equal.

    Parameters
    ----------
    values
        The values to judge.
    ordered
        All values, lowest first.
    """
    scale = _scale(ordered)
    return np.zeros(len(values)) if scale is None else _distance(values, scale)


def _distance(values: Values, scale: _Scale) -> Values:
    with np.errstate(over="ignore"):
        bent = np.arcsinh((values - scale.middle) / scale.spread)
    distance: Values = np.where(bent < 0, -bent / scale.below, bent / scale.above)
    return distance


def _scale(ordered: Values) -> _Scale | None:
    """The scale of a column; None if half of its values are equal, or its range is not finite."""
    low, middle, high = _at_ranks(ordered, (0.25, 0.5, 0.75)).tolist()
    spread = high - low
    if not np.isfinite(spread) or spread <= 0:
        return None
    sides = ordered[: np.searchsorted(ordered, middle, side="right")], ordered[np.searchsorted(ordered, middle) :]
    below, above = (1.4826 * abs(float(np.arcsinh((_median(side) - middle) / spread).mean())) for side in sides)
    return _Scale(middle, spread, below, above) if min(below, above) > 0 else None


def _far(ordered: Values) -> tuple[int, float, float]:
    """Number of far values, the farthest and its distance. Distance grows outwards, so only the ends need a look."""
    scale = _scale(ordered)
    if scale is None:
        return 0, 0.0, 0.0
    ends = ordered[[0, -1]]
    distances = _distance(ends, scale)
    with np.errstate(over="ignore"):
        low = scale.middle - scale.spread * np.sinh(FAR * scale.below)
        high = scale.middle + scale.spread * np.sinh(FAR * scale.above)
    count = np.searchsorted(ordered, low) + len(ordered) - np.searchsorted(ordered, high, side="right")
    return int(count), float(ends[distances.argmax()]), float(distances.max())


def _plain(present: pl.Series) -> npt.NDArray[np.generic]:
    """Values as they are stored; exact for whole numbers beyond 2^53."""
    if present.dtype.is_temporal():
        return present.to_physical().to_numpy()
    exact = present.dtype.is_integer() and present.dtype not in (pl.Int128, pl.UInt128)
    return (present if exact else present.cast(pl.Float64, strict=False).drop_nulls()).to_numpy()


def _unit(dtype: pl.DataType) -> int:
    """Stored ticks in one day of a moment; 1 for numbers and dates."""
    return _TICKS_PER_DAY[dtype.time_unit] if isinstance(dtype, pl.Datetime) else 1


def _distinct(ordered: npt.NDArray[np.generic]) -> int:
    return int((ordered[1:] != ordered[:-1]).sum()) + 1 if len(ordered) else 0


def _commonest(present: pl.Series) -> int:
    return 0 if present.is_empty() else int(present.value_counts(name="\0rows")["\0rows"].to_numpy().max())


def _at_ranks(ordered: Values, ranks: tuple[float, ...]) -> Values:
    """The values nearest to these ranks, 0 to 1."""
    chosen: Values = ordered[np.rint(np.array(ranks) * (len(ordered) - 1)).astype(np.int64)]
    return chosen


def _median(ordered: Values) -> Values:
    """The one or two values in the middle."""
    return ordered[[(len(ordered) - 1) // 2, len(ordered) // 2]]


def _moment(figure: Callable[[], Any]) -> float | None:
    """A mean or standard deviation that JSON can hold; None where huge numbers overflow."""
    with np.errstate(over="ignore", invalid="ignore"):
        value = float(figure())
    return value if np.isfinite(value) else None


def _skewness(ordered: Values) -> float | None:
    """Of the inner 99 %; of 50,000 values, evenly thinned, where there are more."""
    inner = ordered[len(ordered) // 200 : len(ordered) - len(ordered) // 200]
    inner = inner[:: max(1, len(inner) // _THINNED)]
    inner = inner / max(float(np.abs(inner[[0, -1]]).max()), 1e-300)  # huge squares overflow
    spread = float(inner.std())
    if spread == 0 or not np.isfinite(spread):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        skewness = float(np.mean(((inner - inner.mean()) / spread) ** 3))
    return skewness if np.isfinite(skewness) else None


def _sketch(ordered: Values) -> tuple[int, ...]:
    """Counts in equal-width bins; one bin if all values are equal, or too near for a step between them."""
    low, high = float(ordered[0]), float(ordered[-1])
    width = high / _SKETCH_BINS - low / _SKETCH_BINS
    if not low < high or not np.isfinite(width) or low + width == low:
        return (len(ordered),)
    part = np.arange(1, _SKETCH_BINS) / _SKETCH_BINS
    edges = low * (1 - part) + high * part  # the width itself may overflow when multiplied
    places = np.searchsorted(ordered, edges)
    return tuple(np.diff(np.r_[0, places, len(ordered)]).tolist())
