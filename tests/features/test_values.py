import datetime as dt
import decimal

import numpy as np
import polars as pl
import pytest

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

BERLIN = dt.timezone(dt.timedelta(hours=1))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3.0),
        (" 12.5 ", 12.5),
        ("1e3", 1000.0),
        (True, 1.0),
        (decimal.Decimal("0.1"), 0.1),
        ("1_000", None),
        ("nan", None),
        ("", None),
        ("a dozen", None),
        (float("inf"), None),
        (10**400, None),
        (None, None),
        (dt.date(2024, 1, 1), None),
        ([1.0], None),
    ],
)
def test_a_number_is_read_or_missing(value: object, expected: float | None) -> None:
    """Text and booleans count as numbers where they are; everything else is missing, never an error."""
    assert number_of(value) == expected


@pytest.mark.parametrize(
    "series",
    [
        pl.Series([1, None, 2**53 + 1], dtype=pl.Int64),
        pl.Series([2**64 - 1, 0], dtype=pl.UInt64),
        pl.Series([0.1, float("nan"), float("-inf"), None, -0.0]),
        pl.Series([0.1, None], dtype=pl.Float32),
        pl.Series([True, None, False]),
        pl.Series(["12.5", "x", None, "1_0", "١٢"]),
        pl.Series([decimal.Decimal("1.10"), None]),
        pl.Series([dt.date(2024, 1, 1), None]),
        pl.Series([None, None]),
        pl.Series([[1.0], None]),
    ],
    ids=lambda series: str(series.dtype),
)
def test_a_column_of_numbers_agrees_with_its_values(series: pl.Series) -> None:
    """Whatever the column's type, reading it whole gives the bits of reading value by value."""
    one_by_one = [number_of(value) for value in series.to_list()]

    expected = np.array([np.nan if number is None else number for number in one_by_one])
    assert numbers_in(series).tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    "series",
    [
        pl.Series(["a", "", None, "1"]),
        pl.Series([1, None, -3], dtype=pl.Int8),
        pl.Series([1.0, 2.5, float("nan"), None, -0.0, 1e300, float("inf")]),
        pl.Series([True, None]),
        pl.Series(["a", None, "b"], dtype=pl.Categorical),
        pl.Series(["a", None], dtype=pl.Enum(["a", "b"])),
        pl.Series([dt.date(2024, 2, 29), None]),
        pl.Series(["2024-02-29T01:00:00", None]).str.to_datetime(),
        pl.Series([None, None]),
    ],
    ids=lambda series: str(series.dtype),
)
def test_a_column_of_categories_agrees_with_its_values(series: pl.Series) -> None:
    """Category names do not depend on whether one value or a column is read."""
    assert categories_in(series).to_list() == [category_of(value) for value in series.to_list()]


def test_whole_numbers_have_one_name() -> None:
    """1, 1.0 and the text "1" are one category."""
    assert {category_of(1), category_of(1.0), category_of("1"), category_of(np.int64(1))} == {"1"}


@pytest.mark.parametrize(
    "series",
    [
        pl.Series([True, None, False]),
        pl.Series([0, 1, 2, None]),
        pl.Series([0.0, 1.0, 0.5, float("nan")]),
        pl.Series(["Yes", " no ", "maybe", None, "1"]),
    ],
    ids=lambda series: str(series.dtype),
)
def test_a_column_of_booleans_agrees_with_its_values(series: pl.Series) -> None:
    """Yes, 1 and true are one thing; what says neither is missing."""
    assert booleans_in(series).to_list() == [boolean_of(value) for value in series.to_list()]
    assert boolean_of("maybe") is None


@pytest.mark.parametrize(
    "series",
    [
        pl.Series([dt.date(1969, 12, 31), dt.date(2024, 2, 29), None]),
        pl.Series(["1900-01-01T23:59:59", None]).str.to_datetime(),
        pl.Series([dt.datetime(2024, 1, 1, 0, 30, tzinfo=BERLIN)]).dt.convert_time_zone("Europe/Berlin"),
        pl.Series(["2024-02-29", "2024-02-29T10:00:00", "2024-02-29 23:30:00+01:00", "soon", None, "20240229"]),
        pl.Series([20240229, None]),
    ],
    ids=lambda series: str(series.dtype),
)
def test_a_column_of_moments_agrees_with_its_values(series: pl.Series) -> None:
    """Zones are moved to UTC, text is read as ISO 8601, and a bare number is no date."""
    assert moments_in(series).to_list() == [moment_of(value) for value in series.to_list()]


def test_not_a_time_is_missing() -> None:
    """What pandas calls not-a-time is missing, although it is a datetime by type."""
    import pandas as pd

    assert moment_of(pd.NaT) is None
    assert moment_of(dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-5)))) is None
