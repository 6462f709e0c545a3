"""Asking by the clock: facts of a real project, and what comes of them."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from modelyard import Project
from modelyard.core import Clock, LockedError, system_clock
from modelyard.retraining import Attempt, Outcome, retrain_if_due
from modelyard.retraining.cases import CaseBook, Inputs

Plant = Any
LABELS = "retraining.triggers.new_labels=100"
MANY = "retraining.min_new_rows=10000"


def asked(project: Project, clock: Clock = system_clock) -> Attempt:
    """Whether it is time, and what came of it."""
    return retrain_if_due(project.workspace, project.problem, project.actor, clock=clock)


def in_days(days: int) -> Clock:
    """A clock that is ahead."""
    return lambda: system_clock() + dt.timedelta(days=days)


def test_without_triggers_nothing_is_asked(plant: Plant) -> None:
    """By default a person asks; not even the source is read."""
    project = plant.open()
    before = project.ledger().length()
    (plant.root.parent / "old.parquet").unlink()

    assert asked(project, in_days(1000)) == Attempt.from_dict({"due": {"pulled": [], "held_by": []}, "decision": None})
    assert project.ledger().length() == before


def test_new_rows_of_the_source_are_enough_once(plant: Plant) -> None:
    """Too few pull nothing; enough do, with the reason in decision and ledger; the same rows do not again."""
    project, source = plant.open(LABELS, MANY), plant.root.parent / "old.parquet"
    pl.concat([plant.old, plant.new[:99]]).write_parquet(source)
    few = asked(project)
    pl.concat([plant.old, plant.new[:300]]).write_parquet(source)
    enough = asked(project)
    (row,) = project.ledger().rows(action="model.retrained")
    hasty = asked(project)
    later = asked(project, in_days(8))
    pl.concat([plant.old, plant.new[:380]]).write_parquet(source)
    not_yet = asked(project, in_days(8))
    pl.concat([plant.old, plant.new[:500]]).write_parquet(source)
    again = asked(project, in_days(8))

    assert (few.due.pulled, few.decision) == ((), None)
    assert enough.decision is not None
    assert (enough.decision.outcome, enough.decision.rows_new) == (Outcome.STOPPED, 300)
    assert enough.decision.because == "300 labelled rows are new since the last decision; 100 are enough."
    assert row.details["because"] == enough.decision.because
    assert all(item.due.pulled == () for item in (hasty, later, not_yet))
    assert again.decision is not None
    assert again.decision.because.startswith("200 labelled rows are new")


def test_a_schedule_waits_for_the_cool_down_and_for_new_rows(plant: Plant) -> None:
    """A decision that trained nothing does not count as a training; what it decided on is not decided again."""
    project = plant.open("retraining.triggers.schedule=30d", "retraining.cooldown=40d", MANY)
    pl.concat([plant.old, plant.new[:300]]).write_parquet(plant.root.parent / "old.parquet")

    assert asked(project, in_days(29)).due.pulled == ()
    first = asked(project, in_days(31))
    assert first.decision is not None
    assert [item.guard for item in asked(project, in_days(33)).due.held_by] == ["cooldown"]
    held = asked(project, in_days(41)).due
    assert [item.guard for item in held.held_by] == ["data"]
    assert "The same 300 new rows were decided on" in held.sentence


def test_a_broken_pipeline_holds_it(plant: Plant) -> None:
    """The last monitoring counts, as it does for the gate."""
    project = plant.open("retraining.triggers.schedule=30d")
    gone = pl.int_range(pl.len()) % 2 == 0
    broken = plant.new.with_columns(
        pl.when(gone).then(None).otherwise(pl.col("MonthlyCharges")).alias("MonthlyCharges")
    )
    project.monitor(data=plant.table(broken))
    found = asked(project, in_days(31))

    assert found.decision is None
    assert [item.guard for item in found.due.held_by] == ["cause"]
    assert "MonthlyCharges is missing" in found.due.held_by[0].because


def test_a_case_that_a_person_began_is_left_alone(plant: Plant) -> None:
    """A retraining with a table that was killed is not given up by the clock."""
    project = plant.open("retraining.triggers.schedule=30d")
    inputs = Inputs("package", "table", "", "", update=False, despite="")
    CaseBook(project.workspace, project.actor).begin(inputs, project._production(), "")
    found = asked(project, in_days(31))

    assert [item.guard for item in found.due.held_by] == ["case"]
    assert project.ledger().rows(action="model.retraining_given_up") == ()


def test_another_command_is_not_waited_for(plant: Plant) -> None:
    """Whoever asks by the clock asks again."""
    project = plant.open(LABELS)
    with project.workspace.lock(), pytest.raises(LockedError):
        asked(project)
