"""How each column becomes numbers: plain records, the single source of truth for one row and for a table.

An encoding knows everything it needs to turn a column into float64 features without scikit-learn. It is fitted once
(see :mod:`modelyard.features.fitting`), written to JSON inside the package, and read back by serving. ``encode_value``
takes one Python value and touches neither NumPy nor Polars; ``encode_series`` takes a column. Both give the same bits.
"""

import dataclasses
import enum
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import DataError, IntegrityError, Record
from modelyard.features.values import (
    boolean_of,
    booleans_in,
    categories_in,
    category_of,
    moment_of,
    moments_in,
    number_of,
    numbers_in,
)

__all__ = [
    "BooleanEncoding",
    "CategoryEncoding",
    "CategoryStyle",
    "ConstantEncoding",
    "DateEncoding",
    "DatePart",
    "Encoding",
    "EncodingStyle",
    "NumericEncoding",
    "encode_frame",
    "encode_row",
    "encodings_from_json",
    "encodings_to_json",
]

Matrix: TypeAlias = npt.NDArray[np.float64]


class EncodingStyle(enum.StrEnum):
    """What the estimator needs.

    ``linear``: no gaps, standardised numbers, one-hot categories. ``tree``: numbers as they are, gaps left as NaN.
    ``forest``: as ``tree``, but without NaN.
    """

    LINEAR = "linear"
    TREE = "tree"
    FOREST = "forest"


class CategoryStyle(enum.StrEnum):
    """One column of 0 and 1 per level, or one column of codes ordered by frequency."""

    ONE_HOT = "one_hot"
    CODES = "codes"


@dataclasses.dataclass(frozen=True)
class NumericEncoding(Record):
    """A number, optionally filled, standardised and flagged when missing.

    Parameters
    ----------
    column
        Name of the column read.
    fill
        Value that stands for a missing one, before standardising; None leaves NaN.
    center, scale
        The feature is ``(value - center) / scale``; ``scale`` is above 0.
    indicator
        True adds a second feature that is 1 where the value is missing.
    """

    column: str
    fill: float | None = None
    center: float = 0.0
    scale: float = 1.0
    indicator: bool = False

    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return (self.column, f"{self.column} (missing)") if self.indicator else (self.column,)

    def encode_series(self, series: pl.Series) -> Matrix:
        """Features of a column, shape (rows, ``len(names())``)."""
        values = numbers_in(series)
        missing = np.isnan(values)
        scaled = _standardised(values, missing, self.fill, self.center, self.scale)
        return np.column_stack([scaled, missing.astype(np.float64)]) if self.indicator else scaled[:, np.newaxis]

    def encode_value(self, value: object) -> tuple[float, ...]:
        """Features of one value, the same bits as in :meth:`encode_series`."""
        number = number_of(value)
        known = number if number is not None else (math.nan if self.fill is None else self.fill)
        scaled = (known - self.center) / self.scale
        return (scaled, 1.0 if number is None else 0.0) if self.indicator else (scaled,)


@dataclasses.dataclass(frozen=True)
class CategoryEncoding(Record):
    """A category, one-hot or as a code.

    Parameters
    ----------
    column
        Name of the column read.
    style
        One-hot or codes.
    levels
        Known levels, most frequent first; the order of the one-hot features, or the codes 0, 1, 2 ….
    infrequent
        Known levels that share one further feature (one-hot only); an unseen level is 0 everywhere.
    indicator
        True adds a feature that is 1 where the value is missing (one-hot only).
    missing_code
        Code of a missing or unseen level (codes only); None leaves NaN.
    """

    column: str
    style: CategoryStyle
    levels: tuple[str, ...]
    infrequent: tuple[str, ...] = ()
    indicator: bool = False
    missing_code: float | None = None

    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        if self.style is CategoryStyle.CODES:
            return (self.column,)
        names = [f"{self.column}={level}" for level in self.levels]
        if self.infrequent:
            names.append(f"{self.column} (infrequent)")
        if self.indicator:
            names.append(f"{self.column} (missing)")
        return tuple(names)

    def encode_series(self, series: pl.Series) -> Matrix:
        """Features of a column, shape (rows, ``len(names())``)."""
        categories = categories_in(series)
        known = list(self._rows)
        codes = categories.cast(pl.Enum(known), strict=False).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
        table = np.array([*self._rows.values(), self._unseen, self._missing], dtype=np.float64)
        at = np.where(categories.is_null().to_numpy(), len(known) + 1, np.where(codes < 0, len(known), codes))
        return table[at]

    def encode_value(self, value: object) -> tuple[float, ...]:
        """Features of one value, the same bits as in :meth:`encode_series`."""
        category = category_of(value)
        return self._missing if category is None else self._rows.get(category, self._unseen)

    @functools.cached_property
    def _rows(self) -> dict[str, tuple[float, ...]]:
        """The features of every known level."""
        if self.style is CategoryStyle.CODES:
            return {level: (float(code),) for code, level in enumerate(self.levels)}
        rows = {level: self._one_at(position) for position, level in enumerate(self.levels)}
        return rows | dict.fromkeys(self.infrequent, self._one_at(len(self.levels)))

    @functools.cached_property
    def _unseen(self) -> tuple[float, ...]:
        """The features of a level that training did not see."""
        if self.style is CategoryStyle.CODES:
            return (math.nan if self.missing_code is None else self.missing_code,)
        return self._one_at(None)

    @functools.cached_property
    def _missing(self) -> tuple[float, ...]:
        """The features of a missing value."""
        return self._one_at(len(self.names()) - 1) if self.indicator else self._unseen

    def _one_at(self, position: int | None) -> tuple[float, ...]:
        """All 0 but for a 1 at ``position``."""
        return tuple(1.0 if place == position else 0.0 for place in range(len(self.names())))


@dataclasses.dataclass(frozen=True)
class BooleanEncoding(Record):
    """True as 1, false as 0.

    Parameters
    ----------
    column
        Name of the column read.
    fill
        What stands for a missing value; None leaves NaN.
    indicator
        True adds a second feature that is 1 where the value is missing.
    """

    column: str
    fill: float | None = None
    indicator: bool = False

    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return (self.column, f"{self.column} (missing)") if self.indicator else (self.column,)

    def encode_series(self, series: pl.Series) -> Matrix:
        """Features of a column, shape (rows, ``len(names())``)."""
        values = booleans_in(series).cast(pl.Float64).to_numpy()
        missing = np.isnan(values)
        filled = _standardised(values, missing, self.fill, 0.0, 1.0)
        return np.column_stack([filled, missing.astype(np.float64)]) if self.indicator else filled[:, np.newaxis]

    def encode_value(self, value: object) -> tuple[float, ...]:
        """Features of one value, the same bits as in :meth:`encode_series`."""
        truth = boolean_of(value)
        gap = math.nan if self.fill is None else self.fill
        known = gap if truth is None else float(truth)
        return (known, 1.0 if truth is None else 0.0) if self.indicator else (known,)


@dataclasses.dataclass(frozen=True)
class DatePart(Record):
    """One number taken from a moment.

    Parameters
    ----------
    name
        ``month`` (1–12), ``day`` (of the month, 1–31), ``weekday`` (Monday is 1), ``hour`` (0–23) or ``epoch_days``
        (whole days since 1 January 1970).
    fill, center, scale
        As in :class:`NumericEncoding`.
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
            _standardised(_PARTS_OF_SERIES[part.name](moments), missing, part.fill, part.center, part.scale)
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
class ConstantEncoding(Record):
    """A column that tells nothing in training and gives no feature.

    Parameters
    ----------
    column
        Name of the column.
    reason
        Why it was dropped, for the catalogue: "one value in all training rows".
    """

    column: str
    reason: str

    def names(self) -> tuple[str, ...]:
        """No features."""
        return ()

    def encode_series(self, series: pl.Series) -> Matrix:
        """Shape (rows, 0)."""
        return np.empty((len(series), 0))

    def encode_value(self, value: object) -> tuple[float, ...]:  # noqa: ARG002 - the protocol of encodings
        """The empty tuple."""
        return ()


Encoding: TypeAlias = NumericEncoding | CategoryEncoding | BooleanEncoding | DateEncoding | ConstantEncoding

_KINDS: dict[str, type[Encoding]] = {
    "numeric": NumericEncoding,
    "category": CategoryEncoding,
    "boolean": BooleanEncoding,
    "date": DateEncoding,
    "constant": ConstantEncoding,
}
_NAMES = {record: kind for kind, record in _KINDS.items()}

_EPOCH_ORDINAL = 719_163  # date(1970, 1, 1).toordinal()

_PARTS_OF_MOMENT: dict[str, Callable[[Any], int]] = {
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


def encodings_to_json(encodings: Sequence[Encoding]) -> list[dict[str, Any]]:
    """Encodings as JSON-ready data; floats survive exactly, since JSON writes their shortest exact text."""
    return [{"encoding": _NAMES[type(encoding)], **encoding.to_dict()} for encoding in encodings]


def encodings_from_json(data: Sequence[Mapping[str, Any]]) -> tuple[Encoding, ...]:
    """The inverse of :func:`encodings_to_json`.

    Raises
    ------
    IntegrityError
        If an entry names an unknown kind of encoding, or lacks a field.
    """
    return tuple(_encoding_from_json(item) for item in data)


def _encoding_from_json(item: Mapping[str, Any]) -> Encoding:
    """One entry of the list."""
    kind = str(item.get("encoding"))
    if kind not in _KINDS:
        raise IntegrityError(
            "unknown kind of encoding",
            where="encodings",
            got=repr(kind),
            cure="The package was written by another version of modelyard; build it again or upgrade",
        )
    return _KINDS[kind].from_dict({name: value for name, value in item.items() if name != "encoding"})


def encode_frame(encodings: Sequence[Encoding], frame: pl.DataFrame) -> Matrix:
    """Features of a table: float64, shape (rows, features), C order. Columns that no encoding reads are ignored.

    Raises
    ------
    DataError
        If a column that an encoding reads is missing.
    """
    absent = sorted({encoding.column for encoding in encodings} - set(frame.columns))
    if absent:
        raise DataError(
            "columns that the model was trained on are missing",
            where="table to encode",
            got=f"{frame.width} columns without {', '.join(map(repr, absent[:5]))}" + (" …" if absent[5:] else ""),
            cure="Give a table with all training columns; fill a column with nulls if its values are unknown",
        )
    matrix = np.empty((frame.height, sum(len(encoding.names()) for encoding in encodings)))
    start = 0
    for encoding in encodings:
        block = encoding.encode_series(frame[encoding.column])
        matrix[:, start : start + block.shape[1]] = block
        start += block.shape[1]
    return matrix


def encode_row(encodings: Sequence[Encoding], row: Mapping[str, object]) -> list[float]:
    """Features of one row, the same bits as :func:`encode_frame`; an absent field counts as missing."""
    features: list[float] = []
    for encoding in encodings:
        features.extend(encoding.encode_value(row.get(encoding.column)))
    return features


def _standardised(
    values: Matrix, missing: npt.NDArray[np.bool_], fill: float | None, center: float, scale: float
) -> Matrix:
    """``(value - center) / scale`` with gaps filled; an overflow is an infinity, as in plain Python."""
    filled = np.where(missing, np.nan if fill is None else fill, values)
    with np.errstate(over="ignore"):
        return (filled - center) / scale


def _floats(series: pl.Series) -> Matrix:
    """A column of small integers as float64, NaN for null."""
    return series.cast(pl.Float64).to_numpy()
