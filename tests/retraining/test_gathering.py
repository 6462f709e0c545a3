"""A retraining without a table: the source as it is now, and predictions whose label came back."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import pytest

from modelyard import Project
from modelyard.core import ConfigError
from modelyard.data import load_split
from modelyard.retraining import Outcome
from modelyard.retraining.champion import load_champion
from modelyard.retraining.gathering import Gathered, Suspects, collected, contamination_gate
from modelyard.serving.prediction_log import LogKind, PredictionLog
from modelyard.training.run import load_run

Plant = Any
Label = tuple[str, int]
"""What it says, and how many hours after the prediction it came."""

ASKED = dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC)
MANY = "retraining.min_new_rows=10000"


@pytest.fixture
def logged(plant: Plant) -> Callable[..., None]:
    """Writes rows as predictions, each with the labels that came for it; by default its own an hour later."""

    def write(rows: pl.DataFrame, labels: Sequence[Sequence[Label]] = (), first: int = 0) -> None:
        project = plant.open()
        version = project._production()
        names = [column.name for column in load_champion(version, project.workspace).scorer.contract.columns]
        folder = project.workspace.folder("predictions")
        answers, feedback = PredictionLog(folder), PredictionLog(folder, LogKind.FEEDBACK)
        for place, cells in enumerate(rows.iter_rows(named=True)):
            at, id_ = ASKED + dt.timedelta(minutes=first + place), f"p{first + place}"
            features = {name: cells[name] for name in names}
            record = {"id": id_, "at": at.isoformat(), "model": "churn", "version": "1", "digest": version.digest}
            answers.append([{**record, "latency_ms": 1.0, "score": 0.5, "label": "No", "features": features}])
            for label, hours in labels[place] if labels else [(cells["Churn"], 1)]:
                feedback.append([{"id": id_, "label": label, "at": (at + dt.timedelta(hours=hours)).isoformat()}])
        answers.close()
        feedback.close()

    return write


def gathered(project: Project) -> Gathered:
    """What a retraining of the version in production collects."""
    champion = load_champion(project._production(), project.workspace)
    return collected(project.problem.model_copy(update={"task": champion.scorer.task}), champion, project.workspace)


def sealed_rows(project: Project, plant: Plant) -> pl.DataFrame:
    """Rows of the champion's sealed part, as the table has them."""
    split = load_split(str(project.workspace.pointer("split")), project.workspace)
    rows: pl.DataFrame = plant.old
    return rows.filter(~pl.col("customerID").is_in(split.development.frame["customerID"].implode()))


def test_a_growing_source_gives_its_new_rows(plant: Plant) -> None:
    """Nothing is new at first; rows that are appended are, and the sealed part stays known."""
    project = plant.open(MANY)
    nothing = project.retrain()
    pl.concat([plant.old, plant.new[:300]]).write_parquet(plant.root.parent / "old.parquet")
    grown = project.retrain()

    assert (nothing.rows_new, nothing.outcome) == (0, Outcome.STOPPED)
    assert "0 of 400 rows are new, 400 were known" in nothing.reason
    assert "300 of 700 rows are new, 400 were known; 10,000 are needed." in grown.reason


def test_labelled_predictions_are_rows(plant: Plant, logged: Callable[..., None]) -> None:
    """Those with a label are taken, in the order in which they were asked for, with the model's columns and the target."""
    logged(
        plant.new[:40], [[] if place % 4 == 0 else [(label, 2)] for place, label in enumerate(plant.new["Churn"][:40])]
    )
    found = gathered(plant.open())
    rows = plant.new[:40].filter(pl.int_range(40) % 4 != 0)

    assert (found.labelled, found.fresh.height) == (430, 30)
    assert found.fresh["Churn"].to_list() == rows["Churn"].to_list()
    assert found.fresh["MonthlyCharges"].to_list() == rows["MonthlyCharges"].to_list()
    assert found.fresh["tenure"].to_list() == rows["tenure"].to_list()
    assert found.note == "0 come from the source and 30 from the prediction log."


def test_what_must_not_be_learnt_is_left_out_and_counted(plant: Plant, logged: Callable[..., None]) -> None:
    """Early and contradictory labels, labels that the target lacks, and rows of the sealed part."""
    project = plant.open()
    own = plant.new["Churn"][:12].to_list()
    labels: list[list[Label]] = [[(label, 1)] for label in own]
    labels[0] = [(own[0], -1)]
    labels[1] = [("Yes", 1), ("No", 2)]
    labels[2] = [("maybe", 1)]
    labels[3] = [(own[3], 1), (own[3], 5)]  # the same twice is no contradiction
    logged(plant.new[:12], labels)
    logged(sealed_rows(project, plant)[:4], first=100)
    found = gathered(project)

    assert found.suspects is not None
    assert found.suspects.to_dict() | {"sealed_by_chance": 0.0} == Suspects(16, 1, 1, 4, 0.0, 1).to_dict()
    assert found.fresh["tenure"].to_list() == plant.new["tenure"][3:12].to_list()
    assert "Left out: 1 whose label came before the prediction, 1 with contradictory labels, 4 that equal" in found.note


def test_a_row_that_is_known_or_in_the_source_counts_once(plant: Plant, logged: Callable[..., None]) -> None:
    """A prediction about a row of the training part, or about a new one of the source, is that row."""
    project = plant.open()
    base = load_split(str(project.workspace.pointer("split")), project.workspace)
    learnt = plant.old.filter(pl.col("customerID").is_in(base.train.frame["customerID"].implode()))
    pl.concat([plant.old, plant.new[:50]]).write_parquet(plant.root.parent / "old.parquet")
    logged(plant.new[40:60])
    logged(learnt[:10], first=200)
    found = gathered(project)

    assert found.fresh.height == 60
    assert found.note.startswith("50 come from the source and 10 from the prediction log.")


def test_columns_that_the_log_hides(plant: Plant, logged: Callable[..., None]) -> None:
    """With nothing else to learn from that is refused with a cure; with new rows in the source it is said."""
    logged(plant.new[:40])
    project = plant.open("log.personal={tenure: hash}", MANY)
    with pytest.raises(ConfigError, match=r"40 labelled predictions without 'tenure'.*--data"):
        project.retrain()

    assert project.status().retraining is None
    pl.concat([plant.old, plant.new[:300]]).write_parquet(plant.root.parent / "old.parquet")
    assert (
        "40 labelled predictions are not among them, since the log does not hold 'tenure'" in project.retrain().reason
    )


def test_too_many_suspects_stop_it(plant: Plant, logged: Callable[..., None]) -> None:
    """Every tenth label came before its prediction: no single row is at fault."""
    rows = plant.new[:100]
    logged(rows, [[(label, -1 if place % 10 == 0 else 1)] for place, label in enumerate(rows["Churn"])])
    decision = plant.open("retraining.min_new_rows=50").retrain()

    assert decision.outcome is Outcome.STOPPED
    assert [(gate.gate, gate.passed) for gate in decision.gates] == [("data", True), ("contamination", False)]
    assert "10 of 100 labelled predictions were left out: 10 whose label came before" in decision.reason


@pytest.mark.parametrize(
    ("suspects", "passed"),
    [
        (Suspects(100, early=5), True),
        (Suspects(100, early=6), False),
        (Suspects(100, sealed=30, sealed_by_chance=27.0), True),
        (Suspects(100, sealed=40, sealed_by_chance=27.0), False),
        (Suspects(0), True),
    ],
)
def test_chance_is_no_contamination(suspects: Suspects, passed: bool) -> None:
    """Where rows of the training part look like sealed ones, so may predictions."""
    assert contamination_gate(suspects).passed is passed


@pytest.mark.slow
def test_labelled_predictions_make_a_challenger(plant: Plant, logged: Callable[..., None]) -> None:
    """The whole way without a table; the next call has nothing new once the challenger is in production."""
    logged(plant.new)
    project = plant.open()
    decision = project.retrain()

    assert decision.outcome is Outcome.CHALLENGER, decision.reason
    assert ("contamination", True) in [(gate.gate, gate.passed) for gate in decision.gates]
    split = load_split(load_run(str(decision.run_id), project.workspace).record.split_id, project.workspace)
    assert split.train.frame.height + split.validation.frame.height + split.test.size >= 900
    project.approve(2, "better")
    project.promote(2)
    again = project.retrain()
    assert (again.outcome, again.rows_new) == (Outcome.STOPPED, 0)
