import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.core import Actor, ConfigError
from modelyard.data import Split, load_version, make_split, store_version
from modelyard.data.splits.content import rows_digest
from modelyard.problem import Problem, load_problem
from modelyard.store import Workspace

ROWS = 120


def customers(seed: int, rows: int = ROWS) -> pl.DataFrame:
    """Customers with two things that one may want to predict."""
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "age": random.integers(18, 80, rows),
            "fee": random.normal(50, 10, rows).round(3),
            "left": random.choice(["yes", "no"], rows),
            "bought": random.integers(0, 2, rows),
        }
    )


@pytest.fixture
def sealed_in(problem: Callable[..., Problem], actor: Actor) -> Callable[..., Split]:
    """Seals the split of one question in a workspace."""

    def seal(workspace: Workspace, frame: pl.DataFrame, target: str, **data: Any) -> Split:
        dataset = load_version(store_version(frame, "a test", workspace).id, workspace)
        return make_split(dataset, problem(target, **data), workspace, actor)

    return seal


def test_two_projects_with_one_test_file_share_its_openings(
    workspace: Workspace, sealed_in: Callable[..., Split], actor: Actor
) -> None:
    """Other tables, other targets and other columns, one holdout: each project counts the openings of both."""
    workspace.root.mkdir(parents=True)
    customers(9).write_csv(workspace.root / "holdout.csv")
    shuffled = customers(9).sample(fraction=1, shuffle=True, seed=1).with_columns(pl.col("age").cast(pl.Float64))
    shuffled.write_parquet(workspace.root / "again.parquet")
    churn = sealed_in(workspace, customers(1), "left", test_source="holdout.csv")
    sales = sealed_in(workspace, customers(2).drop("fee"), "bought", test_source="holdout.csv")
    third = sealed_in(workspace, customers(3), "left", test_source="again.parquet")

    assert len({churn.test.digest, sales.test.digest, third.test.digest}) == 3
    churn.test.open("final evaluation", actor)
    assert [split.test.openings() for split in (churn, sales, third)] == [1, 1, 1]
    sales.test.open("final evaluation", actor)
    third.test.open("a look", actor)
    assert [split.test.openings() for split in (churn, sales, third)] == [3, 3, 3]


def test_other_rows_and_other_workspaces_are_not_counted(
    tmp_path: Path, sealed_in: Callable[..., Split], actor: Actor
) -> None:
    """One row that differs makes another test part; and what happened in another workspace is not known here."""
    spaces = [Workspace(tmp_path / name) for name in ("a", "b")]
    for space in spaces:
        space.root.mkdir()
        customers(9).write_csv(space.root / "holdout.csv")
    customers(9).with_columns(fee=pl.col("fee") + 0.001).write_csv(spaces[0].root / "other.csv")
    first = sealed_in(spaces[0], customers(1), "left", test_source="holdout.csv")
    other = sealed_in(spaces[0], customers(1), "left", test_source="other.csv")
    there = sealed_in(spaces[1], customers(1), "left", test_source="holdout.csv")
    first.test.open("final evaluation", actor)

    assert (first.test.openings(), other.test.openings(), there.test.openings()) == (1, 0, 0)
    assert first.record.test_content == there.record.test_content


def test_content_is_rows_without_their_order_or_types() -> None:
    """Order of rows and columns and the stored type of numbers do not matter; a value, a name or a repeat does."""
    frame = customers(0, 30)
    same = frame.select(reversed(frame.columns)).sort("fee").with_columns(pl.col("age", "bought").cast(pl.Float64))

    assert rows_digest(same) == rows_digest(frame)
    for other in (
        frame.with_columns(age=pl.col("age") + 1),
        frame.rename({"age": "years"}),
        pl.concat([frame, frame.head(1)]),
        frame.with_columns(left=pl.lit(None, dtype=pl.String)),
    ):
        assert rows_digest(other) != rows_digest(frame)


def test_a_test_table_may_be_a_query(workspace: Workspace, sealed_in: Callable[..., Split], actor: Actor) -> None:
    """``data.test_source`` may name a database, with ``data.test_query``; its rows are sealed as they are."""
    workspace.root.mkdir(parents=True)
    holdout = customers(9, 40)
    with sqlite3.connect(workspace.root / "shop.db") as connection:
        connection.execute("CREATE TABLE held (age, fee, left, bought)")
        connection.executemany("INSERT INTO held VALUES (?, ?, ?, ?)", holdout.rows())
    connection.close()
    query = "SELECT * FROM held WHERE age >= 30 ORDER BY rowid"
    split = sealed_in(workspace, customers(1), "left", test_source="sqlite:///shop.db", test_query=query)
    expected = holdout.filter(pl.col("age") >= 30)

    assert split.test.size == expected.height
    assert split.test.open("a look", actor)["fee"].to_list() == expected["fee"].to_list()


def test_a_query_needs_its_database(tmp_path: Path) -> None:
    """A query without a source is refused with the project file."""
    text = "data: {source: t.csv, target: y, test_query: SELECT 1}\n"
    (tmp_path / "modelyard.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match="test_query needs test_source"):
        load_problem(tmp_path)
