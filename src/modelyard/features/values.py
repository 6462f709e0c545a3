"""What a cell means: one reading of numbers, categories, booleans and moments for a single value and for a column.

Every reading exists twice. ``*_of`` takes one Python value and needs nothing but the standard library: it is what
serving runs per request. ``*_in`` takes a Polars series. The two agree on every value, because whatever Polars could
read differently from Python (text, decimals, odd types) is read by the Python function in both.

Missing is one thing: ``None``, NaN, an infinity, a null, and whatever cannot be read as the kind asked for.
"""

import datetime as dt
import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = [
    "boolean_of",
    "booleans_in",
    "categories_in",
    "category_of",
    "moment_of",
    "moments_in",
    "number_of",
    "numbers_in",
    "standardised",
]

_Answer = TypeVar("_Answer")

_TRUE = frozenset({"true", "t", "yes", "y", "on", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0", "0.0"})
_EXACT_INTEGERS = 2.0**53


def number_of(value: object) -> float | None:
    """One value as a finite float, or None if it is missing or no number.

    >>> number_of("12.5"), number_of(True), number_of(float("nan")), number_of("a dozen")
    (12.5, 1.0, None, None)
    """
    if value.__class__ is float:
        return value if math.isfinite(value) else None
    if value is None:
        return None
    if isinstance(value, str):
        return _number_in_text(value)
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever has no __float__ is no number
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _number_in_text(text: str) -> float | None:
    """A number written as text; Python's underscores between digits are not how data are written."""
    if "_" in text:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def numbers_in(series: pl.Series) -> npt.NDArray[np.float64]:
    """A column as float64 of shape (rows,); NaN where :func:`number_of` gives None."""
    plain_integer = series.dtype.is_integer() and series.dtype not in (pl.Int128, pl.UInt128)
    if plain_integer or series.dtype.is_float() or series.dtype == pl.Boolean:
        values = series.cast(pl.Float64).to_numpy()
        finite = np.isfinite(values)
        return values if finite.all() else np.where(finite, values, np.nan)
    return np.array([math.nan if (n := number_of(v)) is None else n for v in series.to_list()], dtype=np.float64)


def category_of(value: object) -> str | None:
    """One value as a category's name, or None if it is missing.

    Whole numbers have one name however they are written, so that ``1``, ``1.0`` and the text ``"1"`` are one category.

    >>> category_of(1), category_of(1.0), category_of(2.5), category_of(True), category_of(float("nan"))
    ('1', '1', '2.5', 'true', None)
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _category_of_float(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


def _category_of_float(value: float) -> str | None:
    """The shortest text that reads back as the same float; without a fraction for whole numbers."""
    if math.isnan(value):
        return None
    if value.is_integer() and abs(value) < _EXACT_INTEGERS:
        return str(int(value))
    return repr(float(value))


def categories_in(series: pl.Series) -> pl.Series:
    """A column as text; null where :func:`category_of` gives None."""
    dtype = series.dtype
    if dtype == pl.String:
        return series
    if dtype.is_integer() or dtype in (pl.Boolean, pl.Categorical, pl.Enum):
        return series.cast(pl.String)
    return pl.Series(series.name, _read(series, category_of), dtype=pl.String)


def boolean_of(value: object) -> bool | None:
    """One value as true or false, or None if it is missing or says neither.

    >>> boolean_of("Yes"), boolean_of(0), boolean_of(2), boolean_of(None)
    (True, False, None, None)
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = value.strip().lower()
        return True if text in _TRUE else (False if text in _FALSE else None)
    number = number_of(value)
    return None if number not in (0.0, 1.0) else number == 1.0


def booleans_in(series: pl.Series) -> pl.Series:
    """A column as booleans; null where :func:`boolean_of` gives None."""
    if series.dtype == pl.Boolean:
        return series
    return pl.Series(series.name, _read(series, boolean_of), dtype=pl.Boolean)


def moment_of(value: object) -> dt.datetime | None:
    """One value as a moment without a time zone, or None if it is missing or no date.

    Text is read as ISO 8601. A moment with a time zone is moved to UTC; one without is taken as it is written.

    >>> moment_of("2024-02-29"), moment_of("2024-02-29T23:30:00+01:00")
    (datetime.datetime(2024, 2, 29, 0, 0), datetime.datetime(2024, 2, 29, 22, 30))
    """
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, dt.datetime):
        return _without_zone(value)
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a date has no zone
    return None


def _without_zone(value: dt.datetime) -> dt.datetime | None:
    """A moment in UTC without its zone; None for pandas' not-a-time, and where UTC leaves Python's range of years."""
    if value != value:  # noqa: PLR0124 - the one property of not-a-time that needs no pandas
        return None
    if value.tzinfo is None:
        return value
    try:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    except OverflowError:
        return None


def moments_in(series: pl.Series) -> pl.Series:
    """A column as datetimes without a time zone; null where :func:`moment_of` gives None."""
    dtype = series.dtype
    if dtype == pl.Date:
        return series.cast(pl.Datetime("us"))
    if isinstance(dtype, pl.Datetime):
        return series if dtype.time_zone is None else series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return pl.Series(series.name, _read(series, moment_of), dtype=pl.Datetime("us"))


def _read(series: pl.Series, reading: Callable[[object], _Answer]) -> list[_Answer]:
    """Apply a reading to every value; text that repeats is read once."""
    if series.dtype != pl.String:
        return [reading(value) for value in series.to_list()]
    known = {text: reading(text) for text in series.unique().to_list()}
    return [known[text] for text in series.to_list()]


def standardised(
    values: npt.NDArray[np.float64],
    missing: npt.NDArray[np.bool_],
    fill: float | None,
    center: float,
    scale: float,
) -> npt.NDArray[np.float64]:
    """``(value - center) / scale`` with gaps filled; an overflow is an infinity, as in plain Python."""
    filled = np.where(missing, np.nan if fill is None else fill, values)
    with np.errstate(over="ignore"):
        return (filled - center) / scale
