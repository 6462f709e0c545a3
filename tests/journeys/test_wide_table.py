"""A table with many columns for few rows, and declared transformations: chosen inside the folds, packaged, served."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.journeys.conftest import JourneyYard

from modelyard import Project
from modelyard.packaging import Scorer

pytestmark = pytest.mark.journey


def test_wide_table(yard: JourneyYard, data_folder: Path) -> None:
    """Most of forty columns of noise are left out, named in the run, the card and the page, and still checked."""
    generator = np.random.default_rng(0)
    frame = pl.read_parquet(data_folder / "telco_churn.parquet").head(700)
    frame = frame.with_columns(pl.Series(f"noise_{n}", generator.normal(size=700).round(4)) for n in range(40))
    settings = {"families": ["linear"], "tuning_rounds": 0}
    bent = {"columns": {"tenure": "quantile"}, "interactions": [["tenure", "MonthlyCharges"]]}
    project: Project = yard.project(yard.table("customers", frame), "Churn", training=settings, features=bent)

    run = yard.train(project, accept="a test")
    project.evaluate()
    package = project.package()
    selection, scorer = run.record.selection, Scorer.load(package)

    assert selection is not None
    assert selection.cap == 10
    assert selection.folds == 5
    assert len(selection.kept) <= 10
    assert len(selection.kept) + len(selection.left_out) >= 55
    assert sum(name.startswith("noise") for name in selection.kept) <= 4
    assert {"tenure", "Contract"} & set(selection.kept)
    assert selection.stability is not None
    assert 0.2 < selection.stability.value < 1
    card = (package.folder / "card.json").read_text(encoding="utf-8")
    assert "its rank among the training rows as a normal score" in card
    assert "tenure × MonthlyCharges" in selection.times
    left_out = next(name for name in selection.left_out if name.startswith("noise"))
    assert f"chosen in {selection.times[left_out]} of 5 folds" in card
    assert "Selection: " in project.page("evaluation").read_text(encoding="utf-8")

    rows = frame.drop("Churn").head(20)
    by_row = [float(scorer.score_rows([row])[0]) for row in rows.to_dicts()]
    assert by_row == pytest.approx(run.model("final").predict(rows).tolist(), abs=1e-12)
    violations = scorer.contract.check_row({**rows.to_dicts()[0], left_out: "a word"})
    assert [(item.column, item.rejects) for item in violations] == [(left_out, True)]
