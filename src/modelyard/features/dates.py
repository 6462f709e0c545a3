"""A date as calendar parts, and the days between two dates of one row."""

import dataclasses
import datetime as dt
import functools
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Record
from modelyard.features.values import moment_of, moments_in, standardised

__all__ = ["CIRCLES", "DateDifferenceEncoding", "DateEncoding", "DatePart"]

Matrix = npt.NDArray[np.float64]

_MICROSECONDS_PER_DAY = 86_400_000_000.0
_MICROSECOND = dt.timedelta(microseconds=1)


@dataclasses.dataclass(frozen=True)
class DatePart(Record):
    """One number taken from a moment.

    Parameters
    ----------
    name
        ``month`` (1–12), ``day`` (of the month, 1–31), ``weekday`` (Monday is 1), ``hour`` (0–23) or ``epoch_days``
        (whole days since 1 January 1970); ``month_sin``, ``month_cos`` and so on for month, weekday and hour: the
        place on a circle, where December is next to January.
    fill, center, scale
        As in :class:`~modelyard.features.encodings.NumericEncoding`.
    """

    name: str
    fill: float | None = None
    center: float = 0.0
    scale: float = 1.0


@dataclasses.dataclass(frozen=True)
class DateEncoding(Record):
    """A date or a moment as calendar parts.

    Parameters
    ----------
    column
        Name of the column read: dates, datetimes, or text in ISO 8601.
    parts
        The parts taken, in order.
    indicator
        True adds a last feature that is 1 where the value is missing.
    """

    column: str
    parts: tuple[DatePart, ...]
    indicator: bool = False

    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        names = tuple(f"{self.column}.{part.name}" for part in self.parts)
        return (*names, f"{self.column} (missing)") if self.indicator else names

    def encode_series(self, series: pl.Series) -> Matrix:
        """Features of a column, shape (rows, ``len(names())``)."""
        moments = moments_in(series)
        missing = moments.is_null().to_numpy()
        columns = [
            standardised(_PARTS_OF_SERIES[part.name](moments), missing, part.fill, part.center, part.scale)
            for part in self.parts
        ]
        if self.indicator:
            columns.append(missing.astype(np.float64))
        return np.column_stack(columns) if columns else np.empty((len(series), 0))

    def encode_value(self, value: object) -> tuple[float, ...]:
        """Features of one value, the same bits as in :meth:`encode_series`."""
        moment = moment_of(value)
        features = []
        for part in self.parts:
            if moment is None:
                known = math.nan if part.fill is None else part.fill
            else:
                known = float(_PARTS_OF_MOMENT[part.name](moment))
            features.append((known - part.center) / part.scale)
        if self.indicator:
            features.append(1.0 if moment is None else 0.0)
        return tuple(features)


@dataclasses.dataclass(frozen=True)
class DateDifferenceEncoding(Record):
    """Days from one date column to another; below 0 if the second is earlier. Missing if one of them is.

    Parameters
    ----------
    start, end
        Names of the columns read.
    fill, center, scale
        As in :class:`DatePart`.
    """

    start: str
    end: str
    fill: float | None = None
    center: float = 0.0
    scale: float = 1.0

    @property
    def column(self) -> str:
        """The pair by a name of its own, for the catalogue."""
        return f"{self.start} to {self.end}"

    def names(self) -> tuple[str, ...]:
        """The name of the one feature."""
        return (f"{self.start} to {self.end} (days)",)

    @property
    def reads(self) -> tuple[str, str]:
        """The columns of the table that it reads."""
        return (self.start, self.end)

    def encode_pair(self, start: pl.Series, end: pl.Series) -> Matrix:
        """Features of two columns, shape (rows, 1)."""
        apart = (_microseconds(end) - _microseconds(start)).cast(pl.Float64).to_numpy() / _MICROSECONDS_PER_DAY
        return standardised(apart, np.isnan(apart), self.fill, self.center, self.scale)[:, np.newaxis]

    def encode_values(self, start: object, end: object) -> tuple[float, ...]:
        """Features of one row's two values, the same bits as in :meth:`encode_pair`."""
        first, second = moment_of(start), moment_of(end)
        if first is None or second is None:
            apart = float("nan") if self.fill is None else self.fill
        else:
            apart = float((second - first) // _MICROSECOND) / _MICROSECONDS_PER_DAY
        return ((apart - self.center) / self.scale,)


def _microseconds(series: pl.Series) -> pl.Series:
    return moments_in(series).dt.cast_time_unit("us").to_physical().cast(pl.Int64)


_EPOCH_ORDINAL = 719_163  # date(1970, 1, 1).toordinal()

_Circle: TypeAlias = tuple[float, ...]


def _circles() -> dict[str, tuple[str, _Circle]]:
    """For every cyclic part, the plain part that it is made of, and its value for each of that part's numbers."""
    found: dict[str, tuple[str, _Circle]] = {}
    for part, (first, period) in {"month": (1, 12), "weekday": (1, 7), "hour": (0, 24)}.items():
        angles = [2 * math.pi * (number - first) / period for number in range(first + period)]
        # Rounded, so that opposite points share a coordinate exactly, and a part that does not vary is seen as such.
        found[f"{part}_sin"] = (part, tuple(round(math.sin(angle), 15) for angle in angles))
        found[f"{part}_cos"] = (part, tuple(round(math.cos(angle), 15) for angle in angles))
    return found


CIRCLES = _circles()

_PARTS_OF_MOMENT: dict[str, Callable[[Any], float]] = {
    "month": lambda moment: int(moment.month),
    "day": lambda moment: int(moment.day),
    "weekday": lambda moment: int(moment.isoweekday()),
    "hour": lambda moment: int(moment.hour),
    "epoch_days": lambda moment: int(moment.toordinal() - _EPOCH_ORDINAL),
}

_PARTS_OF_SERIES: dict[str, Callable[[pl.Series], Matrix]] = {
    "month": lambda moments: _floats(moments.dt.month()),
    "day": lambda moments: _floats(moments.dt.day()),
    "weekday": lambda moments: _floats(moments.dt.weekday()),
    "hour": lambda moments: _floats(moments.dt.hour()),
    "epoch_days": lambda moments: _floats(moments.dt.date().to_physical()),
}


def _add_circles() -> None:
    """The cyclic parts, looked up in one table both for a row and for a column, so that both have the same bits."""
    for name, (part, circle) in CIRCLES.items():
        _PARTS_OF_MOMENT[name] = functools.partial(_on_circle, circle, _PARTS_OF_MOMENT[part])
        _PARTS_OF_SERIES[name] = functools.partial(_column_on_circle, circle, _PARTS_OF_SERIES[part])


def _on_circle(circle: _Circle, part: Callable[[Any], float], moment: Any) -> float:
    return circle[int(part(moment))]


def _column_on_circle(circle: _Circle, part: Callable[[pl.Series], Matrix], moments: pl.Series) -> Matrix:
    numbers = part(moments)
    known = ~np.isnan(numbers)
    places = np.where(known, numbers, 0).astype(np.int64)
    return np.where(known, np.array(circle)[places], np.nan)


_add_circles()


def _floats(series: pl.Series) -> Matrix:
    """A column of small integers as float64, NaN for null."""
    return series.cast(pl.Float64).to_numpy()
