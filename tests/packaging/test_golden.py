"""Golden rows: what they cover, and what replaying them finds."""

import datetime as dt
import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.data import Contract
from modelyard.data.contract import ColumnContract
from modelyard.data.schema import Column, ColumnKind
from modelyard.packaging import GoldenRow, GoldenSet, Package, Scorer
from modelyard.packaging.golden import as_requests, largest_difference, replay
from modelyard.packaging.golden_rows import as_frame, choose_rows, edge_rows

COLUMNS = (
    Column("size", ColumnKind.NUMERIC, "Float64", nullable=True),
    Column("colour", ColumnKind.CATEGORY, "String", nullable=True),
    Column("new", ColumnKind.BOOLEAN, "Boolean", nullable=True),
    Column("day", ColumnKind.DATE, "Date", nullable=True),
)
CONTRACT = Contract(
    (
        ColumnContract("size", ColumnKind.NUMERIC, nullable=True, low=0.0, high=10.0),
        ColumnContract("colour", ColumnKind.CATEGORY, nullable=True, categories=("blue", "red")),
        ColumnContract("new", ColumnKind.BOOLEAN, nullable=True),
        ColumnContract("day", ColumnKind.DATE, nullable=True),
    )
)


def _table(rows: int) -> pl.DataFrame:
    """Many ordinary rows, and one of everything rare."""
    frame = pl.DataFrame(
        {
            "size": [float(number % 7) + 1 for number in range(rows)],
            "colour": ["blue"] * rows,
            "new": [True] * rows,
            "day": [dt.date(2024, 1, 1)] * rows,
        }
    )
    rare = pl.DataFrame(
        {
            "size": [None, 0.0, 10.0, 5.0, 5.0],
            "colour": ["blue", "red", None, "green", "blue"],
            "new": [True, None, True, False, True],
            "day": [dt.date(2024, 1, 1), dt.date(2024, 1, 1), None, dt.date(2030, 1, 1), dt.date(1999, 1, 1)],
        }
    )
    return pl.concat([frame, rare])


def test_chosen_rows_show_everything_rare() -> None:
    """Of 2,005 rows, the 50 chosen hold each gap, each category, each truth value, and each end of a range."""
    chosen = choose_rows(_table(2000), COLUMNS, seed=0)

    assert chosen.height == 50
    assert set(chosen["colour"].to_list()) == {"blue", "red", "green", None}
    assert set(chosen["new"].to_list()) == {True, False, None}
    assert {0.0, 10.0, None} <= set(chosen["size"].to_list())
    assert {dt.date(2030, 1, 1), dt.date(1999, 1, 1), None} <= set(chosen["day"].to_list())


def test_the_choice_is_reproducible() -> None:
    """Equal seeds choose equal rows, others do not."""
    table = _table(2000).with_row_index("number")
    columns = (*COLUMNS, Column("number", ColumnKind.NUMERIC, "UInt32", nullable=False))

    first, again, other = (choose_rows(table, columns, seed=seed) for seed in (1, 1, 2))

    assert first.equals(again)
    assert not first.equals(other)


def test_a_small_table_is_taken_whole() -> None:
    """With fewer than 50 rows, all are golden."""
    assert choose_rows(_table(3), COLUMNS, seed=0).height == 8


def test_many_levels_do_not_make_many_rows() -> None:
    """A column of a thousand categories, and gaps in a hundred columns, keep the choice at 80 rows at most."""
    table = pl.DataFrame({"level": [str(number) for number in range(1000)]}).with_columns(
        pl.when(pl.int_range(pl.len()) == number).then(None).otherwise(1.0).alias(f"x{number}") for number in range(100)
    )
    columns = (
        Column("level", ColumnKind.CATEGORY, "String", nullable=False),
        *(Column(f"x{number}", ColumnKind.NUMERIC, "Float64", nullable=True) for number in range(100)),
    )

    assert choose_rows(table, columns, seed=0).height == 80


def test_edges_cover_gaps_unseen_categories_and_extremes() -> None:
    """The synthetic rows: nothing known, each gap alone, an unseen category, ends of ranges and far beyond."""
    base = {"size": 5.0, "colour": "blue", "new": True, "day": "2024-01-01"}

    edges = dict(edge_rows(base, CONTRACT))

    assert edges["all missing"] == dict.fromkeys(base)
    assert edges["colour missing"] == base | {"colour": None}
    assert edges["unseen categories"]["colour"] not in ("blue", "red")
    assert [edges[name]["size"] for name in ("lowest", "highest", "far below", "far above", "zero")] == [
        0.0,
        10.0,
        -100.0,
        110.0,
        0.0,
    ]
    assert edges["distant past"]["day"] == "1900-01-01"


def test_edges_of_a_range_that_fills_the_doubles_stay_finite() -> None:
    """Ten spans beyond the largest double are no number, so the row leaves the value out."""
    contract = Contract((ColumnContract("x", ColumnKind.NUMERIC, nullable=False, low=-1e308, high=1e308),))

    edges = dict(edge_rows({"x": 0.0}, contract))

    assert edges["far above"] == {"x": None}
    json.dumps(edges, allow_nan=False)


def test_requests_are_json() -> None:
    """Dates become text and not-a-number null; nothing else changes."""
    frame = pl.DataFrame(
        {
            "x": [1.5, math.nan],
            "n": [1, None],
            "at": [dt.datetime.fromisoformat("2024-01-01T12:30"), None],
            "t": ["a", "b"],
        }
    )

    rows = as_requests(frame)

    assert rows == [
        {"x": 1.5, "n": 1, "at": "2024-01-01T12:30:00", "t": "a"},
        {"x": None, "n": None, "at": None, "t": "b"},
    ]


def test_requests_come_back_as_a_table() -> None:
    """A table made of requests has the types that training reads."""
    rows = as_requests(_table(2))

    frame = as_frame(rows, COLUMNS)

    assert frame.schema == {
        "size": pl.Float64,
        "colour": pl.String,
        "new": pl.Boolean,
        "day": pl.Datetime("us"),
    }
    assert as_requests(frame.with_columns(pl.col("day").dt.date())) == rows


class _Constant:
    """A scorer that says the same to everybody, until many ask at once."""

    def __init__(self, single: float, together: float) -> None:
        self.single, self.together = single, together

    def score_rows(self, rows: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.float64]:
        return np.full(len(rows), self.single if len(rows) == 1 else self.together)


def _golden(*expected: float) -> GoldenSet:
    return GoldenSet(1e-9, tuple(GoldenRow("validation", {}, (value,)) for value in expected))


def test_both_paths_are_replayed() -> None:
    """A difference that shows only in one-row requests, or only in batches, is found."""
    golden = _golden(0.5, 0.5)

    assert replay(golden, _Constant(0.5, 0.5)).ok
    assert not replay(golden, _Constant(0.6, 0.5)).ok
    assert not replay(golden, _Constant(0.5, 0.6)).ok


def test_no_golden_rows_prove_nothing() -> None:
    """A package without golden rows is not verified."""
    assert not replay(_golden(), _Constant(0.5, 0.5)).ok


def test_an_answer_that_is_no_number_differs_as_much_as_can_be() -> None:
    """NaN and infinities never pass, and the difference still fits into JSON."""
    parity = replay(_golden(0.5, 0.5), _Constant(math.nan, 0.5))

    assert not parity.ok
    assert parity.max_abs_difference == sys.float_info.max
    assert json.loads(json.dumps(parity.to_dict(), allow_nan=False))["max_abs_difference"] == sys.float_info.max


def test_differences_are_relative_above_one() -> None:
    """0.5 against 0.4 differs by 0.1; 2,002 against 2,000 by a thousandth; shapes that differ by all there is."""
    assert largest_difference(np.array([0.5]), np.array([0.4])) == 0.5 - 0.4
    assert largest_difference(np.array([2002.0]), np.array([2000.0])) == 0.001
    assert largest_difference(np.array([1.0]), np.array([1.0, 1.0])) == sys.float_info.max
    assert largest_difference(np.array([]), np.array([])) == 0.0


def test_packaged_golden_rows_hold_gaps_and_edges(churn_package: Package) -> None:
    """The churn package has at least 50 validation rows, a row of gaps, and rows with unseen categories."""
    golden = Scorer.load(churn_package).golden
    origins = [row.origin for row in golden.rows]

    assert origins.count("validation") >= 50
    assert {"all missing", "unseen categories", "far above", "Contract missing"} <= set(origins)
    for row in golden.rows:
        if row.origin == "all missing":
            assert set(row.features.values()) == {None}
