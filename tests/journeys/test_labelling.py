"""New customers without labels: handed out by command, labelled by two people, and made into a table to retrain on."""

from pathlib import Path

import polars as pl
import pytest
from tests.journeys.conftest import JourneyYard

pytestmark = pytest.mark.journey


@pytest.mark.slow  # another journey of its kind runs for every change
def test_by_command(yard: JourneyYard, data_folder: Path) -> None:
    """Chance and doubt in the stated shares, two people with one dispute, a version that names its parent, a valid ledger."""
    rows = pl.read_parquet(data_folder / "telco_churn.parquet")
    known, fresh = yard.table("known", rows.head(3_000)), yard.table("fresh", rows.tail(400).drop("Churn"))
    quick = {"families": ["linear"], "tuning_rounds": 0}
    project = yard.project(known, "Churn", training=quick)
    out = yard.folder / "out.csv"

    before = yard.done("label", "export", fresh, "--rows", "40", "--out", out)
    assert (before["random"], before["uncertain"], before["model"]) == (40, 0, None)
    assert "no model" in before["note"]

    yard.train(project)
    project.evaluate()
    yard.release(project, 1)
    export = yard.done("label", "export", fresh, "--rows", "40", "--random", "0.25", "--out", out)
    assert (export["random"], export["uncertain"], export["model"], export["note"]) == (10, 30, 1, "")
    handed = pl.read_csv(out, infer_schema=False)
    assert handed.columns[:2] == ["row", "why"]
    assert handed["label"].null_count() == 40
    assert yard.refused("label", "import", out, "--annotator", "ada").count("no row has a label") == 1

    truth = rows.tail(400)["Churn"]
    labels = [truth[int(row.rpartition("-")[2])] for row in handed["row"]]
    ada, bob = yard.folder / "ada.csv", yard.folder / "bob.csv"
    handed.with_columns(pl.Series("label", labels)).write_csv(ada)
    flipped = ["No" if labels[0] == "Yes" else "Yes", *labels[1:]]
    handed.with_columns(pl.Series("label", flipped)).head(20).write_csv(bob)
    assert len(yard.done("label", "import", ada, "--annotator", "ada")["labels"]) == 40
    yard.done("label", "import", bob, "--annotator", "bob")
    yard.done("label", "import", bob, "--annotator", "bob")

    shown = yard.done("label", "show")
    pair = shown["agreements"][0]
    assert (pair["first"], pair["second"], pair["rows"], pair["same"]) == ("ada", "bob", 20, 0.95)
    assert 0.5 < pair["kappa"] < 1
    assert [(item["row"], item["held"]) for item in shown["disputes"]] == [(handed["row"][0], None)]

    made = yard.done("label", "apply", "--out", yard.folder / "labelled.csv")
    table = pl.read_csv(made["path"])
    assert (made["rows"], made["parents"]) == (39, [export["dataset_id"]])
    assert set(table.columns) == set(rows.columns)
    answers = dict(rows.tail(400).select("customerID", "Churn").iter_rows())
    assert all(answers[row["customerID"]] == row["Churn"] for row in table.iter_rows(named=True))
    notes = yard.done("data", "show", made["dataset_id"])["notes"]
    assert f"labels of rows of version {export['dataset_id']}" in notes
    actions = [row["action"] for row in yard.done("ledger")]
    assert [actions.count(f"labels.{what}") for what in ("exported", "imported", "applied")] == [2, 3, 1]
    assert yard.done("ledger", "verify")["ok"]

    strangers = yard.folder / "strangers.csv"
    handed.with_columns(pl.lit("abc-7").alias("row"), pl.lit("Yes").alias("label")).head(1).write_csv(strangers)
    assert "were never exported" in yard.refused("label", "import", strangers, "--annotator", "eve")
