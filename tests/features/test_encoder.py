import copy
import datetime as dt
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from modelyard.core import DataError
from modelyard.data import Column, ColumnKind
from modelyard.features import EncodingStyle, encode_row, encodings_from_json, encodings_to_json
from modelyard.features.encoder import TableEncoder

COLUMNS = (
    Column("number", ColumnKind.NUMERIC, "Float64", nullable=True),
    Column("level", ColumnKind.CATEGORY, "String", nullable=True),
    Column("flag", ColumnKind.BOOLEAN, "Boolean", nullable=True),
    Column("day", ColumnKind.DATE, "Date", nullable=True),
)
rows = st.fixed_dictionaries(
    {
        "number": st.one_of(st.none(), st.floats()),
        "level": st.one_of(st.none(), st.sampled_from("abcdefghijklmnop")),
        "flag": st.one_of(st.none(), st.booleans()),
        "day": st.one_of(st.none(), st.dates(dt.date(2000, 1, 1), dt.date(2030, 1, 1))),
    }
)
styles = st.sampled_from(EncodingStyle)
SCHEMA = {"number": pl.Float64, "level": pl.String, "flag": pl.Boolean, "day": pl.Date}


def table(data: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a table of the four kinds."""
    return pl.DataFrame(data, schema=SCHEMA)


@settings(max_examples=40, deadline=None)
@given(train=st.lists(rows, min_size=1, max_size=30), one=st.lists(rows), other=st.lists(rows), style=styles)
def test_held_out_rows_change_no_fitted_state(
    train: list[dict[str, Any]], one: list[dict[str, Any]], other: list[dict[str, Any]], style: EncodingStyle
) -> None:
    """F8: whatever is held out beside the training rows, and whatever was transformed, the encodings are the same."""
    states = []
    for held_out in (one, other):
        whole = table([*train, *held_out])
        encoder = TableEncoder(COLUMNS, style).fit(whole.head(len(train)))
        before = encodings_to_json(encoder.encodings_)
        encoder.transform(whole.tail(len(held_out)))
        assert encodings_to_json(encoder.encodings_) == before
        states.append(before)

    assert states[0] == states[1]


@settings(max_examples=40, deadline=None)
@given(data=st.lists(rows, min_size=1, max_size=30), style=styles, order=st.permutations(list(SCHEMA)))
def test_column_order_and_extra_columns_do_not_matter(
    data: list[dict[str, Any]], style: EncodingStyle, order: list[str]
) -> None:
    """A table with its columns elsewhere, and with one more, gives the same state and the same features."""
    frame = table(data)
    shuffled = frame.select(order).insert_column(0, pl.Series("surplus", range(frame.height)))

    encoder, again = TableEncoder(COLUMNS, style).fit(frame), TableEncoder(COLUMNS, style).fit(shuffled)

    assert again.encodings_ == encoder.encodings_
    assert again.transform(shuffled).tobytes() == encoder.transform(frame).tobytes()


@settings(max_examples=40, deadline=None)
@given(train=st.lists(rows, min_size=1, max_size=30), new=st.lists(rows, min_size=1, max_size=10), style=styles)
def test_a_row_through_json_equals_the_table(
    train: list[dict[str, Any]], new: list[dict[str, Any]], style: EncodingStyle
) -> None:
    """Serving equals training: encodings read back from JSON encode each new row to the bits of the table."""
    encoder = TableEncoder(COLUMNS, style).fit(table(train))
    served = encodings_from_json(encodings_to_json(encoder.encodings_))

    by_row = [encode_row(served, {**row, "day": row["day"] and row["day"].isoformat()}) for row in new]

    assert np.array(by_row, dtype=np.float64).tobytes() == encoder.transform(table(new)).tobytes()


@settings(max_examples=40, deadline=None)
@given(
    train=st.lists(rows, min_size=1, max_size=30),
    new=st.lists(rows),
    style=st.sampled_from([EncodingStyle.LINEAR, EncodingStyle.FOREST]),
)
def test_linear_models_and_forests_never_see_nan(
    train: list[dict[str, Any]], new: list[dict[str, Any]], style: EncodingStyle
) -> None:
    """Gaps and unseen levels become numbers, also in columns that had none in training."""
    encoder = TableEncoder(COLUMNS, style).fit(table(train))

    assert not np.isnan(encoder.transform(table(new))).any()


def test_it_is_a_scikit_learn_transformer() -> None:
    """It can be cloned, set, copied with its state, and put into a pipeline before a classifier."""
    frame = table([{"number": float(n), "level": "ab"[n % 2], "flag": None, "day": None} for n in range(20)])
    encoder = TableEncoder(COLUMNS, EncodingStyle.LINEAR)

    assert clone(encoder).get_params() == encoder.get_params()
    assert clone(encoder).set_params(style=EncodingStyle.TREE).style is EncodingStyle.TREE
    pipeline = make_pipeline(encoder, LogisticRegression()).fit(frame, frame["level"].to_numpy())
    assert pipeline.score(frame, frame["level"].to_numpy()) == 1.0
    assert list(encoder.get_feature_names_out()) == ["number", "level=a", "level=b"]
    assert copy.deepcopy(encoder).encodings_ == encoder.encodings_


def test_names_that_clash_are_told_apart() -> None:
    """A column may be called like the feature of another; names stay unique."""
    columns = (
        Column("a", ColumnKind.CATEGORY, "String", nullable=False),
        Column("a=x", ColumnKind.NUMERIC, "Int64", nullable=False),
    )
    encoder = TableEncoder(columns, EncodingStyle.LINEAR).fit(pl.DataFrame({"a": ["x", "y"], "a=x": [1, 2]}))

    assert list(encoder.get_feature_names_out()) == ["a=x", "a=y", "a=x #2"]


def test_the_time_column_gives_calendar_parts_only() -> None:
    """Elapsed days of the column that splits the rows lie outside what training saw."""
    frame = table([{"number": 1.0, "day": dt.date(2024, 1, day)} for day in (1, 2)])

    free = TableEncoder((COLUMNS[3],), EncodingStyle.TREE).fit(frame)
    bound = TableEncoder((COLUMNS[3],), EncodingStyle.TREE, time="day").fit(frame)

    assert list(free.get_feature_names_out()) == ["day.day", "day.weekday", "day.epoch_days"]
    assert list(bound.get_feature_names_out()) == ["day.day", "day.weekday"]


def test_bad_tables_are_refused() -> None:
    """A missing column, no row, no column, another kind of table, or a transform before fit: one clear error each."""
    frame = table([{"number": 1.0}, {"number": 2.0}])
    encoder = TableEncoder(COLUMNS, EncodingStyle.TREE)

    with pytest.raises(NotFittedError):
        encoder.transform(frame)
    with pytest.raises(DataError, match="no 'level'"):
        encoder.fit(frame.drop("level"))
    with pytest.raises(DataError, match="no row to learn from"):
        encoder.fit(frame.clear())
    with pytest.raises(DataError, match="no feature column"):
        TableEncoder((), EncodingStyle.TREE).fit(frame)
    with pytest.raises(DataError, match="learns from a Polars table"):
        encoder.fit(cast("pl.DataFrame", frame.to_dicts()))
    with pytest.raises(DataError, match="without 'day'"):
        encoder.fit(frame).transform(frame.drop("day"))


def test_one_row_is_enough_not_to_crash() -> None:
    """From one row nothing varies, so there are no features, and any table gives zero columns."""
    frame = table([{"number": 1.0, "level": "a", "flag": True, "day": dt.date(2024, 1, 1)}])
    encoder = TableEncoder(COLUMNS, EncodingStyle.TREE).fit(frame)

    assert encoder.transform(frame).shape == (1, 0)


def test_a_long_table_is_encoded_in_pieces_without_a_seam() -> None:
    """Rows around the 65,536th, where one piece ends, have the bits that they have by themselves."""
    frame = pl.DataFrame({"number": np.arange(70_000.0), "level": [*"abc", None] * 17_500, "flag": True, "day": None})
    frame = frame.cast({"day": pl.Date})
    encoder = TableEncoder(COLUMNS, EncodingStyle.LINEAR).fit(frame)
    seam = slice(65_530, 65_545)

    assert encoder.transform(frame)[seam].tobytes() == encoder.transform(frame[seam]).tobytes()
    assert encoder.transform(frame.clear()).shape == (0, len(encoder.get_feature_names_out()))
