"""Short messages, spam or not: a table of text alone, by Python and by command."""

from pathlib import Path

import polars as pl
import pytest
from tests.journeys.conftest import JourneyYard, figure

from modelyard.data import ColumnKind

pytestmark = pytest.mark.journey

LOWEST_AUC, HIGHEST_AUC = 0.975, 0.9995
"""Own measurement with scikit-learn's TF-IDF of all words and logistic regression: 0.993 by folds, accuracy 0.986."""

LOWEST_ACCURACY = 0.97


def test_by_python(yard: JourneyYard, data_folder: Path) -> None:
    """Trained, opened once, packaged with proved parity, scored as a table and one by one, and watched by length."""
    source = data_folder / "sms_spam.parquet"
    project = yard.project(source, "label", training={"tuning_rounds": 0})

    audit = project.audit()
    run = yard.train(project)
    evaluation = project.evaluate(open_test="the model is finished")
    yard.release(project, 1)
    out = yard.folder / "scores.parquet"
    scored = project.score(source, out)
    table = pl.read_parquet(out)

    assert "no-features" not in {finding.id for finding in audit.findings}
    assert [(column.name, column.kind) for column in run.record.columns] == [("text", ColumnKind.TEXT)]
    assert LOWEST_AUC <= figure(evaluation, "roc_auc") <= HIGHEST_AUC
    assert figure(evaluation, "accuracy") >= LOWEST_ACCURACY
    assert scored.scored == table.height == 5_574
    assert (scored.quarantined, scored.flagged) == (0, 0)
    right = table.filter(pl.col("prediction_label") == pl.col("label")).height
    assert right >= LOWEST_ACCURACY * table.height


@pytest.mark.slow  # the same life as by Python, through the door that the churn journey takes
def test_by_command(yard: JourneyYard, data_folder: Path) -> None:
    """From the table to a registered version; shouted messages of five times the length raise an alarm."""
    source = data_folder / "sms_spam.parquet"
    settings = {"families": ["linear"], "tuning_rounds": 0}
    assert yard.new(source, "label", training=settings).exit_code == 0
    long = pl.read_parquet(source).head(2_000).with_columns(pl.concat_str([pl.col("text")] * 5, separator=" "))
    longer = yard.table("longer", long)

    assert yard.done("check")["task"] == "binary"
    yard.release_by_command()
    usual = yard.run("monitor", "--data", source).record
    unusual = yard.run("monitor", "--data", longer).record

    assert "text" not in {finding["subject"] for finding in usual["findings"]}
    assert "text" in {finding["subject"] for finding in unusual["findings"]}
    assert yard.done("ledger", "verify")["ok"]
