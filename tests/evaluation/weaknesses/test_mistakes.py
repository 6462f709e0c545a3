"""The worst mistakes are the worst, explained, and written as a table."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from modelyard.core import Actor
from modelyard.evaluation import Evaluation, evaluation_page, save_evaluation
from modelyard.evaluation.evaluate import evaluate
from modelyard.report import render_markdown
from modelyard.store import Workspace

if TYPE_CHECKING:
    from tests.evaluation.conftest import Live
    from tests.life import Life


def test_the_hundred_worst_rows_are_kept(churn_life: "Life", churn_evaluation: Evaluation) -> None:
    """They are the rows with the largest distance between probability and truth, in that order, with their reasons."""
    rows = churn_life.split.validation.frame
    truth = (rows["Churn"] == "Yes").cast(pl.Float64).to_numpy()
    loss = np.abs(truth - churn_life.run.model("development").predict(rows))
    order = np.argsort(-loss, kind="stable")[:100]
    errors = churn_evaluation.errors

    assert errors is not None
    assert (errors.part, errors.rows, len(errors.mistakes)) == ("validation", rows.height, 100)
    assert [item.row_id for item in errors.mistakes] == rows["customerID"].to_numpy()[order].tolist()
    assert [item.loss for item in errors.mistakes] == pytest.approx(loss[order].tolist())
    assert [item.actual for item in errors.mistakes] == rows["Churn"].to_numpy()[order].tolist()
    assert all(len(item.contributions) == 5 for item in errors.mistakes)
    assert errors.mistakes[0].contributions == churn_evaluation.explanations[0].contributions[:5]


def test_they_lie_beside_the_evaluation(churn_evaluation: Evaluation, tmp_path: Path) -> None:
    """``errors.csv`` has a row for each, with prediction, truth, id and the largest contribution."""
    save_evaluation(churn_evaluation, Workspace(tmp_path))
    table = pl.read_csv(next(tmp_path.rglob("errors.csv")))
    first = churn_evaluation.errors.mistakes[0] if churn_evaluation.errors else None

    assert first is not None
    assert table.height == 100
    assert table.columns[:5] == ["row_id", "actual", "decided", "prediction", "loss"]
    assert table.row(0, named=True)["row_id"] == first.row_id
    assert table.row(0, named=True)["reason_1"] == first.contributions[0].feature
    assert table["reason_1_amount"][0] == pytest.approx(first.contributions[0].amount)
    assert table["because"][0].startswith(f"{first.contributions[0].feature} = {first.contributions[0].value} ")
    assert table["because"].null_count() == 0


def test_the_page_lists_them(churn_evaluation: Evaluation, churn_life: "Life") -> None:
    """The worst row's id stands on the page, and what the worst share or that they share nothing."""
    text = render_markdown(evaluation_page(churn_evaluation, churn_life.run.record, churn_life.problem, None))

    assert churn_evaluation.errors is not None
    assert f"The 100 worst mistakes of {churn_evaluation.errors.rows} rows of validation" in text
    for mistake in churn_evaluation.errors.mistakes:
        assert mistake.row_id in text
    assert "times** as often as among all rows" in text or "nothing in common" in text


def test_values_have_mistakes_too(live: "Live", churn_life: "Life", actor: Actor) -> None:
    """A regression's mistakes are ranked by absolute error, and named by their place without an id."""
    frame = churn_life.split.train.frame.select("tenure", "Contract", "InternetService", "MonthlyCharges").head(600)
    life = live(frame, {"data": {"source": "t", "target": "MonthlyCharges"}})
    errors = evaluate(life.run, life.split, life.problem, actor=actor, reason=None).errors

    assert errors is not None
    assert errors.mistakes[0].row_id.startswith("row ")
    losses = [item.loss for item in errors.mistakes]
    assert losses == sorted(losses, reverse=True)
    assert all(
        abs(float(item.actual) - item.prediction) == pytest.approx(item.loss, abs=0.1) for item in errors.mistakes
    )
