"""Each request finds the row of its entity that was known when it came, or none."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from modelyard.core import ConfigError
from modelyard.monitoring.skew.matching import Matched, match_rows
from modelyard.problem import Problem
from modelyard.store import Workspace

MAY = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


def problem_with(**data: Any) -> Problem:
    """A problem about customers."""
    declared = {"source": "rows.parquet", "target": "left", "id": "customer", **data}
    return Problem.model_validate({"name": "churn", "owner": "keller", "data": declared})


def requests_of(*customers: Any, days: int = 0) -> pl.DataFrame:
    """Answers to these customers in the log, so many days after the first of May."""
    return pl.DataFrame(
        {
            "id": [f"answer-{place}" for place in range(len(customers))],
            "at": [MAY + dt.timedelta(days=days)] * len(customers),
            "feature.customer": list(customers),
            "feature.age": [40.0] * len(customers),
        }
    )


def matched(
    tmp_path: Path, table: pl.DataFrame, logged: pl.DataFrame, problem: Problem, key: str | None = None
) -> Matched:
    """The requests matched to a table that is the project's source."""
    table.write_parquet(tmp_path / "rows.parquet")
    return match_rows(logged, problem, Workspace(tmp_path), None, key)


def test_the_latest_row_before_the_request_counts(tmp_path: Path) -> None:
    """Of a customer's months the last one that had begun; who was not there yet has none."""
    table = pl.DataFrame(
        {
            "customer": [7, 7, 7, 8],
            "month": [dt.date(2026, month, 1) for month in (3, 4, 6, 6)],
            "age": [40.0, 41.0, 42.0, 50.0],
        }
    )
    found = matched(tmp_path, table, requests_of(8.0, 7.0, 9.0, days=10), problem_with(time="month"))

    assert found.rows["age"].to_list() == [41.0]
    assert found.requests["id"].to_list() == ["answer-1"]
    assert (found.match.key, found.match.moment) == ("customer", "month")
    assert (found.match.matched, found.match.unmatched) == (1, 2)


def test_a_request_that_says_its_moment_is_taken_at_its_word(tmp_path: Path) -> None:
    """A scoring in May of the rows of April is held against April."""
    table = pl.DataFrame({"customer": [7, 7], "month": [dt.date(2026, 3, 1), dt.date(2026, 4, 1)], "age": [40.0, 41.0]})
    logged = requests_of(7.0, days=10).with_columns(pl.lit("2026-03-15").str.to_datetime().alias("feature.month"))

    assert matched(tmp_path, table, logged, problem_with(time="month")).rows["age"].to_list() == [40.0]


def test_several_rows_without_a_time_are_refused(tmp_path: Path) -> None:
    """Nobody says which of them counts; copies of one row are one."""
    table = pl.DataFrame({"customer": ["a", "a", "b"], "age": [40.0, 41.0, 30.0]})
    copies = pl.DataFrame({"customer": ["a", "a", "b"], "age": [40.0, 40.0, 30.0]})
    with pytest.raises(ConfigError, match="several rows of the table have the same key") as caught:
        matched(tmp_path, table, requests_of("a", "b"), problem_with())

    assert "1 keys, such as 'a'" in caught.value.sentence
    assert matched(tmp_path, copies, requests_of("a", "b"), problem_with()).rows["age"].to_list() == [40.0, 30.0]
    assert matched(tmp_path, table, requests_of("b"), problem_with()).rows["age"].to_list() == [30.0]


def test_a_key_that_one_of_the_two_lacks_is_refused(tmp_path: Path) -> None:
    """With what to do about it."""
    table = pl.DataFrame({"customer": ["a"], "account": ["x"], "age": [40.0]})
    with pytest.raises(ConfigError, match="the table has no such column"):
        matched(tmp_path, table, requests_of("a"), problem_with(), key="custmer")
    with pytest.raises(ConfigError, match=r"Set log.also: \[account\]"):
        matched(tmp_path, table, requests_of("a"), problem_with(), key="account")


def test_event_tables_are_asked_as_of_the_request(tmp_path: Path) -> None:
    """What training would have had at that moment: an order of the day before counts, one of the day after does not."""
    orders = pl.DataFrame(
        {"customer": [7, 7, 7], "at": [dt.date(2026, 4, 2), dt.date(2026, 5, 9), dt.date(2026, 5, 12)]}
    )
    orders.write_parquet(tmp_path / "orders.parquet")
    table = pl.DataFrame({"customer": [7], "asked": [dt.date(2026, 4, 10)], "age": [40.0]})
    events = {"orders": {"source": "orders.parquet", "entity": "customer", "time": "at"}}
    problem = problem_with(prediction_time="asked", events=events)
    found = matched(tmp_path, table, requests_of(7.0, days=9), problem)

    assert found.rows["orders.count"].to_list() == [2]
    assert found.rows["age"].to_list() == [40.0]
