"""Hourly bike rentals (regression, time): a target that is given away, and an honest figure on later months."""

from pathlib import Path

import polars as pl
import pytest
from tests.journeys.conftest import JourneyYard, figure
from tests.yard import found

from modelyard.core import GateRefusedError

pytestmark = pytest.mark.journey

PARTS = {"casual": "counted together with the target", "registered": "counted together with the target"}
HIGHEST_RMSE = 72.0
"""A plain model has 68.4 on the months from September 2012."""

LOWEST_RMSE = 45.0
"""Random folds, which know the neighbouring hours, have 41.7: so good a figure would be a leak."""


@pytest.mark.slow  # another journey of its kind runs for every change
def test_by_python(yard: JourneyYard, data_folder: Path) -> None:
    """Refused while the parts of the sum are in; then trained, tested on the latest months, released and scored."""
    source = data_folder / "bike_sharing_hourly.parquet"
    project = yard.project(source, "cnt", training={"families": ["lightgbm"]})

    with pytest.raises(GateRefusedError, match="cnt = registered \\+ casual"):
        yard.train(project)

    assert project.status().run_id is None

    yard.configure(data={"exclude": PARTS}, training={"families": ["lightgbm"]})
    project = yard.open()
    run = yard.train(project)
    evaluation = project.evaluate(open_test="the model is finished")

    assert (run.record.task.value, run.record.fold_strategy) == ("regression", "time")
    assert LOWEST_RMSE <= figure(evaluation, "rmse") <= HIGHEST_RMSE
    assert figure(evaluation, "rmse", "naive") > 200

    yard.release(project, 1)
    later = yard.table(
        "later", pl.read_parquet(source).sort("timestamp").tail(2_000).drop("cnt", "casual", "registered")
    )
    scored = project.score(later, yard.folder / "scores.csv")
    assert (scored.scored, scored.quarantined) == (2_000, 0)
    assert project.status().ledger_ok


@pytest.mark.slow  # the same life as by Python, through the door that the churn journey takes
def test_by_command(yard: JourneyYard, data_folder: Path) -> None:
    """``audit`` and ``train`` end with 3 and name the columns; with them excluded a linear model is trained."""
    source = data_folder / "bike_sharing_hourly.parquet"
    quick = {"families": ["linear"], "tuning_rounds": 0}
    assert yard.new(source, "cnt", training=quick).exit_code == 0

    audit = yard.run("audit")
    sentence = yard.refused("train", code=3)

    assert (audit.exit_code, audit.stderr) == (3, "")
    assert {("target-identity", "casual"), ("target-identity", "registered")} <= found(audit.record, "error")
    assert "registered" in sentence
    assert "casual" in sentence
    assert "data.exclude" in sentence

    yard.configure(data={"exclude": PARTS}, training=quick)
    assert yard.run("audit").exit_code == 0
    run = yard.done("train")
    assert {"casual", "registered"}.isdisjoint(column["name"] for column in run["columns"])
    assert yard.done("evaluate")["metric"] == "rmse"
    assert yard.done("ledger", "verify")["ok"]
