"""Batches and the log's policy by command: tables, engines that are not there, columns that nobody knows, old records."""

import datetime as dt
import sqlite3
from collections.abc import Callable

import polars as pl
import pytest
from tests.bad_input.conftest import FaultyYard

from modelyard import Project
from modelyard.serving import PredictionLog, read_predictions, tidy_log


@pytest.mark.slow
def test_scores_in_a_table(stage: Callable[[str], FaultyYard]) -> None:
    """The same rows and scores in a file and in a table; an address without a table, and Spark, are refused in a sentence."""
    yard = stage("score")
    database = yard.folder / "shop.db"
    record = yard.done("score", "good.parquet", "scores.parquet")
    again = yard.done("score", "good.parquet", f"sqlite:///{database}#scores", "--no-resume")
    with sqlite3.connect(database) as connection:
        found = connection.execute("SELECT prediction_score, prediction_label FROM scores").fetchall()
    connection.close()

    assert (again["scored"], again["destination"]) == (record["scored"], f"sqlite:///{database}#scores")
    expected = pl.read_parquet(yard.folder / "scores.parquet").select("prediction_score", "prediction_label")
    assert sorted(found) == sorted(expected.rows())
    assert "scores in a database need a table" in yard.refused("score", "good.parquet", f"sqlite:///{database}")
    assert "scoring on Spark is not built" in yard.refused("score", "good.parquet", "out.csv", "--engine", "spark")
    yard.assert_sound()


def test_the_log_of_a_project(stage: Callable[[str], FaultyYard]) -> None:
    """A personal column must be one of the model's; records older than they are kept go, and the ledger says so, once."""
    yard = stage("score")
    now = dt.datetime.now(dt.UTC)
    project = Project.open(yard.root, env="quick", settings=["log.keep_days=30"])
    folder = project.workspace.folder("predictions")
    for days in (40, 5):
        log = PredictionLog(folder)
        log.append([{"id": f"{days}", "at": now - dt.timedelta(days=days), "features": {}}])
        log.close()
    for _ in range(2):
        tidy_log(project.problem, project.workspace, project.actor)
    rows = project.ledger().rows(action="log.retired")

    assert read_predictions(folder)["id"].to_list() == ["5"]
    assert [(row.details["files"], row.details["rows"], row.details["keep_days"]) for row in rows] == [(1, 1, 30)]
    assert "the model has no such column" in yard.refused(
        "serve", "--port", "0", "--set", "log.personal={nunber: hash}"
    )
    assert "log.on_full" in yard.refused("serve", "--port", "0", "--set", "log.on_full=ignore")
    yard.assert_sound()
