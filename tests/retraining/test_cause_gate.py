"""Retraining asks what the last monitoring said of the champion's inputs."""

from pathlib import Path
from typing import Any

import polars as pl

from modelyard.monitoring import Cause
from modelyard.retraining import Outcome
from modelyard.retraining.labelling import export_rows

Plant = Any


def _broken(plant: Plant) -> pl.DataFrame:
    """Rows whose monthly charges are missing in every second one."""
    rows: pl.DataFrame = plant.new
    gone = pl.int_range(pl.len()) % 2 == 0
    return rows.with_columns(pl.when(gone).then(None).otherwise(pl.col("MonthlyCharges")).alias("MonthlyCharges"))


def test_a_broken_pipeline_stops_it_until_it_is_mended_or_overridden(plant: Plant) -> None:
    """The gate names the fault; a reason overrides it and is kept; a whole monitoring opens the way again."""
    project = plant.open()
    report = project.monitor(data=plant.table(_broken(plant)))
    stopped = project.retrain(plant.table(plant.new))
    overridden = project.retrain(plant.table(plant.old), despite="the column is gone for good")
    project.monitor(data=plant.table(plant.new))
    mended = project.retrain(plant.table(plant.old))

    assert report.diagnosis.verdict is Cause.PIPELINE
    assert (stopped.outcome, [gate.gate for gate in stopped.gates]) == (Outcome.STOPPED, ["cause"])
    assert "MonthlyCharges is missing" in stopped.reason
    assert [(gate.gate, gate.passed) for gate in overridden.gates] == [("cause", True), ("data", False)]
    assert "the column is gone for good" in overridden.gates[0].detail
    assert [gate.gate for gate in mended.gates] == ["data"]


def test_the_ledger_tells_the_cause(plant: Plant) -> None:
    """What was monitored is on record with its cause and the first reason for it."""
    project = plant.open()
    project.monitor(data=plant.table(_broken(plant)))
    (row,) = project.ledger().rows(action="model.monitored")

    assert row.details["cause"] == "broken_pipeline"
    assert "MonthlyCharges" in row.details["because"]


def test_rows_to_label_are_handed_out_and_come_back(plant: Plant, tmp_path: Path) -> None:
    """Moved inputs without labels ask for some: the file is taken by the labelling, and, filled in, by monitoring."""
    project = plant.open()
    young = plant.new.filter(pl.col("tenure") <= 12)
    source = plant.table(young.drop("Churn"))
    asked = project.monitor(data=source).diagnosis
    path = project.page("monitoring").with_name("rows_to_label.csv")
    rows = pl.read_csv(path)
    handed = export_rows(
        project.workspace, project.problem, project.actor, path, tmp_path / "out.csv", count=rows.height, random_share=1
    )
    positions = rows["id"].str.strip_prefix("row-").cast(pl.Int64)
    filled = tmp_path / "filled.csv"
    rows.with_columns(label=young["Churn"][positions]).write_csv(filled)
    report = project.monitor(data=source, labels=filled)

    assert asked.verdict is Cause.UNKNOWN
    assert asked.labels is not None
    assert tuple(rows["id"]) == asked.labels.ids
    assert {"tenure", "Contract"} <= set(rows.columns)
    assert handed.random == rows.height
    assert report.labels is not None
    assert (report.labels.used, report.labels.unknown_ids) == (rows.height, 0)
