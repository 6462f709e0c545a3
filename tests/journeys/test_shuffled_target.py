"""The wrong way round: with the target shuffled there is nothing to learn, and modelyard must say so."""

from pathlib import Path

import polars as pl
import pytest
from tests.journeys.conftest import JourneyYard, figure

pytestmark = pytest.mark.journey

ROWS = 1_500


@pytest.mark.parametrize(
    ("name", "target", "seed"),
    [
        ("telco_churn", "Churn", 0),
        ("telco_churn", "Churn", 1),
        ("telco_churn", "Churn", 2),
        ("parkinsons_telemonitoring", "total_UPDRS", 0),
    ],
)
def test_nothing_is_found_where_nothing_is(
    yard: JourneyYard, data_folder: Path, name: str, target: str, seed: int
) -> None:
    """No candidate wins against the naive baseline, the reason is given, and the report repeats it."""
    table = pl.read_parquet(data_folder / f"{name}.parquet").sample(ROWS, shuffle=True, seed=seed)
    shuffled = table.with_columns(pl.col(target).shuffle(seed=seed + 100))
    project = yard.project(yard.table("shuffled", shuffled), target, data={"group": None, "time": None})

    run = yard.train(project)
    evaluation = project.evaluate(open_test="is there anything?")
    metric = evaluation.metric

    assert run.record.winner == "naive"
    assert "no candidate beats it beyond noise" in run.record.why
    assert run.record.why.split(":")[0] in project.page("evaluation").read_text(encoding="utf-8")
    assert figure(evaluation, metric) == figure(evaluation, metric, "naive")
