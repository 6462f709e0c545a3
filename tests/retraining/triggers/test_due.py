"""The rule: which facts pull a trigger, and which hold it back."""

import dataclasses
import datetime as dt
from typing import Any

import pytest

from modelyard.monitoring import Cause
from modelyard.problem.sections import Retraining, Triggers
from modelyard.retraining.triggers.due import due
from modelyard.retraining.triggers.facts import Facts, Judged

NOW = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)
QUIET = Facts(now=NOW, trained_at=NOW - dt.timedelta(days=10))
SOUND = Judged(NOW - dt.timedelta(hours=3), "roc_auc", 0.80, 0.78, 0.82, 0.81)
EVERY_TRIGGER: dict[str, Any] = {"schedule": "30d", "performance": 0.05, "drift": True, "new_labels": 1000}


def plan(**triggers: Any) -> Retraining:
    """With these triggers only."""
    return Retraining(triggers=Triggers(**triggers))


def pulled(facts: Facts, **triggers: Any) -> list[str]:
    """Names of the triggers that these facts pull."""
    return [item.trigger for item in due(facts, plan(**triggers)).pulled]


def judged(**changes: Any) -> Facts:
    """Quiet facts, and a monitoring with these changes."""
    return dataclasses.replace(QUIET, judged=dataclasses.replace(SOUND, **changes))


def test_nothing_is_due_by_itself() -> None:
    """No triggers by default, whatever has happened; and quiet facts pull none."""
    bad = dataclasses.replace(judged(value=0.5, high=0.6, cause=Cause.CONCEPT), new_rows=10**6)
    assert not Retraining().triggers.any
    assert due(bad, Retraining()).pulled == ()
    assert due(judged(), plan(**EVERY_TRIGGER)).to_dict() == {"pulled": [], "held_by": []}


@pytest.mark.parametrize(("days", "is_pulled"), [(29.9, False), (30, True), (400, True)])
def test_the_schedule(days: float, is_pulled: bool) -> None:
    """Counted from the last training."""
    facts = dataclasses.replace(QUIET, trained_at=NOW - dt.timedelta(days=days))
    assert pulled(facts, schedule="30d") == (["schedule"] if is_pulled else [])


@pytest.mark.parametrize(
    ("metric", "value", "low", "high", "reference", "is_pulled"),
    [
        ("roc_auc", 0.75, 0.73, 0.77, 0.80, True),
        ("roc_auc", 0.75, 0.69, 0.81, 0.80, False),  # may be chance
        ("roc_auc", 0.78, 0.77, 0.79, 0.80, False),  # too small
        ("roc_auc", 0.90, 0.88, 0.92, 0.80, False),  # better
        ("rmse", 11.0, 10.5, 11.5, 10.0, True),
        ("rmse", 9.0, 8.5, 9.5, 10.0, False),
        ("rmse", 11.0, 9.5, 12.5, 10.0, False),
        ("roc_auc", None, None, None, 0.80, False),
        ("roc_auc", 0.5, 0.4, 0.6, None, False),
    ],
)
def test_performance(
    metric: str, value: float | None, low: float | None, high: float | None, reference: float | None, is_pulled: bool
) -> None:
    """Large enough, beyond chance, and in the metric's own direction."""
    facts = judged(metric=metric, value=value, low=low, high=high, reference=reference)
    assert pulled(facts, performance=0.05) == (["performance"] if is_pulled else [])


@pytest.mark.parametrize(
    ("cause", "drifted", "pays", "is_pulled"),
    [
        (Cause.CONCEPT, (), False, True),
        (Cause.COVARIATE, ("tenure",), True, True),
        (Cause.COVARIATE, ("tenure",), False, False),
        (Cause.COVARIATE, (), True, False),
        (Cause.PRIOR, ("score",), True, False),  # is recalibrated
        (Cause.PIPELINE, ("tenure",), True, False),  # is mended
        (Cause.HARMLESS, ("tenure",), False, False),
        (Cause.UNKNOWN, ("tenure",), False, False),
    ],
)
def test_drift_needs_a_cause_that_retraining_cures(
    cause: Cause, drifted: tuple[str, ...], pays: bool, is_pulled: bool
) -> None:
    """Drift alone asks for nothing."""
    facts = judged(cause=cause, drifted=drifted, pays=pays, because="Rows say something else.")
    assert pulled(facts, drift=True) == (["drift"] if is_pulled else [])


@pytest.mark.parametrize(("rows", "is_pulled"), [(None, False), (999, False), (1000, True)])
def test_new_labels(rows: int | None, is_pulled: bool) -> None:
    """As many as are asked for."""
    assert pulled(dataclasses.replace(QUIET, new_rows=rows), new_labels=1000) == (["new_labels"] if is_pulled else [])


@pytest.mark.parametrize(
    ("guard", "changes", "word"),
    [
        (
            "cause",
            {"judged": dataclasses.replace(SOUND, cause=Cause.PIPELINE, because="tenure is missing.")},
            "tenure is missing",
        ),
        ("quality", {"judged": dataclasses.replace(SOUND, broken=("Half of age is null.",))}, "Half of age is null"),
        ("rollout", {"rollout": "version 3: canary, 10 %"}, "canary"),
        ("challenger", {"waiting": (2, 4)}, "Version 4 waits"),
        ("case", {"begun": "begun 08:00, trained"}, "with a table"),
        ("cooldown", {"decided_at": NOW - dt.timedelta(days=6)}, "ends at 2026-11-23 09:00"),
        ("data", {"unchanged": "There is no new labelled row."}, "no new labelled row"),
    ],
)
def test_guards_hold_and_say_why(guard: str, changes: dict[str, Any], word: str) -> None:
    """Each alone is enough; without a pulled trigger there is nothing to hold."""
    facts = dataclasses.replace(QUIET, trained_at=NOW - dt.timedelta(days=31), **changes)
    found = due(facts, plan(schedule="30d"))

    assert [item.guard for item in found.held_by] == [guard]
    assert not found.is_due
    assert word in found.sentence
    assert due(facts, plan(schedule="90d")).held_by == ()


def test_nothing_holds_and_it_is_due() -> None:
    """A cool-down that is over and sound data hold nothing; the triggers' sentences are the reason."""
    old = NOW - dt.timedelta(days=31)
    facts = dataclasses.replace(judged(), trained_at=old, decided_at=old, new_rows=1200)
    found = due(facts, plan(**EVERY_TRIGGER))

    assert found.is_due
    assert [item.trigger for item in found.pulled] == ["schedule", "new_labels"]
    assert found.because.startswith(
        "The last training was 31.0 days ago; one every 30d is asked for. 1,200 labelled rows"
    )
