"""Rows that are compared: sealed, chosen, put on one scale."""

from pathlib import Path

import polars as pl
import pytest
from tests.unsupervised.conftest import divided, noise, payments, row_problem

from modelyard.core import ConfigError, DataError
from modelyard.unsupervised.rows import check_rows, encode_points, used_columns


def test_labels_have_equal_shares_on_both_sides_of_the_seal(tmp_path: Path) -> None:
    """Of twenty frauds three are sealed, with 15 % of the rows."""
    problem = row_problem("anomaly", "fraud", {"id": "payment"})
    split, workspace = divided(payments(600, 20), problem, tmp_path)

    assert (split.record.train_rows, split.test.size) == (510, 90)
    assert split.train.frame["fraud"].sum() == 17
    assert split.record.strategy == "stratified"
    assert workspace.ledger.count("split.made", split.record.id) == 1


def test_the_latest_rows_are_sealed_if_there_is_a_time(tmp_path: Path) -> None:
    """What was learnt from lies before what is sealed."""
    rows = noise(100).with_columns(day=pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 4, 9), eager=True))
    split, _ = divided(rows, row_problem("clustering", data={"time": "day"}), tmp_path)

    assert split.record.strategy == "time"
    assert str(split.train.frame["day"].max()) == "2024-03-25"


def test_columns_without_a_distance_are_left_out_with_their_reasons(tmp_path: Path) -> None:
    """The label, the id, texts and dates are no part of a comparison."""
    rows = payments().with_columns(
        note=pl.Series([f"a long remark about payment number {row} by somebody" for row in range(600)]),
        day=pl.date_range(pl.date(2022, 1, 1), pl.date(2023, 8, 23), eager=True),
    )
    problem = row_problem("anomaly", "fraud", {"id": "payment", "exclude": {"country": "forbidden"}})
    split, _ = divided(rows, problem, tmp_path)
    columns, excluded = used_columns(problem, split.train.schema)

    assert [column.name for column in columns] == ["amount", "hour"]
    assert excluded["payment"] == "it names the row"
    assert excluded["country"] == "forbidden"
    assert set(excluded) == {"payment", "country", "note", "day"}


def test_rows_that_are_all_alike_are_refused(tmp_path: Path) -> None:
    """There is nothing to compare."""
    problem = row_problem("clustering")
    same = pl.DataFrame({"x": [1.0] * 100, "y": ["a"] * 100})
    split, _ = divided(same, problem, tmp_path)
    columns, _ = used_columns(problem, split.train.schema)
    with pytest.raises(DataError, match="all rows are alike"):
        encode_points(split.train.frame, problem, columns)


def test_too_few_rows_and_nothing_to_seal_are_refused(tmp_path: Path) -> None:
    """Twenty rows say nothing; without a seal nothing is proved."""
    with pytest.raises(DataError, match="too few rows; got 20"):
        divided(noise(20), row_problem("clustering"), tmp_path / "a")
    unsealed = row_problem("clustering").with_values(split={"train": 0.85, "validation": 0.15, "test": 0.0})
    with pytest.raises(ConfigError, match="nothing would be sealed"):
        divided(noise(), unsealed, tmp_path / "b")


def test_planted_faults_are_found_and_clean_rows_are_quiet(tmp_path: Path) -> None:
    """A constant, a column mostly missing and repeated rows."""
    problem = row_problem("clustering")
    rows = pl.concat([noise(200), noise(200)]).with_columns(
        still=pl.lit(1.0), gone=pl.when(pl.col("x1") > 0.8).then(pl.col("x1"))
    )
    split, _ = divided(rows, problem, tmp_path / "a")
    found = check_rows(split.train.frame, split.train.schema.columns)
    split, _ = divided(noise(), problem, tmp_path / "b")

    assert [(item.id, item.subject) for item in found] == [
        ("constant", "still"),
        ("mostly-missing", "gone"),
        ("rows-alike", "rows"),
    ]
    assert check_rows(split.train.frame, split.train.schema.columns) == ()
