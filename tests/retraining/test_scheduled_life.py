"""One tick on a model in production: what is due is done by the rooms themselves, and leaves what they leave by command."""

from pathlib import Path

import polars as pl
import pytest
from tests.retraining.conftest import Plant

from modelyard.core import NotPermittedError
from modelyard.governance import create_token, verify_ledger
from modelyard.project import Project

WORK = (
    "schedule.score=[{name: nightly, source: ../launch.parquet, destination: 'scores-{date}.parquet', when: 1d}, "
    "{name: broken, source: ../gone.parquet, destination: x.parquet, when: 1d}]"
)


def test_a_tick_on_a_model_in_production(plant: Plant) -> None:
    """The table is scored, the log judged, people are told; a table that is gone stops nothing; the second tick has nothing to do."""
    project = plant.open(WORK, "schedule.review.weekly=1d")
    tick = project.schedule.tick()
    ran = {run.job: run for run in tick.ran}
    again = project.schedule.tick()
    (scores,) = Path(plant.root).glob("scores-*.parquet")
    states = {state.job: state for state in project.schedule.jobs()}

    assert list(ran) == [
        "rollout",
        "score-nightly",
        "score-broken",
        "tidy",
        "monitor",
        "alerts",
        "review-weekly",
        "checkpoint",
        "retrain",
    ]
    assert ran["score-nightly"].said == f"version 1 scored 900 of 900 rows: {scores}"
    assert pl.read_parquet(scores).height == 900
    assert ran["score-broken"].outcome.value == "failed"
    assert "gone.parquet" in ran["score-broken"].said
    assert ran["monitor"].said == "version 1: no data, 0 windows judged; likely cause: nothing to explain"
    assert project.page("monitoring").exists()
    assert (ran["retrain"].outcome.value, ran["checkpoint"].outcome.value) == ("nothing to do", "nothing to do")
    assert [alert.kind for alert in project.alerts.open()] == ["no_data"]
    assert {run.job for run in again.ran} <= {"alerts", "rollout"}
    assert states["score-broken"].failures == 1
    by = {row.action: row.actor for row in project.workspace.ledger.rows()}
    assert {by[action] for action in ("model.monitored", "model.reviewed", "schedule.ran", "schedule.failed")} == {
        "modelyard scheduler"
    }
    assert verify_ledger(project.workspace.ledger).ok


def test_who_may_not_operate_does_nothing(plant: Plant) -> None:
    """A developer's token starts no schedule, and nothing is written."""
    project = plant.open()
    token = create_token(project.workspace.ledger, "dan", ("developer",), project.actor)
    rows = project.workspace.ledger.length()
    with pytest.raises(NotPermittedError, match="dan may not operate"):
        Project.open(plant.root, token=token).schedule.tick()

    assert project.workspace.ledger.length() == rows
