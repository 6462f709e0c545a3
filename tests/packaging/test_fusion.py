"""One sum over the columns equals encoding and predicting, whatever the row; what it cannot do is left to these."""

import datetime as dt
import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.features import (
    BinsEncoding,
    BooleanEncoding,
    CategoryEncoding,
    CategoryStyle,
    Encoding,
    InteractionEncoding,
    LogEncoding,
    NumericEncoding,
    SplineEncoding,
    TargetEncoding,
    row_encoder,
)
from modelyard.packaging.fusion import RowScorer, row_scorer
from modelyard.packaging.fusion.curves import polynomials
from modelyard.packaging.golden import largest_difference
from modelyard.packaging.predictors import LinearPredictor, Link

SPLINE = SplineEncoding(
    "age",
    17.0,
    90.0,
    knots=(0.0, 0.2, 0.31, 0.5, 0.8),
    centers=(0.3, 0.1, 0.05, 0.02),
    scales=(0.2, 0.1, 0.05, 0.03),
    fill=38.0,
    indicator=True,
)
ENCODINGS: tuple[Encoding, ...] = (
    NumericEncoding("hours", fill=40.0, center=40.4, scale=12.3, indicator=True),
    CategoryEncoding("job", CategoryStyle.ONE_HOT, ("1", "clerk", "cook"), infrequent=("true",), indicator=True),
    BooleanEncoding("member", fill=1.0, indicator=True),
    SPLINE,
    TargetEncoding("land", ("at", "fr"), ((0.1,), (0.7,)), (0.25,), (0.4,), (0.25,), (0.1,)),
    BinsEncoding("score", (0.0, 10.0), one_hot=True, indicator=True),
    LogEncoding("gain", unit=100.0, fill=0.0, center=0.5, scale=2.0),
    InteractionEncoding("age", "hours", (38.0, 40.0), (38.0, 40.0), (13.0, 12.0)),
)
WIDTH = sum(len(encoding.names()) for encoding in ENCODINGS)
WEIGHTS = np.random.default_rng(7).normal(size=WIDTH)
COLUMNS = ("hours", "job", "member", "age", "land", "score", "gain")


@functools.cache
def _both(link: Link = Link.IDENTITY, encodings: tuple[Encoding, ...] = ENCODINGS) -> tuple[RowScorer, RowScorer]:
    """The function under test, and encoding and predicting one after the other."""
    width = sum(len(encoding.names()) for encoding in encodings)
    encode, predictor = row_encoder(encodings), LinearPredictor(WEIGHTS[:width], [0.3], link)
    return row_scorer(encodings, predictor, encode), lambda row: predictor.predict_row(encode(row))


def _agree(row: Mapping[str, Any], link: Link = Link.IDENTITY) -> bool:
    quick, plain = _both(link)
    return largest_difference(np.array(quick(row)), np.array(plain(row))) <= 1e-11


VALUES = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.floats(0, 100)
    | st.integers(-(10**3), 10**3)
    | st.sampled_from(
        ["1", "clerk", "true", "at", "fr", "12.5", "yes", "stranger", "", 10**400, [1], dt.date(2024, 2, 29)]
    )
)


@settings(max_examples=100, deadline=None)
@given(row=st.fixed_dictionaries({}, optional=dict.fromkeys(COLUMNS, VALUES)), link=st.sampled_from(list(Link)))
def test_any_row_is_answered_as_in_two_steps(row: dict[str, Any], link: Link) -> None:
    """Missing, unseen, infinite, huge, written as text, of another type, or a list: the same answer to 1e-11."""
    assert _agree(row, link)


@pytest.mark.parametrize("age", [17, 17.0, 31.6, 39.63, 53.5, 75.4, 90.0, 90.1, 16.9, 1e9, -1e9, None, math.nan])
def test_curves_follow_their_splines(age: float | None) -> None:
    """On knots, between them, at both ends and far beyond: the polynomials give what the spline's terms do."""
    assert _agree({"age": age, "hours": 41})


def test_a_curve_too_steep_for_polynomials_stays_a_spline() -> None:
    """Knots a billionth apart make cubes of a billion, whose digits a polynomial would lose."""
    steep = SplineEncoding("age", 0.0, 1.0, (0.1, 0.5, 0.5 + 1e-9), centers=(0.5, 0.1), scales=(0.3, 0.1), fill=0.5)
    quick, plain = _both(encodings=(steep,))

    assert polynomials(steep, [1.0, 1.0]) is None
    assert polynomials(SPLINE, [1.0] * 5) is not None
    assert [quick({"age": value}) for value in (0.3, 0.7, None)] == [
        plain({"age": value}) for value in (0.3, 0.7, None)
    ]


def test_numbers_and_categories_are_added_bit_by_bit() -> None:
    """By hand: weight times the scaled number, the weight of the level, and the intercept."""
    encodings = (ENCODINGS[1], NumericEncoding("hours", fill=40.0, center=40.0, scale=10.0))
    quick, _ = _both(encodings=encodings)

    assert quick({"hours": 55.0, "job": "cook"}) == [0.3 + WEIGHTS[2] + WEIGHTS[5] * 1.5]
    assert quick({"hours": None, "job": "astronaut"}) == [0.3]
    assert quick({"hours": 30, "job": 1}) == [0.3 + WEIGHTS[0] - WEIGHTS[5]]


def test_models_of_several_outputs_are_answered_in_two_steps() -> None:
    """Three classes have three sums: encoded once, bit by bit as ever."""
    encode = row_encoder(ENCODINGS)
    predictor = LinearPredictor(np.stack([WEIGHTS, -WEIGHTS, WEIGHTS / 2]), [0.1, 0.2, 0.3], Link.SOFTMAX)
    row = {"hours": 38.5, "job": "clerk", "age": 51}

    assert row_scorer(ENCODINGS, predictor, encode)(row) == predictor.predict_row(encode(row))
