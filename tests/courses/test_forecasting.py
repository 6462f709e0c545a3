"""The course of a forecast, by command, on real data: bike rentals by day (UCI, CC BY 4.0)."""

from pathlib import Path

import polars as pl
import pytest
from tests.yard import Yard

from modelyard.core import ConfigError, DataError, StateError
from modelyard.problem import Task
from modelyard.project import Project

BIKES = Path(__file__).parents[1] / "data" / "bike_sharing_hourly.parquet"


def bikes_by_day() -> pl.DataFrame:
    """Rentals of each day until October 2012."""
    hours = pl.read_parquet(BIKES, columns=["timestamp", "cnt"]).filter(pl.col("timestamp") < pl.datetime(2012, 10, 13))
    days = hours.group_by(pl.col("timestamp").dt.date().alias("day")).agg(pl.col("cnt").sum().alias("rentals"))
    return days.sort("day")


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Yard:
    """A project that forecasts rentals of the next week."""
    folder = tmp_path_factory.mktemp("bikes")
    bikes_by_day().write_csv(folder / "bikes.csv")
    yard = Yard(folder)
    Project.new(yard.root, data=folder / "bikes.csv", target="rentals", task="forecasting")
    yard.configure(forecast={"methods": ["naive", "seasonal_naive", "lightgbm"], "windows": 8})
    return yard


def test_the_whole_course(yard: Yard) -> None:
    """Check, audit, train, evaluate, open once, score: a week ahead with intervals, every step in the ledger."""
    course = Project.open(yard.root, env="quick").course
    assert course is not None
    checked = course.check().record
    audited = course.audit().record
    run = course.train().record
    seen = course.evaluate().record
    final = yard.done("evaluate", "--open-test", "final evaluation", "--json")
    told = yard.done("score", yard.folder / "bikes.csv", yard.folder / "told.csv", "--json")
    table = pl.read_csv(yard.folder / "told.csv", try_parse_dates=True)
    actions = [row.action for row in Project.open(yard.root).ledger().rows()]

    assert checked["split"]["test_rows"] == 28
    assert (audited["frequency"], audited["findings"]) == ("1d", [])
    figures = {item["name"]: item["figures"]["mase"] for item in run["candidates"]}
    assert min(figures.values()) < 0.95 * figures["naive"]
    assert (seen["measured_on"], seen["openings"]) == ("backtest", 0)
    assert (final["measured_on"], final["openings"], final["windows"]) == ("test", 1, 4)
    assert final["answer"].startswith("On the 4 sealed horizons of 7 steps")
    assert (told["rows"], told["winner"]) == (7, run["winner"])
    assert (
        table["moment"].cast(pl.Date).to_list()
        == pl.date_range(pl.date(2012, 10, 13), pl.date(2012, 10, 19), eager=True).to_list()
    )
    assert (table["low"] < table["forecast"]).all()
    assert actions.count("test.opened") == 1
    assert [name for name in actions if name.startswith("run.")] == ["run.finished", "run.evaluated", "run.evaluated"]
    assert Project.open(yard.root).status().next_step == "modelyard package"


def test_commands_for_rows_are_refused_with_what_to_do(yard: Yard) -> None:
    """Servers answer row by row; a forecast does not, and says so."""
    assert "Run: modelyard score HISTORY FORECAST" in yard.refused("serve")


def test_the_python_verbs_point_to_the_course(yard: Yard) -> None:
    """A verb of supervised tasks names the course instead of failing somewhere deep."""
    project = Project.open(yard.root)

    assert project.problem.task is Task.FORECASTING
    assert project.course is not None
    with pytest.raises(ConfigError, match=r"Use the steps of Project\.course"):
        project.train()


def test_score_refuses_a_result_of_unknown_format(yard: Yard) -> None:
    """Only formats that are known are written."""
    course = Project.open(yard.root, env="quick").course

    assert course is not None
    with pytest.raises(ConfigError, match=r"Choose an ending: \.csv, \.jsonl, \.parquet"):
        course.score(yard.folder / "bikes.csv", yard.folder / "told.xlsx")


def test_infinities_are_read_as_missing_and_said(tmp_path: Path) -> None:
    """They become gaps, which are never scored, and the check says how many there were."""
    rows = bikes_by_day().with_columns(
        rentals=pl.when(pl.col("rentals") > 7900).then(float("inf")).otherwise("rentals")
    )
    rows.write_parquet(tmp_path / "bikes.parquet")
    project = Project.new(tmp_path / "model", data=tmp_path / "bikes.parquet", target="rentals", task="forecasting")

    assert project.course is not None
    found = {item["id"]: item for item in project.course.check().record["findings"]}
    assert found["infinite-values"]["message"].startswith("Column 'rentals': infinite values read as missing: ")
    assert [item.id for item in project.course.audit().findings] == ["series-gaps"]


def test_steps_out_of_order_are_refused(tmp_path: Path) -> None:
    """Evaluation before training names the command that is missing."""
    bikes_by_day().write_csv(tmp_path / "bikes.csv")
    project = Project.new(tmp_path / "model", data=tmp_path / "bikes.csv", target="rentals", task="forecasting")

    assert project.course is not None
    with pytest.raises(StateError, match="Run: modelyard train"):
        project.course.evaluate()


def test_new_refuses_a_forecast_without_a_target_or_without_dates(tmp_path: Path) -> None:
    """Both are said before a project is made."""
    bikes_by_day().drop("day").write_csv(tmp_path / "bikes.csv")

    with pytest.raises(ConfigError, match="there is nothing to predict"):
        Project.new(tmp_path / "a", data=tmp_path / "bikes.csv", task="forecasting")
    with pytest.raises(DataError, match="no column holds dates"):
        Project.new(tmp_path / "b", data=tmp_path / "bikes.csv", target="rentals", task="forecasting")
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b" / "modelyard.yaml").exists()
