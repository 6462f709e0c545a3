"""Rollouts in the registry: who may begin one, each change with its ledger row, one driver, and the ways it ends."""

import dataclasses
import datetime as dt
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.forging import forge
from tests.plans import plan

from modelyard.core import Actor, GateRefusedError, NotPermittedError, StateError, WaitingForApprovalError
from modelyard.governance import Rollouts, Stage, verify_ledger
from modelyard.problem.schema import Policy
from modelyard.rollout import Phase, Reading, Strategy, Verdict, advance, look
from modelyard.store import Workspace

Office = Any


class Hands:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        """What the clock shows."""
        return self.now


@pytest.fixture
def hands() -> Hands:
    """The time."""
    return Hands()


@pytest.fixture
def rollouts(two: Office, bob: Actor, policy: Policy, hands: Hands) -> Rollouts:
    """Both versions approved."""
    two.registry.approve("churn", 2, bob, "looks well", policy)
    return Rollouts(two.workspace, "churn", clock=hands)


def stage(office: Office, number: int = 2) -> Stage:
    """Of a version."""
    found: Stage = office.registry.version("churn", number).stage
    return found


def actions(workspace: Workspace) -> list[str]:
    """What the ledger tells of rollouts."""
    return [row.action for row in workspace.ledger.rows() if row.action.startswith("rollout.")]


def test_a_rollout_needs_what_a_promotion_needs(two: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """Permission, an owner, approvals, something in production, and bytes as they were registered."""
    rollouts = Rollouts(two.workspace, "churn")

    with pytest.raises(NotPermittedError):
        rollouts.begin(2, plan(), bob, policy, "grace")
    with pytest.raises(GateRefusedError):
        rollouts.begin(2, plan(), ada, policy, " ")
    with pytest.raises(WaitingForApprovalError):
        rollouts.begin(2, plan(), ada, policy, "grace")
    with pytest.raises(StateError, match="a version that is production cannot become canary"):
        rollouts.begin(1, plan(), ada, policy, "grace")
    assert (rollouts.current(), actions(two.workspace)) == (None, [])


def test_without_a_champion_there_is_no_rollout(office: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """The first version is promoted."""
    office.registry.register(office.packages[0], ada)
    office.registry.approve("churn", 1, bob, "looks well", policy)

    with pytest.raises(StateError, match="nothing is in production"):
        Rollouts(office.workspace, "churn").begin(1, plan(), ada, policy, "grace")


def test_begun_changed_and_promoted(two: Office, rollouts: Rollouts, ada: Actor, policy: Policy, hands: Hands) -> None:
    """Each state is a row with its numbers and a stage; at the end the version is in production, and all of it verifies."""
    view = rollouts.begin(2, plan(), ada, policy, "grace")
    assert (view.state.phase, view.state.weight, stage(two)) == (Phase.PAUSED, 10, Stage.CANARY)
    with pytest.raises(StateError, match="a rollout is under way already"):
        rollouts.begin(2, plan(), ada, policy, "grace")

    good = tuple(Reading(rule.name, 0.0, None, 500, Verdict.SUCCESS) for rule in view.rollout.plan.analysis(0).guards)
    for _ in range(40):
        found = rollouts.current()
        assert found is not None
        if found.state.phase is Phase.PROMOTING:
            break
        state = look(found.rollout.plan, advance(found.rollout.plan, found.state, 600.0), good)
        if state.is_same_place(found.state):
            assert rollouts.lead(found, "me", state)
        else:
            assert rollouts.change(found, state, ada, good)
            assert not rollouts.change(found, state, ada, good), "a state that is past"
    assert rollouts.complete(ada, policy, "grace").version == 2

    ended = rollouts.latest()
    assert ended is not None
    assert (ended.state.phase, rollouts.current()) == (Phase.STABLE, None)
    assert (stage(two, 1), stage(two)) == (Stage.RETIRED, Stage.PRODUCTION)
    assert actions(two.workspace) == [
        "rollout.started",
        "rollout.paused",
        "rollout.canary",
        "rollout.paused",
        "rollout.canary",
        "rollout.promoting",
        "rollout.stable",
    ]
    assert rollouts.changes(ended.rollout.id)[1].numbers["error_rate"] == [0.0, None, 500]
    assert verify_ledger(two.workspace.ledger).ok


def test_one_process_drives_and_the_next_one_goes_on(
    rollouts: Rollouts, ada: Actor, policy: Policy, hands: Hands
) -> None:
    """A lease keeps others away until it ends; then another process goes on in the same step with the same time."""
    view = rollouts.begin(2, plan(), ada, policy, "grace")
    state = advance(view.rollout.plan, view.state, 123.0)

    assert rollouts.lead(view, "first", state)
    assert (rollouts.lead(view, "second", view.state), rollouts.is_free(view, "second")) == (None, False)
    hands.now += dt.timedelta(seconds=3.1)
    found = rollouts.current()
    assert found is not None
    assert (found.state.elapsed_s, found.state.step, found.position) == (123.0, view.state.step, view.position)
    assert rollouts.is_free(found, "second")
    assert rollouts.lead(view, "second", view.state) == state, "what it knew itself was older"
    assert rollouts.lead(view, "first", state) is None


def test_a_pause_within_a_step_keeps_its_counts(rollouts: Rollouts, ada: Actor, policy: Policy) -> None:
    """A change that stays in the step, such as a pause for want of data, loses neither its time nor its looks."""
    view = rollouts.begin(
        2, plan(strategy={"canary": {"steps": [{"set_weight": 10}, {"analysis": "guard"}]}}), ada, policy, "grace"
    )
    assert rollouts.lead(view, "first", view.state)
    paused = dataclasses.replace(view.state, phase=Phase.PAUSED, passed=2, inconclusive=1, elapsed_s=70.0)
    assert rollouts.change(view, paused, ada, ())

    found = rollouts.current()
    assert found is not None
    assert found.state == paused


def test_what_was_noted_ends_with_its_state(rollouts: Rollouts, ada: Actor, policy: Policy) -> None:
    """After a change the time of the step begins anew, and nobody leads by what was before."""
    view = rollouts.begin(2, plan(), ada, policy, "grace")
    assert rollouts.lead(view, "first", advance(view.rollout.plan, view.state, 123.0))

    resumed = rollouts.resume(ada, policy)
    assert (resumed.state.phase, resumed.state.elapsed_s) == (Phase.CANARY, 0.0)
    assert rollouts.lead(view, "first", view.state) is None
    with pytest.raises(StateError, match="the rollout does not pause"):
        rollouts.resume(ada, policy)


@pytest.mark.parametrize("way", ["abort", "rollback", "reject", "promote another", "promote in full"])
def test_the_ways_it_ends(way: str, two: Office, rollouts: Rollouts, ada: Actor, bob: Actor, policy: Policy) -> None:
    """By hand, by a rollback (which leaves the champion where it is), with the version's rejection, or by a promotion."""
    rollouts.begin(2, plan(), ada, policy, "grace")
    if way == "abort":
        rollouts.abort(ada, "complaints")
    elif way == "rollback":
        assert two.registry.rollback("churn", ada, "complaints").version == 1
    elif way == "reject":
        two.registry.reject("churn", 2, bob, "unfair")
    elif way == "promote another":
        two.registry.promote("churn", 2, ada, policy, "grace")
    else:
        assert rollouts.promote(ada, policy, "grace").version == 2
    ended = rollouts.latest()
    assert ended is not None
    expected = {"abort": Stage.APPROVED, "rollback": Stage.APPROVED, "reject": Stage.REJECTED}

    assert stage(two) is expected.get(way, Stage.PRODUCTION)
    assert ended.state.phase is (Phase.STABLE if "promote" in way else Phase.ABORTED)
    assert verify_ledger(two.workspace.ledger).ok
    with pytest.raises(StateError, match="no rollout is under way"):
        rollouts.abort(ada, "again")


def test_a_shadow_is_a_stage_of_its_own(two: Office, rollouts: Rollouts, ada: Actor, policy: Policy) -> None:
    """In shadow until a person resumes, then canary; after an abort the version may be tried again."""
    rollouts.begin(2, plan(Strategy.SHADOW), ada, policy, "grace")
    assert stage(two) is Stage.SHADOW
    rollouts.abort(ada, "not yet")
    assert (stage(two), rollouts.taken_back()) == (Stage.APPROVED, frozenset({2}))
    assert rollouts.begin(2, plan(), ada, policy, "grace").state.weight == 10
    assert rollouts.taken_back() == frozenset()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE model_rollout_changes SET weight = 5 WHERE id = 1",
            "the registry has a change in the rollout of churn/2 that the ledger does not tell",
        ),
        (
            "DELETE FROM model_rollout_changes WHERE id = 2",
            "the ledger tells a change in the rollout of churn/2 that the registry does not have",
        ),
        (
            "UPDATE model_rollouts SET actor = 'eve'",
            "the registry has a rollout of churn/2 that the ledger does not tell",
        ),
    ],
)
def test_a_forged_rollout_is_found(
    statement: str, said: str, two: Office, rollouts: Rollouts, ada: Actor, policy: Policy
) -> None:
    """The tables of rollouts are held against the ledger as the others are, and triggers keep their rows."""
    rollouts.begin(2, plan(), ada, policy, "grace")
    rollouts.abort(ada, "complaints")
    path: Path = two.workspace.state / "ledger.db"
    with sqlite3.connect(path) as connection, pytest.raises(sqlite3.IntegrityError, match="never changed"):
        connection.execute(statement)
    connection.close()
    assert verify_ledger(two.workspace.ledger).ok
    forge(path, statement)

    assert said in verify_ledger(two.workspace.ledger).problem
