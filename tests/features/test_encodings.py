import datetime as dt
import json
import math
import struct

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import DataError, IntegrityError
from modelyard.features import (
    BooleanEncoding,
    CategoryEncoding,
    CategoryStyle,
    ColumnEncoding,
    ConstantEncoding,
    DateEncoding,
    DatePart,
    Encoding,
    LogEncoding,
    NumericEncoding,
    TargetEncoding,
    encode_frame,
    encode_row,
    encodings_from_json,
    encodings_to_json,
)

CIRCLES = ("month_sin", "month_cos", "weekday_sin", "weekday_cos", "hour_sin", "hour_cos")
PARTS = ("month", "day", "weekday", "hour", "epoch_days")
finite = st.floats(allow_nan=False, allow_infinity=False)
gap = st.one_of(st.none(), finite)

numeric_encodings = st.builds(NumericEncoding, st.just("x"), gap, finite, st.floats(1e-3, 1e9), st.booleans())
category_encodings = st.one_of(
    st.builds(
        CategoryEncoding,
        st.just("x"),
        st.just(CategoryStyle.ONE_HOT),
        st.just(("a", "1", "true", "2.5")),
        st.sampled_from(((), ("b",), ("b", "c", ""))),
        st.booleans(),
    ),
    st.builds(
        CategoryEncoding,
        st.just("x"),
        st.just(CategoryStyle.CODES),
        st.just(("b", "1", "a")),
        missing_code=st.sampled_from((None, -1.0)),
    ),
)
boolean_encodings = st.builds(BooleanEncoding, st.just("x"), st.sampled_from((None, -1.0, 0.0, 1.0)), st.booleans())
date_parts = st.builds(DatePart, st.sampled_from((*PARTS, *CIRCLES)), gap, finite, st.floats(1e-3, 1e3))
date_encodings = st.builds(DateEncoding, st.just("x"), st.lists(date_parts, max_size=5).map(tuple), st.booleans())
log_encodings = st.builds(
    LogEncoding, st.just("x"), st.floats(1e-9, 1e9), finite, finite, st.floats(1e-3, 1e9), st.booleans()
)
target_encodings = st.builds(
    TargetEncoding,
    st.just("x"),
    st.just(("a", "1", "zz")),
    st.tuples(st.tuples(finite), st.tuples(finite), st.tuples(finite)),
    st.tuples(finite),
    st.tuples(finite),
    st.tuples(finite),
    st.tuples(st.floats(1e-3, 1e9)),
)
encodings = st.one_of(
    numeric_encodings, log_encodings, category_encodings, target_encodings, boolean_encodings, date_encodings
)

words = st.sampled_from(
    ["a", "b", "c", "", "zz", "1", "true", "Yes", "12.5", " 7 ", "nan", "2024-02-29", "2024-02-29T05:00+02:00"]
)
columns = st.one_of(
    st.lists(st.one_of(st.none(), words, st.text(max_size=4))).map(lambda v: pl.Series("x", v, dtype=pl.String)),
    st.lists(st.one_of(st.none(), st.floats())).map(lambda v: pl.Series("x", v, dtype=pl.Float64)),
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))).map(lambda v: pl.Series("x", v, dtype=pl.Int64)),
    st.lists(st.one_of(st.none(), st.booleans())).map(lambda v: pl.Series("x", v, dtype=pl.Boolean)),
    st.lists(st.one_of(st.none(), st.datetimes())).map(lambda v: pl.Series("x", v, dtype=pl.Datetime("us"))),
    st.lists(st.one_of(st.none(), st.dates())).map(lambda v: pl.Series("x", v, dtype=pl.Date)),
)


def bits(features: tuple[float, ...]) -> bytes:
    """The features as IEEE 754 doubles."""
    return struct.pack(f"{len(features)}d", *features)


@settings(max_examples=150, deadline=None)
@given(encoding=encodings, series=columns)
def test_one_value_and_a_column_give_the_same_bits(encoding: ColumnEncoding, series: pl.Series) -> None:
    """Parity by construction: any encoding, any column type, gaps and unseen values included."""
    whole = encoding.encode_series(series)
    one_by_one = b"".join(bits(encoding.encode_value(value)) for value in series.to_list())

    assert whole.shape == (len(series), len(encoding.names()))
    assert whole.dtype == np.float64
    assert np.ascontiguousarray(whole).tobytes() == one_by_one


@settings(max_examples=60, deadline=None)
@given(batch=st.lists(encodings, max_size=4))
def test_json_brings_encodings_back_exactly(batch: list[Encoding]) -> None:
    """Text in between loses no bit of any float."""
    written = json.dumps(encodings_to_json(batch), allow_nan=False)

    assert encodings_from_json(json.loads(written)) == tuple(batch)


@pytest.mark.parametrize("value", [None, float("nan"), "", "not a number"])
def test_missing_numbers_are_one_thing(value: object) -> None:
    """None, NaN and text that is no number are filled and flagged alike."""
    encoding = NumericEncoding("x", fill=5.0, center=1.0, scale=2.0, indicator=True)

    assert encoding.encode_value(value) == (2.0, 1.0)


def test_a_null_category_is_missing_and_not_unseen() -> None:
    """The null trap: a JSON null must give what a null in a training table gave."""
    encoding = CategoryEncoding("x", CategoryStyle.ONE_HOT, ("a", "b"), infrequent=("rare",), indicator=True)

    assert encoding.encode_value(None) == (0.0, 0.0, 0.0, 1.0)
    assert encoding.encode_value(float("nan")) == (0.0, 0.0, 0.0, 1.0)
    assert encoding.encode_value("rare") == (0.0, 0.0, 1.0, 0.0)
    assert encoding.encode_value("never seen") == (0.0, 0.0, 0.0, 0.0)
    assert encoding.names() == ("x=a", "x=b", "x (infrequent)", "x (missing)")


def test_codes_are_positions_and_gaps_are_nan_or_minus_one() -> None:
    """Codes for trees leave NaN where nothing is known; for forests there is a number."""
    tree = CategoryEncoding("x", CategoryStyle.CODES, ("often", "seldom"))
    forest = CategoryEncoding("x", CategoryStyle.CODES, ("often", "seldom"), missing_code=-1.0)

    assert tree.encode_value("seldom") == (1.0,)
    assert math.isnan(tree.encode_value("new")[0])
    assert math.isnan(tree.encode_value(None)[0])
    assert forest.encode_value("new") == forest.encode_value(None) == (-1.0,)


def test_a_moment_becomes_calendar_parts() -> None:
    """The leap day of 2024 was a Thursday, 19,782 days after the epoch."""
    encoding = DateEncoding("t", tuple(DatePart(part) for part in PARTS))

    assert encoding.encode_value("2024-02-29T17:45:00") == (2.0, 29.0, 4.0, 17.0, 19782.0)
    assert encoding.encode_value(dt.date(2024, 2, 29)) == (2.0, 29.0, 4.0, 0.0, 19782.0)
    assert encoding.names() == ("t.month", "t.day", "t.weekday", "t.hour", "t.epoch_days")


def test_a_table_is_encoded_block_by_block() -> None:
    """Blocks stand in the encodings' order; a constant column takes no room; extra columns are ignored."""
    plan = (
        BooleanEncoding("b"),
        ConstantEncoding("c", "one value in all training rows"),
        NumericEncoding("n", center=1.0, scale=2.0),
    )
    frame = pl.DataFrame({"n": [3, 5], "other": ["x", "y"], "c": [1, 1], "b": [True, False]})

    np.testing.assert_array_equal(encode_frame(plan, frame), [[1.0, 1.0], [0.0, 2.0]])
    assert encode_row(plan, {"n": "5", "b": False}) == [0.0, 2.0]


def test_an_absent_field_of_a_row_is_missing() -> None:
    """A request may leave a field out; it counts as null."""
    plan = (NumericEncoding("n", fill=7.0),)

    assert encode_row(plan, {}) == encode_row(plan, {"n": None}) == [7.0]


def test_an_absent_column_of_a_table_is_an_error() -> None:
    """A table without a training column is a mistake, and the sentence names the column."""
    with pytest.raises(DataError, match="without 'n'"):
        encode_frame((NumericEncoding("n"),), pl.DataFrame({"m": [1]}))


def test_an_unknown_encoding_is_refused() -> None:
    """A package written by a newer version is refused, not guessed at."""
    with pytest.raises(IntegrityError, match="unknown kind of encoding"):
        encodings_from_json([{"encoding": "hologram", "column": "x"}])
    with pytest.raises(IntegrityError, match="a field is missing"):
        encodings_from_json([{"encoding": "numeric"}])


def test_huge_numbers_overflow_to_the_same_infinity() -> None:
    """Standardising may overflow a double; both ways give the same infinity, without a warning."""
    encoding = NumericEncoding("x", center=-1.7e308, scale=1.0)

    assert encoding.encode_value(1.7e308) == (math.inf,)
    assert encoding.encode_series(pl.Series([1.7e308]))[0, 0] == math.inf
