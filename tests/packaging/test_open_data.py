"""Parity on every open data set: the packaged scorer and the training pipeline, to the ninth digit.

Gaps are planted in every column. What makes a row hard is asked for by name: everything missing, each column missing
alone, unseen categories, ends of ranges and far beyond, distant dates, empty text; alone and in a batch.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.data.contract import ColumnContract
from modelyard.data.schema import ColumnKind
from modelyard.packaging.golden import as_requests, largest_difference
from modelyard.packaging.golden_rows import as_frame, edge_rows

TABLES = (
    "churn",
    "contract",
    "adult",
    "bank",
    "bike",
    "electricity",
    "messages",
    "parkinsons",
    "churn-own",
    "bike-own",
)
TREES_AND_LINEAR = ("linear", "lightgbm", "forest", "tree", "xgboost", "catboost")
EXACT = 1e-9
FEW = [(table, family) for table in TABLES for family in ("linear", "lightgbm")] + [
    ("churn", "forest"),
    ("bike-own", "forest"),
]
"""What runs on every change; all families on all rows are slow."""

FEW_ROWS = 480
EVERY_ROW = 1_000_000


def _few(fit: Any, table: str, family: str) -> Any:
    """A model of a few rows: what it knows does not matter here."""
    return fit(table, family, FEW_ROWS)


def _differences(fitted: Any, rows: pl.DataFrame) -> Sequence[float]:
    """Of requests one by one, of the same in one batch, and of their table, from what training answers."""
    columns = tuple(fitted.model.encoder.columns_)
    requests = as_requests(rows.select(column.name for column in columns))
    requests += [row for _, row in edge_rows(requests[0], fitted.contract)]
    frame = as_frame(requests, columns)
    expected = fitted.model.predict(frame)
    alone = np.concatenate([fitted.scorer.score_rows([row]) for row in requests])
    return [
        largest_difference(alone, expected),
        largest_difference(fitted.scorer.score_rows(requests), expected),
        largest_difference(fitted.scorer.score_frame(frame), expected),
    ]


@pytest.mark.parametrize(("table", "family"), FEW)
def test_a_row_a_batch_and_a_table_answer_as_training_did(fit_family: Any, table: str, family: str) -> None:
    """Held-out rows and all edges; a null in a request of one row means what it means among thousands."""
    fitted = _few(fit_family, table, family)

    assert max(_differences(fitted, fitted.held_out[:25])) <= EXACT


@pytest.mark.slow
@pytest.mark.parametrize("family", TREES_AND_LINEAR)
@pytest.mark.parametrize("table", TABLES)
def test_every_row_of_every_table(fit_family: Any, table: str, family: str) -> None:
    """Three quarters of the whole table learnt, the last quarter scored as a table, 400 rows of it as requests."""
    fitted = fit_family(table, family, EVERY_ROW)
    expected = fitted.model.predict(fitted.held_out)

    assert largest_difference(fitted.scorer.score_frame(fitted.held_out), expected) <= EXACT
    assert max(_differences(fitted, fitted.held_out[:400])) <= EXACT


def _values(column: ColumnContract) -> st.SearchStrategy[Any]:
    """Values within the contract of a column, and outside of it."""
    if column.kind is ColumnKind.NUMERIC:
        low, high = column.low or 0.0, column.high or 1.0
        return st.none() | st.floats(low, high) | st.floats(-1e12, 1e12) | st.sampled_from([low, high, 0.0, -0.0])
    if column.kind is ColumnKind.BOOLEAN:
        return st.none() | st.booleans()
    if column.kind is ColumnKind.DATE:
        return st.none() | st.datetimes().map(lambda moment: moment.isoformat())
    if column.kind is ColumnKind.CATEGORY and column.categories:
        return st.none() | st.sampled_from(column.categories) | st.text(max_size=6)
    return st.none() | st.text(max_size=40)


@pytest.mark.parametrize("family", ["linear", "lightgbm"])
@pytest.mark.parametrize("table", ["adult", "messages", "parkinsons", "bike-own"])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_row_answers_as_training_did(fit_family: Any, data: st.DataObject, table: str, family: str) -> None:
    """Whatever is asked, within the contract or far outside: alone, in a batch and as a table."""
    fitted = _few(fit_family, table, family)
    row = {column.name: data.draw(_values(column), label=column.name) for column in fitted.contract.columns}
    frame = as_frame([row], tuple(fitted.model.encoder.columns_))
    expected = fitted.model.predict(frame)

    assert largest_difference(fitted.scorer.score_rows([row]), expected) <= EXACT
    assert largest_difference(fitted.scorer.score_rows([row] * 9), np.repeat(expected, 9, axis=0)) <= EXACT
    assert largest_difference(fitted.scorer.score_frame(frame), expected) <= EXACT


def test_every_kind_of_column_is_among_the_tables(fit_family: Any) -> None:
    """Numbers, categories, Booleans, dates and text are all met, and each missing somewhere."""
    kinds = {
        column.kind
        for table in TABLES
        for column in _few(fit_family, table, "linear").contract.columns
        if column.nullable
    }

    assert kinds >= {
        ColumnKind.NUMERIC,
        ColumnKind.CATEGORY,
        ColumnKind.BOOLEAN,
        ColumnKind.DATE,
        ColumnKind.TEXT,
    }
