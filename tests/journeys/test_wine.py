"""Three cultivars of wine (multiclass, small): by Python and by command."""

import polars as pl
import pytest
from sklearn.datasets import load_wine
from tests.journeys.conftest import JourneyYard, figure

pytestmark = pytest.mark.journey

LOWEST_ACCURACY = 0.9


def wine() -> pl.DataFrame:
    """178 wines with the names of their cultivars."""
    content = load_wine()
    frame = pl.DataFrame(content.data, schema=[str(name) for name in content.feature_names])
    names = [("barolo", "grignolino", "barbera")[code] for code in content.target]
    return frame.with_columns(pl.Series("cultivar", names))


def test_by_python(yard: JourneyYard) -> None:
    """Three probabilities a row, and nearly all wines told apart."""
    source = yard.table("wine", wine())
    project = yard.project(source, "cultivar")

    run = yard.train(project)
    evaluation = project.evaluate(open_test="the model is finished")
    yard.release(project, 1)
    out = yard.folder / "scores.parquet"
    scored = project.score(source, out)
    table = pl.read_parquet(out)
    probabilities = table.select(pl.sum_horizontal(pl.col(r"^prediction_probability\..*$")))

    assert run.record.task.value == "multiclass"
    assert run.record.classes == ("barbera", "barolo", "grignolino")
    assert figure(evaluation, "accuracy") >= LOWEST_ACCURACY
    assert scored.scored == 178
    assert probabilities.to_series().to_list() == pytest.approx([1.0] * 178)
    assert table.filter(pl.col("prediction_label") == pl.col("cultivar")).height >= 0.95 * 178


@pytest.mark.slow  # the same life as by Python, through the door that the churn journey takes
def test_by_command(yard: JourneyYard) -> None:
    """From a CSV file to a registered version."""
    source = yard.folder / "wine.csv"
    wine().write_csv(source)
    assert yard.new(source, "cultivar").exit_code == 0

    assert yard.done("check")["task"] == "multiclass"
    assert yard.done("train")["winner"] != "naive"
    assert len(yard.done("evaluate", "--open-test", "the model is finished")["classes"]) == 3
    yard.done("package")
    assert yard.done("register")["version"] == 1
    assert yard.done("ledger", "verify")["ok"]
