"""Hourly bike rentals, asked for an hour ahead: what the past held is worth a quarter of the error, from training to production.

Asked for a day ahead it is worth nothing to these trees: on the same rows the error went from 64.1 to 65.9.
"""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.journeys.conftest import JourneyYard, figure

from modelyard.core import ConfigError

pytestmark = pytest.mark.journey

PARTS = {"casual": "counted together with the target", "registered": "counted together with the target"}
SERIES: dict[str, Any] = {
    "horizon": "1h",
    "columns": {
        "cnt": {"lags": ["1h", "2h", "24h", "168h"], "windows": ["24h", "7d"], "statistics": ["mean", "std"]},
        "temp": {"windows": ["24h"]},
    },
}
QUICK = {"families": ["lightgbm"], "tuning_rounds": 0}


@pytest.mark.slow  # another journey of its kind runs for every change
def test_by_python(yard: JourneyYard, data_folder: Path) -> None:
    """The model that knows the past beats the one that does not; a later batch is scored with the past of the source."""
    source = data_folder / "bike_sharing_hourly.parquet"
    project = yard.project(source, "cnt", data={"exclude": PARTS}, split={"gap": "1h"}, training=QUICK)
    yard.train(project)
    without = figure(project.evaluate(open_test="without the past"), "rmse")

    yard.configure(data={"exclude": PARTS, "series": SERIES}, split={"gap": "1h"}, training=QUICK)
    project = yard.open()
    run = yard.train(project)
    with_past = figure(project.evaluate(open_test="with the past"), "rmse")

    assert {"cnt.lag_1h", "cnt.lag_168h", "cnt.mean_7d", "cnt.std_24h", "temp.mean_24h"} <= {
        column.name for column in run.record.columns
    }
    assert with_past < 0.75 * without  # 42 after 64 on the months from September 2012

    yard.release(project, 1)
    rows = pl.read_parquet(source).sort("timestamp").tail(500)
    later = yard.table("later", rows.drop("cnt", "casual", "registered"))
    scored = project.score(later, yard.folder / "scores.parquet")
    assert (scored.scored, scored.quarantined, scored.flagged) == (500, 0, 0)
    known = rows.select(pl.col("timestamp").dt.offset_by("1h"), pl.col("cnt").alias("an_hour_before"))
    answers = pl.read_parquet(yard.folder / "scores.parquet").join(known, on="timestamp")
    assert answers["cnt.lag_1h"].to_list() == answers["an_hour_before"].to_list()
    assert project.monitor(data=later).rows == 500


def test_refusal(yard: JourneyYard, data_folder: Path) -> None:
    """With a random split the training part would see the test part's targets."""
    source = data_folder / "bike_sharing_hourly.parquet"
    project = yard.project(source, "cnt", data={"exclude": PARTS, "series": SERIES}, split={"strategy": "random"})

    with pytest.raises(ConfigError, match="would know the test part"):
        project.check()
