"""A column, request by request: what counts as the same, and what differing values have in common."""

import datetime as dt
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.data import ColumnKind
from modelyard.data.contract import ColumnContract
from modelyard.monitoring.skew import Pattern
from modelyard.monitoring.skew.values import compare_column

NUMBER = ColumnContract("x", ColumnKind.NUMERIC, nullable=True)
PLAN = ColumnContract("plan", ColumnKind.CATEGORY, nullable=True, categories=("basic", "gold"))
WARMTH = np.random.default_rng(0).normal(15, 8, 300).round(1)


@given(st.lists(st.none() | st.floats(allow_infinity=False), min_size=1))
def test_a_column_is_the_same_as_itself(cells: list[float | None]) -> None:
    """Whatever it holds; NaN is a missing value."""
    values = pl.Series(cells, dtype=pl.Float64)

    assert compare_column(NUMBER, values, values.fill_nan(None)).differing == 0


@pytest.mark.parametrize(
    ("request_of", "detail"),
    [
        (lambda x: 1.8 * x + 32, "1.8 times the table's number, plus 32"),
        (lambda x: x + 273.15, "273.1 more than in the table"),
        (lambda x: 0.001 * x, "divided by 1,000 (thousands, or milli)"),
        (lambda x: -x, "multiplied by -1"),
        (lambda x: x / 12, "divided by 12"),
    ],
)
def test_another_unit_is_told(request_of: "np.ufunc", detail: str) -> None:
    """By a known factor, a distance, or a straight line; also if half of the callers use it."""
    changed = np.where(np.arange(300) % 2, request_of(WARMTH), WARMTH)
    found = compare_column(NUMBER, pl.Series(changed), pl.Series(WARMTH))

    assert (found.pattern, found.detail) == (Pattern.UNIT, detail)
    assert found.differing == 150
    assert 0.42 < found.at_least < 0.5


def test_numbers_without_a_rule_have_no_pattern() -> None:
    """Noise is another value, and no unit; a number stored with half the digits is the same."""
    noise = WARMTH + np.random.default_rng(1).normal(0, 5, 300)
    found = compare_column(NUMBER, pl.Series(noise), pl.Series(WARMTH))
    single = compare_column(NUMBER, pl.Series(WARMTH.astype(np.float32)), pl.Series(WARMTH))

    assert (found.differing, found.pattern, found.detail) == (300, Pattern.NONE, "")
    assert single.differing == 0


def test_numbers_in_text_are_read_as_training_reads_them() -> None:
    """``" 12.0"`` is 12; a word is a missing number."""
    found = compare_column(NUMBER, pl.Series([" 12.0", "many", None]), pl.Series([12, 3, None]))

    assert (found.differing, found.missing) == (1, 1)
    assert found.examples == (("3", "missing"),)


def test_categories_differ_by_spelling_or_by_what_they_are() -> None:
    """Whole numbers are categories without a fraction; what training never saw is counted."""
    found = compare_column(PLAN, pl.Series(["Basic ", "gold", "silver", None]), pl.Series(["basic"] * 4))
    codes = compare_column(PLAN, pl.Series([1.0, 2.0]), pl.Series([1, 2]))

    assert (found.differing, found.respelled, found.unseen, found.missing) == (4, 1, 2, 1)
    assert codes.differing == 0


def test_days_and_moments_are_compared_as_moments() -> None:
    """A day is its midnight; a zone is taken out."""
    since = ColumnContract("since", ColumnKind.DATE, nullable=True)
    days = pl.Series([dt.date(2026, 3, 1), dt.date(2026, 3, 2)])
    moments = (
        pl.Series(["2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"])
        .str.to_datetime()
        .dt.convert_time_zone("Europe/Berlin")
    )
    found = compare_column(since, moments, days)

    assert compare_column(since, pl.Series(["2026-03-01", "2026-03-02T00:00:00"]), days).differing == 0
    assert found.differing == 0


def test_few_differences_are_told_with_what_is_certain() -> None:
    """One of 300: at least 1 in 30,000 differs, by the exact interval."""
    changed = WARMTH.copy()
    changed[7] += 1
    found = compare_column(NUMBER, pl.Series(changed), pl.Series(WARMTH))

    assert found.share == pytest.approx(1 / 300)
    assert math.isclose(found.at_least, 1 - 0.99 ** (1 / 300), rel_tol=1e-9)
