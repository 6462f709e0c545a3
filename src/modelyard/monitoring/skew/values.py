"""One column as requests carried it against the table: how often it differs, and what the differing values have in common."""

import math

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import beta

from modelyard.data import Column, ColumnKind, category_text
from modelyard.data.contract import ColumnContract
from modelyard.data.history.moments import plain_moments
from modelyard.data.schema import conform_column
from modelyard.monitoring.quality import UNIT_FACTORS, plain_category
from modelyard.monitoring.skew.records import ColumnSkew, Pattern
from modelyard.report import format_number

__all__ = ["compare_column"]

Floats = npt.NDArray[np.float64]

_SAME = 1e-6
_ALPHA = 0.01
_MOST = 0.5
_FEWEST_TOLD = 5
_ON_THE_LINE = 0.9
_NEAR = 0.01
_MOST_EXAMPLES = 3
_SHOWN = 40


def compare_column(column: ColumnContract, requests: pl.Series, table: pl.Series) -> ColumnSkew:
    """Compare a column, request by request.

    Parameters
    ----------
    column
        The feature: its kind says how values are read, its categories what training saw.
    requests, table
        The values of the same entities in the same order.

    Notes
    -----
    Numbers are the same within a millionth of the larger one. Of the differing numbers, nine in ten within 1 % of one
    factor, one distance, or one straight line are told as such.
    """
    got, wanted = _read(column, requests), _read(column, table)
    missing, filled = got.is_null() & wanted.is_not_null(), got.is_not_null() & wanted.is_null()
    both = got.is_not_null() & wanted.is_not_null()
    differs = missing | filled | (both & ~_same(column, got, wanted))
    count, rows = int(differs.sum()), len(got)
    if not count:
        return ColumnSkew(column.name, rows, 0, 0.0)
    changed = differs & both
    respelled, unseen = _categories(column, got.filter(changed), wanted.filter(changed))
    pattern, detail = _pattern(column, got.filter(changed), wanted.filter(changed), count)
    for kind, some in ((Pattern.MISSING, missing), (Pattern.FILLED, filled)):
        if some.sum() > _MOST * count:
            pattern, detail = kind, ""
    if respelled > _MOST * count:
        pattern, detail = Pattern.SPELLING, ""
    return ColumnSkew(
        column=column.name,
        rows=rows,
        differing=count,
        at_least=float(beta.ppf(_ALPHA, count, rows - count + 1)),
        missing=int(missing.sum()),
        filled=int(filled.sum()),
        respelled=respelled,
        unseen=unseen,
        pattern=pattern,
        detail=detail,
        examples=_examples(wanted.filter(differs), got.filter(differs)),
    )


def _read(column: ColumnContract, values: pl.Series) -> pl.Series:
    """The values as training reads them; whatever is no value is null."""
    if column.kind is ColumnKind.DATE:
        read = conform_column(values, Column(column.name, column.kind, "Datetime", nullable=True))
        return plain_moments(read)
    if column.kind in (ColumnKind.NUMERIC, ColumnKind.BOOLEAN):
        read = conform_column(values, Column(column.name, column.kind, "Float64", nullable=True))
        return read.fill_nan(None) if read.dtype.is_float() else read
    return category_text(values)


def _same(column: ColumnContract, got: pl.Series, wanted: pl.Series) -> pl.Series:
    """Where both have one value; false where one has none."""
    if column.kind is not ColumnKind.NUMERIC:
        return (got == wanted).fill_null(value=False)
    left, right = (one.cast(pl.Float64).fill_null(float("nan")).to_numpy() for one in (got, wanted))
    with np.errstate(invalid="ignore"):
        near = np.abs(left - right) <= _SAME * np.maximum(np.abs(left), np.abs(right))
    return pl.Series(near | (left == right))


def _categories(column: ColumnContract, got: pl.Series, wanted: pl.Series) -> tuple[int, int]:
    """How many differ in spelling alone, and how many training never saw."""
    if column.kind is not ColumnKind.CATEGORY:
        return 0, 0
    pairs = zip(got.to_list(), wanted.to_list(), strict=True)
    respelled = sum(plain_category(one) == plain_category(other) for one, other in pairs)
    return respelled, sum(one not in column.known for one in got.to_list()) if column.categories else 0


def _pattern(column: ColumnContract, got: pl.Series, wanted: pl.Series, count: int) -> tuple[Pattern, str]:
    """Whether requests have one value alone, or numbers differ as those of another unit do."""
    if len(got) < max(_FEWEST_TOLD, _MOST * count):
        return Pattern.NONE, ""
    if got.n_unique() == 1 and wanted.n_unique() > 1:
        return Pattern.CONSTANT, f"always {_shown(got[0])}"
    if column.kind is not ColumnKind.NUMERIC:
        return Pattern.NONE, ""
    detail = _line(wanted.cast(pl.Float64).to_numpy(), got.cast(pl.Float64).to_numpy())
    return (Pattern.UNIT, detail) if detail else (Pattern.NONE, "")


def _line(table: Floats, request: Floats) -> str:
    """The one factor, distance or straight line that leads from the table's numbers to the requests'; ``""`` if none does."""
    if len(np.unique(table)) < 2:
        return ""
    ratios = request[table != 0] / table[table != 0]
    factor = float(np.median(ratios)) if len(ratios) else math.nan
    if _holds(request, factor * table):
        return _factor_words(factor)
    distance = float(np.median(request - table))
    if _holds(request - table, np.full_like(table, distance)):
        return f"{format_number(abs(distance))} {'more' if distance > 0 else 'less'} than in the table"
    slope, start = (float(one) for one in np.polyfit(table, request, 1))
    if slope and np.mean(np.abs(request - slope * table - start) <= _NEAR * np.ptp(request)) >= _ON_THE_LINE:
        return f"{format_number(slope)} times the table's number, {'plus' if start > 0 else 'minus'} {format_number(abs(start))}"
    return ""


def _holds(values: Floats, expected: Floats) -> bool:
    """True if nine in ten values are within 1 % of what is expected."""
    if not np.isfinite(expected).all():
        return False
    return bool(np.mean(np.abs(values - expected) <= _NEAR * np.abs(expected)) >= _ON_THE_LINE)


def _factor_words(factor: float) -> str:
    """A factor by the name of the units, if they are known."""
    if factor > 0:
        known, words = min(UNIT_FACTORS, key=lambda one: abs(math.log(factor / one[0])))
        if abs(factor / known - 1) <= _NEAR:
            return words
    return (
        f"divided by {format_number(1 / factor)}" if 0 < abs(factor) < 1 else f"multiplied by {format_number(factor)}"
    )


def _examples(wanted: pl.Series, got: pl.Series) -> tuple[tuple[str, str], ...]:
    """Some different pairs, the table's value first."""
    pairs = dict.fromkeys(zip(wanted.head(1000).to_list(), got.head(1000).to_list(), strict=True))
    shown = list(pairs)[:_MOST_EXAMPLES]
    return tuple((_shown(one), _shown(other)) for one, other in shown)


def _shown(value: object) -> str:
    if value is None:
        return "missing"
    return f"{value:.6g}" if isinstance(value, float) else str(value)[:_SHOWN]
