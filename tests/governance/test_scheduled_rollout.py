"""After the approval: the schedule begins the rollout if the project file says so, and tells that a version waits if not."""

import datetime as dt
from typing import Any

import pytest

from modelyard.core import Actor, silent
from modelyard.governance import AlertDesk, Registry, Rollouts, Stage, verify_ledger
from modelyard.problem.schema import Policy, Problem
from modelyard.schedule.expiring import reminders
from modelyard.schedule.jobs import SCHEDULER, Yard, jobs_of
from modelyard.schedule.lease import Lease
from modelyard.schedule.tick import Ticker

Office = Any
NAMES = ("rollout", "alerts")


def problem_with(*, automatic: bool, **sections: Any) -> Problem:
    """A project whose outbox and rollouts are looked at every second."""
    return Problem.model_validate(
        {
            "name": "churn",
            "owner": "grace",
            "data": {"source": "t.csv", "target": "y"},
            "deploy": {"automatic": automatic},
            "schedule": {"rollout": "1s", "alerts": "1s", **sections},
            "alerts": {"sinks": {"file": {"kind": "file", "path": "told.jsonl"}}},
        }
    )


def tick(office: Office, ada: Actor, problem: Problem, seconds: float) -> list[str]:
    """What the jobs of rollouts and alerts say, so many seconds from now."""

    def clock() -> dt.datetime:
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)

    yard = Yard(problem, office.workspace, ada, silent, clock)
    lease = Lease(office.workspace.ledger, "churn", clock=clock)
    jobs = [job for job in jobs_of(problem) if job.name in NAMES]
    with lease.held():
        return [f"{run.job}: {run.outcome}: {run.said}" for run in Ticker(yard, jobs, lease).tick().ran]


def test_an_approved_version_is_rolled_out_by_itself(two: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """Not before the approval, not twice, and not again after it was taken back; all in the schedule's own name."""
    problem, rollouts = problem_with(automatic=True), Rollouts(two.workspace, "churn")
    before = tick(two, ada, problem, 0)
    two.registry.approve("churn", 2, bob, "looks well", policy)
    begun = tick(two, ada, problem, 10)
    view, stage = rollouts.current(), two.registry.version("churn", 2).stage
    again = tick(two, ada, problem, 20)
    rollouts.abort(ada, "complaints")
    after = tick(two, ada, problem, 30)
    (row,) = two.workspace.ledger.rows(action="rollout.started")

    assert before == ["rollout: nothing to do: nothing to do", "alerts: nothing to do: nothing to do"]
    assert begun[0] == ("rollout: done: the rollout of version 2 began with 10 % of the requests, beside version 1")
    assert view is not None
    assert (view.state.weight, stage) == (10, Stage.CANARY)
    assert again == ["rollout: nothing to do: nothing to do", "alerts: nothing to do: nothing to do"]
    assert after[0] == "rollout: nothing to do: nothing to do"
    assert (row.actor, row.actor_source) == (SCHEDULER.name, "schedule")
    assert verify_ledger(two.workspace.ledger).ok


@pytest.mark.slow
def test_a_version_is_tried_before_its_rollout(two: Office, ada: Actor, bob: Actor) -> None:
    """Where the policy asks for staging, the schedule tries the version there, once, and then rolls it out."""
    asks = Policy.model_validate({"gates": {"staging": True}})
    problem = problem_with(automatic=True).model_copy(update={"policy": asks})
    two.registry.approve("churn", 2, bob, "looks well", asks)
    begun = tick(two, ada, problem, 0)
    (trial,) = two.workspace.ledger.rows(action="version.staged")

    assert begun[0] == ("rollout: done: the rollout of version 2 began with 10 % of the requests, beside version 1")
    assert (trial.actor, trial.details["passed"]) == (SCHEDULER.name, True)
    assert two.registry.version("churn", 2).stage is Stage.CANARY
    assert verify_ledger(two.workspace.ledger).ok


def test_otherwise_somebody_is_told_that_a_version_waits(two: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """One alert, which ends when somebody begins; it does not count against the version."""
    problem = problem_with(automatic=False)
    two.registry.approve("churn", 2, bob, "looks well", policy)
    desk = AlertDesk(two.workspace.ledger, "churn", ada)
    said = [*tick(two, ada, problem, 0), *tick(two, ada, problem, 10)]
    (alert,) = desk.open()
    two.registry.promote("churn", 2, ada, policy, "grace")
    tick(two, ada, problem, 20)

    assert said.count("alerts: done: messages: 1 sent") == 1
    assert (alert.key, alert.title) == (
        "churn/schedule-waits/version-2",
        "Version 2 is approved and waits for its rollout",
    )
    assert alert.action == "Run: modelyard deploy 2"
    assert desk.open() == ()


def test_what_expires_is_said_in_time(two: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """Approvals before their version is in production, and the last review of the one that is; fourteen days ahead."""
    problem = problem_with(automatic=True)
    two.registry.approve("churn", 2, bob, "looks well", policy)
    now = dt.datetime.now(dt.UTC)

    def signals(days: int) -> list[str]:
        found = reminders(two.workspace, problem, now + dt.timedelta(days=days))
        return [f"{item.signal} {item.source} {'expired' in item.message}" for item in found]

    never = reminders(two.workspace, problem_with(automatic=True, remind_days=0), now + dt.timedelta(days=400))

    assert Registry(two.workspace).production("churn") is not None
    assert signals(350) == []
    assert signals(352) == ["schedule-expires version-2 False", "schedule-review version-1 False"]
    assert signals(366) == ["schedule-expires version-2 True", "schedule-review version-1 True"]
    assert never == ()
