"""A value with quantiles through a whole life: released, scored, watched, retrained; and a package from before them."""

import numpy as np
import polars as pl
import pytest
from tests.journeys.conftest import JourneyYard

from modelyard.packaging import Package, Scorer
from modelyard.serving import BatchSettings, score_file

pytestmark = pytest.mark.journey

QUICK = {"families": ["linear"], "folds": 2, "tuning_rounds": 0}


def _prices(rows: int, seed: int, *, dearer: float = 0.0) -> pl.DataFrame:
    """Prices by size and age whose errors are skewed and grow with the size."""
    generator = np.random.default_rng(seed)
    size = generator.uniform(1, 10, rows)
    age = generator.uniform(0, 50, rows)
    error = 0.8 * size * (generator.exponential(1, rows) - 1)
    return pl.DataFrame({"size": size, "age": age, "price": 30 + (3 + dearer) * size - 0.5 * age + error})


@pytest.mark.slow  # another journey of its kind runs for every change
def test_a_life_with_quantiles(yard: JourneyYard) -> None:
    """Asked for, the levels hold on later rows, in files; watching and retraining take the package as any other."""
    source = yard.table("prices", _prices(3000, 0))
    project = yard.project(source, "price", training=QUICK, evaluation={"quantiles": [0.1, 0.5, 0.9]})
    yard.train(project)
    evaluation = project.evaluate(open_test="the model is finished")
    yard.release(project, 1)
    later = _prices(4000, 1)
    project.score(yard.table("later", later.drop("price")), yard.folder / "scores.parquet", uncertainty=True)
    scores = pl.read_parquet(yard.folder / "scores.parquet")

    assert evaluation.quantiles is not None
    assert evaluation.quantiles.off == ()
    for level in (0.1, 0.5, 0.9):
        below = (later["price"] <= scores[f"prediction_quantile.{level}"]).mean()
        assert below == pytest.approx(level, abs=0.07)
    assert project.monitor(data=yard.folder / "later.parquet").verdict.value == "quiet"

    decision = project.retrain(yard.table("dearer", _prices(3000, 2, dearer=1.0)))
    assert decision.has_challenger
    assert project.status().ledger_ok


def test_levels_that_come_later(yard: JourneyYard) -> None:
    """Without levels a file has none; once they are asked for, the next evaluation and package have those that rows bear."""
    source = yard.table("prices", _prices(800, 0))
    project = yard.project(source, "price", training=QUICK)
    yard.train(project)
    assert project.evaluate().quantiles is None
    before = project.package()
    assert _told(before, yard, "before") == ["prediction_low", "prediction_high"]
    assert before.read_json("conformal.json")["quantiles"] is None

    yard.configure(training=QUICK, evaluation={"coverage": None, "quantiles": [0.001, 0.9]})
    project = yard.open()
    quantiles = project.evaluate().quantiles
    assert quantiles is not None
    assert quantiles.rule is not None
    assert quantiles.rule.levels == (0.9,)
    assert "are too few for the quantile at 0.001 (at least 999)" in quantiles.reason
    after = project.package()
    assert after.read_json("conformal.json")["coverage"] is None
    assert _told(after, yard, "after") == ["prediction_quantile.0.9"]


def _told(package: Package, yard: JourneyYard, name: str) -> list[str]:
    """What a file says beside score, label and flags."""
    rows, scores = yard.table(name, _prices(10, 3).drop("price")), yard.folder / f"{name}-scores.parquet"
    score_file(Scorer.load(package), rows, scores, settings=BatchSettings(uncertainty=True))
    columns = pl.read_parquet(scores).columns
    plain = ("size", "age", "prediction_score", "prediction_label", "prediction_flags")
    return [column for column in columns if column not in plain]
