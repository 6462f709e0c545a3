"""Rows that come block by block are those that come at once, whatever their types."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from modelyard.core import DataError
from modelyard.data import open_source
from modelyard.data.readers import database, json_records

CELLS = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.sampled_from(["a", "7", ""])
RECORDS = st.lists(
    st.dictionaries(st.sampled_from("abc"), CELLS | st.dictionaries(st.sampled_from("xy"), CELLS), min_size=1),
    min_size=1,
    max_size=9,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=RECORDS, size=st.integers(1, 4))
def test_json_lines_in_blocks(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, records: list[dict[str, Any]], size: int
) -> None:
    """Nested records, missing fields, mixed types: the table is the one that a reading in memory gives.

    Only the place of a column may be another, where a field is now a record and now a value.
    """
    folder = tmp_path_factory.mktemp("json")
    (folder / "in.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    try:
        whole = open_source(folder / "in.jsonl").table.frame()
    except DataError:
        return
    monkeypatch.setattr(json_records, "_LARGE_BYTES", 0)
    monkeypatch.setattr(json_records, "_BLOCK_LINES", size)
    read = open_source(folder / "in.jsonl", scratch=folder / "scratch")

    assert_frame_equal(read.table.frame(), whole, check_column_order=False)


def test_a_fault_in_a_late_block_is_named_by_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line's number counts from the beginning of the file."""
    monkeypatch.setattr(json_records, "_LARGE_BYTES", 0)
    monkeypatch.setattr(json_records, "_BLOCK_LINES", 2)
    (tmp_path / "in.jsonl").write_text('{"a": 1}\n' * 5 + '{"a": \n')

    with pytest.raises(DataError, match="line 6 is not valid JSON"):
        open_source(tmp_path / "in.jsonl", scratch=tmp_path / "scratch")


@pytest.mark.parametrize("order", ["ORDER BY number", ""])
def test_a_query_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str) -> None:
    """Integers that become floats, columns that are empty at first, mixed cells: as in memory; sorted without an order."""
    monkeypatch.setattr(database, "_CHUNK_ROWS", 3)
    rows = [
        (
            number,
            None if number < 4 else f"word {number}",
            number if number < 5 else number / 4,
            number if number % 2 else "x",
        )
        for number in (3, 1, 2, 0, 7, 5, 6, 4)
    ]
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE t (number, word, price, mixed)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    connection.close()
    address, query = f"sqlite:///{tmp_path / 'shop.db'}", f"SELECT * FROM t {order}"
    whole = open_source(address, query=query)
    read = open_source(address, query=query, scratch=tmp_path / "scratch")

    assert whole.table.frame()["number"].to_list() == list(range(8))
    assert_frame_equal(read.table.frame(), whole.table.frame())
    assert read.table.schema["price"] == pl.Float64
    assert read.notes == whole.notes


def test_a_query_without_rows_in_blocks(tmp_path: Path) -> None:
    """The columns are there all the same."""
    sqlite3.connect(tmp_path / "shop.db").execute("CREATE TABLE t (number, word)").connection.close()
    read = open_source(
        f"sqlite:///{tmp_path / 'shop.db'}", query="SELECT * FROM t", scratch=tmp_path / "scratch", may_be_empty=True
    )

    assert (read.table.columns, read.table.height) == (["number", "word"], 0)
