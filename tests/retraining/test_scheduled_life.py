"""One tick on a model in production: what is due is done by the rooms themselves, and leaves what they leave by command."""

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest
from tests.retraining.conftest import SETTINGS, Plant
from typer.testing import CliRunner

from modelyard.cli.app import app
from modelyard.core import NotPermittedError, system_clock
from modelyard.governance import create_token, verify_ledger
from modelyard.oversight.lineage import Kind, Thing
from modelyard.project import Project
from modelyard.schedule import Schedule

WORK = (
    "schedule.score=[{name: nightly, source: ../launch.parquet, destination: 'scores-{date}.parquet', when: 1d}, "
    "{name: broken, source: ../gone.parquet, destination: x.parquet, when: 1d}]"
)

QUIET = ("schedule.monitor=off", "schedule.review.weekly=off", "schedule.tidy=off", "schedule.alerts=off")
"""Jobs that have nothing to do with a retraining."""


def test_a_tick_on_a_model_in_production(plant: Plant) -> None:
    """The table is scored, the log judged, people are told; a table that is gone stops nothing; the second tick has nothing to do."""
    project = plant.open(WORK, "schedule.review.weekly=1d")
    tick = project.schedule.tick()
    ran = {run.job: run for run in tick.ran}
    again = project.schedule.tick()
    (batch,) = [link for link in project.oversight.lineage(1).became if link.job == "score"]
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
    assert (batch.thing, batch.says, batch.by) == (
        Thing(Kind.SCORES, str(scores)),
        "900 of 900 rows",
        "modelyard scheduler",
    )
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


def test_a_trigger_leads_to_a_challenger_and_a_guard_stops_the_next(plant: Plant) -> None:
    """New rows of the source pull it: `modelyard tick` trains a challenger, which waits; a day later the cool-down holds."""
    source = plant.root.parent / "old.parquet"
    pl.concat([plant.old, plant.new[:600]]).write_parquet(source)
    settings = (*SETTINGS, *QUIET, "retraining.triggers.new_labels=200")
    options = [word for setting in settings for word in ("--set", setting)]
    result = CliRunner().invoke(app, ["tick", "--project", str(plant.root), "--json", *options])
    ran = {run["job"]: run for run in json.loads(result.stdout)["ran"]}
    project = plant.open(*QUIET, "retraining.triggers.new_labels=200")
    (retrained,) = project.ledger().rows(action="model.retrained")
    status = project.status()
    pl.concat([plant.old, plant.new[:900]]).write_parquet(source)
    tomorrow = Schedule(
        project.problem, project.workspace, project.actor, clock=lambda: system_clock() + dt.timedelta(days=1)
    )
    (held,) = [run for run in tomorrow.tick().ran if run.job == "retrain"]

    assert result.exit_code == 0
    assert ran["retrain"]["outcome"] == "done"
    assert ran["retrain"]["said"].startswith("600 labelled rows are new since the last decision; 200 are enough.")
    assert retrained.details["because"] == "600 labelled rows are new since the last decision; 200 are enough."
    assert (retrained.actor, retrained.details["outcome"]) == (project.actor.name, "challenger")
    assert (status.production, status.waiting) == (1, (2,))
    assert held.outcome.value == "done"
    assert "cool-down" in held.said
    assert project.ledger().rows(action="model.retrained") == (retrained,)
    assert verify_ledger(project.workspace.ledger).ok
