import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.report import format_number, format_percent, format_range


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.84527, "0.8453"),
        (0.845, "0.8450"),
        (1204, "1,204"),
        (1234.56, "1,235"),
        (123.456, "123.5"),
        (17.5, "17.5"),
        (0.000032, "3.2e-05"),
        (-0.5, "-0.5000"),
        (0.0, "0"),
        (-0.0, "0"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (1e20, "1.0e+20"),
    ],
)
def test_numbers_for_people(value: float | None, text: str) -> None:
    """Four significant digits, thousands apart, and never a bare nan."""
    assert format_number(value) == text


@given(st.floats(-1e300, 1e300))
def test_a_formatted_number_is_near_the_number(value: float) -> None:
    """Reading the text back gives the value to within half a unit of the last digit shown."""
    back = float(format_number(value).replace(",", ""))

    assert back == pytest.approx(value, rel=0.051, abs=0.00005)


def test_percentages_do_not_round_something_to_nothing() -> None:
    """A tiny share is "below", not zero."""
    assert [format_percent(share) for share in (0.5, 0.00001, 0.0, None)] == [
        "50\u202f%",
        "< 0.1\u202f%",
        "0\u202f%",
        "–",
    ]


def test_a_range_without_an_end_is_missing() -> None:
    """Half an interval is none."""
    assert format_range(0.1, None) == "–"
