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
from modelyard.features.dates import DateDifferenceEncoding, DateEncoding, DatePart
from modelyard.features.sentences import SentenceEncoding
from modelyard.features.targets import TargetEncoding
from modelyard.features.text import TextEncoding
from modelyard.features.transforms import (
    BinsEncoding,
    InteractionEncoding,
    LogEncoding,
    QuantileEncoding,
    SplineEncoding,
)
from modelyard.features.values import (
    boolean_of,
    booleans_in,
    categories_in,
    category_of,
    number_of,
    numbers_in,
    standardised,
)

__all__ = [
    "BooleanEncoding",
    "CategoryEncoding",
    "CategoryStyle",
    "ColumnEncoding",
    "ConstantEncoding",
    "DateEncoding",
    "DatePart",
    "Encoding",
    "EncodingStyle",
    "LeftOutEncoding",
    "NumericEncoding",
    "PairEncoding",
    "columns_of",
    "encode_frame",
    "encode_row",
    "encodings_from_json",
    "encodings_to_json",
    "row_encoder",
    "sources_of",
]

Matrix: TypeAlias = npt.NDArray[np.float64]

_ROWS_AT_ONCE = 65_536
_ROWS_IN_CACHE = 1_024
_NUMBERS = (float, int)
_WIDEST = 2.0**53
"""Up to here whole numbers and floats are the same; what is not within, such as NaN, takes the careful way."""


class EncodingStyle(enum.StrEnum):
    """What the estimator needs.

    ``linear``: no gaps, standardised numbers, one-hot categories. ``tree``: numbers as they are, gaps left as NaN.
    ``forest``: as ``tree``, but without NaN. ``distance`` (nearest neighbours): as ``linear``, every number on one scale.
    ``neural``: as ``distance``, but categories are codes for embeddings.
    """

    LINEAR = "linear"
    TREE = "tree"
    FOREST = "forest"
    DISTANCE = "distance"
    NEURAL = "neural"

    @property
    def is_scaled(self) -> bool:
        """True for families that compare or add features up, and so want no gaps and one scale; not for trees."""
        return self not in (EncodingStyle.TREE, EncodingStyle.FOREST)


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

    @property
    def is_as_it_is(self) -> bool:
        """True if a number that is there is its own and only feature."""
        return (self.center, self.scale, self.indicator) == (0.0, 1.0, False)

    def encode_series(self, series: pl.Series) -> Matrix:
        """Features of a column, shape (rows, ``len(names())``)."""
        values = numbers_in(series)
        if self.is_as_it_is and self.fill is None:
            return values[:, np.newaxis]
        missing = np.isnan(values)
        scaled = standardised(values, missing, self.fill, self.center, self.scale)
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
        known = list(self.by_level)
        codes = categories.cast(pl.Enum(known), strict=False).to_physical().cast(pl.UInt32).fill_null(len(known))
        table = np.array([*self.by_level.values(), self._unseen, self._missing], dtype=np.float64)
        at = codes.to_numpy()
        if self.indicator:
            at = np.where(categories.is_null().to_numpy(), len(known) + 1, at)
        features: Matrix = table.take(at, axis=0)
        return features

    def encode_value(self, value: object) -> tuple[float, ...]:
        """Features of one value, the same bits as in :meth:`encode_series`."""
        category = category_of(value)
        return self._missing if category is None else self.by_level.get(category, self._unseen)

    @functools.cached_property
    def by_level(self) -> dict[str, tuple[float, ...]]:
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
        filled = standardised(values, missing, self.fill, 0.0, 1.0)
        return np.column_stack([filled, missing.astype(np.float64)]) if self.indicator else filled[:, np.newaxis]

    def encode_value(self, value: object) -> tuple[float, ...]:
        """Features of one value, the same bits as in :meth:`encode_series`."""
        truth = boolean_of(value)
        gap = math.nan if self.fill is None else self.fill
        known = gap if truth is None else float(truth)
        return (known, 1.0 if truth is None else 0.0) if self.indicator else (known,)


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


@dataclasses.dataclass(frozen=True)
class LeftOutEncoding(Record):
    """What selection left out: its columns are read and checked as ever, and give no feature.

    Parameters
    ----------
    column
        Name of what is left out, as the catalogue has it.
    reads
        The columns of the table that it would have read.
    reason
        Why it was left out.
    """

    column: str
    reads: tuple[str, ...]
    reason: str

    def names(self) -> tuple[str, ...]:
        """No features."""
        return ()


ColumnEncoding: TypeAlias = (
    NumericEncoding
    | LogEncoding
    | CategoryEncoding
    | TargetEncoding
    | QuantileEncoding
    | SplineEncoding
    | BinsEncoding
    | BooleanEncoding
    | DateEncoding
    | TextEncoding
    | SentenceEncoding
    | ConstantEncoding
)
"""What reads one column."""

PairEncoding: TypeAlias = DateDifferenceEncoding | InteractionEncoding
"""What reads two columns."""

Encoding: TypeAlias = ColumnEncoding | PairEncoding | LeftOutEncoding

_KINDS: dict[str, type[Encoding]] = {
    "numeric": NumericEncoding,
    "log": LogEncoding,
    "quantile": QuantileEncoding,
    "spline": SplineEncoding,
    "bins": BinsEncoding,
    "category": CategoryEncoding,
    "target": TargetEncoding,
    "boolean": BooleanEncoding,
    "date": DateEncoding,
    "date_difference": DateDifferenceEncoding,
    "interaction": InteractionEncoding,
    "text": TextEncoding,
    "sentence": SentenceEncoding,
    "constant": ConstantEncoding,
    "left_out": LeftOutEncoding,
}
_NAMES = {record: kind for kind, record in _KINDS.items()}


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


def columns_of(encoding: Encoding) -> tuple[str, ...]:
    """The columns of the table that an encoding reads."""
    if isinstance(encoding, PairEncoding | LeftOutEncoding):
        return encoding.reads
    return (encoding.column,)


def sources_of(encodings: Sequence[Encoding], inputs: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """For each encoding, the columns of the table that it goes back to.

    Parameters
    ----------
    inputs
        By name of a feature of one's own, the columns that it is made of.
    """
    return tuple(
        tuple(dict.fromkeys(source for name in columns_of(encoding) for source in inputs.get(name, (name,))))
        for encoding in encodings
    )


def encode_frame(encodings: Sequence[Encoding], frame: pl.DataFrame) -> Matrix:
    """Features of a table: float64, shape (rows, features), C order. Columns that no encoding reads are ignored.

    Raises
    ------
    DataError
        If a column that an encoding reads is missing.
    """
    absent = sorted({name for encoding in encodings for name in columns_of(encoding)} - set(frame.columns))
    if absent:
        raise DataError(
            "columns that the model was trained on are missing",
            where="table to encode",
            got=f"{frame.width} columns without {', '.join(map(repr, absent[:5]))}" + (" …" if absent[5:] else ""),
            cure="Give a table with all training columns; fill a column with nulls if its values are unknown",
        )
    telling = [encoding for encoding in encodings if encoding.names()]
    matrix = np.empty((frame.height, sum(len(encoding.names()) for encoding in telling)))
    for start in range(0, frame.height if telling else 0, _ROWS_AT_ONCE):
        part = frame.slice(start, _ROWS_AT_ONCE)  # once for all: of a thousand columns a slice is not free
        blocks = [_block(encoding, part) for encoding in telling]
        _lay_side_by_side(blocks, matrix[start : start + _ROWS_AT_ONCE])
    return matrix


def _lay_side_by_side(blocks: Sequence[Matrix], matrix: Matrix) -> None:
    """Write blocks into the matrix some rows at a time, so that what is written to stays in the processor's cache."""
    for start in range(0, len(matrix), _ROWS_IN_CACHE):
        rows = slice(start, start + _ROWS_IN_CACHE)
        np.concatenate([block[rows] for block in blocks], axis=1, out=matrix[rows])


def _block(encoding: Encoding, frame: pl.DataFrame) -> Matrix:
    """The features of one encoding."""
    if isinstance(encoding, PairEncoding):
        first, second = encoding.reads
        return encoding.encode_pair(frame[first], frame[second])
    if isinstance(encoding, LeftOutEncoding):
        return np.empty((frame.height, 0))
    return encoding.encode_series(frame[encoding.column])


def row_encoder(encodings: Sequence[Encoding]) -> Callable[[Mapping[str, object]], list[float]]:
    """A function from one row to its features, prepared once; an absent field counts as missing.

    It gives the same bits as :func:`encode_frame`. Encodings that read two columns come at a price, which tables
    without them do not pay.
    """
    telling = [item for item in encodings if item.names() and not isinstance(item, LeftOutEncoding)]
    plain = [
        (encoding.column, _is_taken_as_it_is(encoding), _known_texts(encoding), encoding.encode_value)
        for encoding in telling
        if not isinstance(encoding, PairEncoding)
    ]
    if len(plain) < len(telling):
        return _pair_encoder([_reader(encoding) for encoding in telling])

    def encode(row: Mapping[str, object]) -> list[float]:
        features: list[float] = []
        for column, as_it_is, known, encode_value in plain:
            value = row.get(column)
            if as_it_is and value.__class__ in _NUMBERS and -_WIDEST <= value <= _WIDEST:
                features.append(float(value))
                continue
            found = known.get(value) if value.__class__ is str else None
            features += encode_value(value) if found is None else found
        return features

    return encode


def _is_taken_as_it_is(encoding: ColumnEncoding) -> bool:
    """True if a number that is there is its own and only feature."""
    return isinstance(encoding, NumericEncoding) and encoding.is_as_it_is


def _known_texts(encoding: ColumnEncoding) -> Mapping[str, tuple[float, ...]]:
    """The features of values that need no reading, since they are a category's name; none for other encodings."""
    return encoding.by_level if isinstance(encoding, CategoryEncoding | TargetEncoding) else {}


def _pair_encoder(readers: Sequence[Callable[[Mapping[str, object]], tuple[float, ...]]]) -> "_RowEncoder":
    """The slower way, for encodings of which some read two columns."""
    return lambda row: [feature for reader in readers for feature in reader(row)]


def _reader(encoding: ColumnEncoding | PairEncoding) -> Callable[[Mapping[str, object]], tuple[float, ...]]:
    """A function from a row to the features of one encoding."""
    if isinstance(encoding, PairEncoding):
        first, second = encoding.reads
        return lambda row: encoding.encode_values(row.get(first), row.get(second))
    return lambda row: encoding.encode_value(row.get(encoding.column))


_RowEncoder: TypeAlias = Callable[[Mapping[str, object]], list[float]]


def encode_row(encodings: Sequence[Encoding], row: Mapping[str, object]) -> list[float]:
    """Features of one row; who encodes many takes :func:`row_encoder` once."""
    return row_encoder(encodings)(row)
