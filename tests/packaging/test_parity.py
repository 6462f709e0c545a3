"""Serving equals training: the packaged scorer against the fitted pipeline, on real rows and on drawn ones."""

import math
from typing import Any, Protocol

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.data import Contract
from modelyard.data.contract import ColumnContract
from modelyard.data.schema import ColumnKind
from modelyard.packaging import Scorer
from modelyard.packaging.golden import as_requests, largest_difference
from modelyard.packaging.golden_rows import as_frame
from modelyard.training.model import FittedModel


class Fitted(Protocol):
    """What the fixture ``fitted`` gives."""

    model: FittedModel
    scorer: Scorer
    contract: Contract
    held_out: pl.DataFrame


def _columns(fitted: Fitted) -> tuple[Any, ...]:
    return tuple(fitted.model.encoder.columns_)


def test_a_table_with_gaps_scores_as_in_training(fitted: Fitted) -> None:
    """On 600 held-out rows with gaps, table scoring equals the pipeline: 1e-9, or 1e-6 where XGBoost is single."""
    expected = fitted.model.predict(fitted.held_out)

    got = fitted.scorer.score_frame(fitted.held_out)

    assert got.shape == expected.shape
    assert largest_difference(got, expected) <= fitted.scorer.golden.tolerance


def test_requests_score_as_in_training(fitted: Fitted) -> None:
    """The same rows, as JSON brings them, give the same scores one by one and many at once."""
    rows = fitted.held_out[:60].select(column.name for column in _columns(fitted))
    expected = fitted.model.predict(rows)
    requests = as_requests(rows)

    single = np.concatenate([fitted.scorer.score_rows([request]) for request in requests])
    together = fitted.scorer.score_rows(requests)

    assert largest_difference(single, expected) <= fitted.scorer.golden.tolerance
    assert largest_difference(together, expected) <= fitted.scorer.golden.tolerance


def _values(column: ColumnContract) -> st.SearchStrategy[Any]:
    """Values in and outside the contract of one column."""
    if column.kind is ColumnKind.NUMERIC:
        inside = st.floats(column.low or 0.0, column.high or 1.0)
        outside = st.floats(-1e12, 1e12) | st.integers(-(10**9), 10**9)
        return st.none() | st.just(math.nan) | inside | outside
    if column.kind is ColumnKind.CATEGORY:
        return st.none() | st.sampled_from(column.categories) | st.text(max_size=6)
    if column.kind is ColumnKind.BOOLEAN:
        return st.none() | st.booleans()
    moments = st.datetimes().map(lambda moment: moment.isoformat())
    return st.none() | moments | st.dates().map(lambda day: day.isoformat())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_row_scores_as_in_training(fitted: Fitted, data: st.DataObject) -> None:
    """Whatever the row, in the contract or far outside it: request, table and pipeline agree."""
    row = {column.name: data.draw(_values(column), label=column.name) for column in fitted.contract.columns}
    frame = as_frame([row], _columns(fitted))
    expected = fitted.model.predict(frame)
    tolerance = fitted.scorer.golden.tolerance

    assert largest_difference(fitted.scorer.score_rows([row]), expected) <= tolerance
    assert largest_difference(fitted.scorer.score_rows([row] * 9), np.repeat(expected, 9, axis=0)) <= tolerance
    assert largest_difference(fitted.scorer.score_frame(frame), expected) <= tolerance


@pytest.mark.parametrize("value", [1e300, -1e300, 10**300, math.inf, -math.inf])
def test_absurd_numbers_still_give_a_number(fitted: Fitted, value: float) -> None:
    """Numbers beyond single precision, and infinities, never give NaN; the row is scored like any other."""
    row = as_requests(fitted.held_out[:1])[0]
    numbers = [column.name for column in fitted.contract.columns if column.kind is ColumnKind.NUMERIC]

    single = fitted.scorer.score_rows([row | dict.fromkeys(numbers, value)])
    together = fitted.scorer.score_rows([row | dict.fromkeys(numbers, value)] * 9)

    assert np.isfinite(single).all()
    assert largest_difference(together, np.repeat(single, 9, axis=0)) <= fitted.scorer.golden.tolerance


def test_an_absent_field_is_a_missing_one(fitted: Fitted) -> None:
    """Leaving a field out and sending null give the same score; unknown fields are ignored."""
    row = as_requests(fitted.held_out[:1])[0]
    name = fitted.contract.columns[0].name
    without = {key: value for key, value in row.items() if key != name}

    expected = fitted.scorer.score_rows([row | {name: None}])

    np.testing.assert_array_equal(fitted.scorer.score_rows([without]), expected)
    np.testing.assert_array_equal(fitted.scorer.score_rows([row | {name: None, "stranger": 1}]), expected)


def test_no_rows_give_no_scores(fitted: Fitted) -> None:
    """An empty batch has the shape of a batch."""
    width = fitted.scorer.score_frame(fitted.held_out[:2]).shape[1:]

    assert fitted.scorer.score_rows([]).shape == (0, *width)
    assert fitted.scorer.score_frame(fitted.held_out[:0]).shape == (0, *width)
    assert fitted.scorer.decide(fitted.scorer.score_rows([])) == []
