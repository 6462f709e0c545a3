"""The census (binary) on its official split, which a column names."""

from pathlib import Path

import polars as pl
import pytest
from tests.journeys.conftest import JourneyYard, figure

pytestmark = pytest.mark.journey

LOWEST_AUC, HIGHEST_AUC = 0.92, 0.94
"""Published figures on this split are 0.909 to 0.930."""

SPLIT = {"strategy": "column", "column": "uci_split"}


@pytest.mark.slow
def test_by_python(yard: JourneyYard, data_folder: Path) -> None:
    """The official test rows are sealed, all of them and no others; the figure is the published one."""
    source = data_folder / "adult_census.parquet"
    project = yard.project(source, "income", split=SPLIT, training={"families": ["lightgbm"], "tuning_rounds": 0})

    check = project.check()
    run = yard.train(project)
    evaluation = project.evaluate(open_test="the model is finished")

    assert check.test_rows == pl.read_parquet(source).filter(pl.col("uci_split") == "test").height
    assert "no validation rows" in check.split
    assert "uci_split" not in {column.name for column in run.record.columns}
    assert LOWEST_AUC <= figure(evaluation, "roc_auc") <= HIGHEST_AUC
