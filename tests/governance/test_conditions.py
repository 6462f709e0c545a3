"""Conditions of approvals: how they are written, what meets them, and what is refused until they are met."""

import contextlib
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plans import plan

from modelyard.core import Actor, ConfigError, GateRefusedError, StateError
from modelyard.governance import Approval, Rollouts, Stage, verify_ledger
from modelyard.governance.conditions import parse_condition, states_of
from modelyard.problem.schema import Policy
from modelyard.rollout import Phase, Reading, State, Strategy, Verdict, advance, look, resume

Office = Any
WEEK: dict[str, Any] = {"shadow": {"duration": "7d", "min_samples": 1}}
QUICK: dict[str, Any] = {"canary": {"steps": [{"set_weight": 20}, {"pause": {"duration": "1d"}}, {"set_weight": 100}]}}


@pytest.fixture
def rollouts(two: Office) -> Rollouts:
    """Of the model."""
    return Rollouts(two.workspace, "churn")


def approve(two: Office, bob: Actor, policy: Policy, *conditions: str) -> None:
    """Version 2, under these conditions."""
    two.registry.approve("churn", 2, bob, "looks well", policy, conditions)


def drive(rollouts: Rollouts, ada: Actor, *, days: float = 0.0, looks: int = 1) -> State:
    """What a server does: time passes, then looks at which every guard holds; each change is entered."""
    view = rollouts.current()
    assert view is not None
    rule, state = view.rollout.plan, advance(view.rollout.plan, view.state, days * 86_400)
    good = tuple(
        Reading(guard.name, 0.0, None, 500, Verdict.SUCCESS) for guard in rule.analysis(view.state.step).guards
    )
    readings: tuple[Reading, ...] = ()
    for _ in range(looks if state.is_same_place(view.state) else 0):
        state, readings = look(rule, state, good), good
    if not state.is_same_place(view.state):
        assert rollouts.change(view, state, ada, readings)
    return state


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("shadow 7d", "shadow 7d"),
        ("Shadow for 7 days", "shadow 7d"),
        ("shadow 168h", "shadow 7d"),
        ("canary 10%", "canary 10%"),
        ("canary at 10 % for 1 day", "canary 10% 1d"),
        ("canary 100% 1d12h", "canary 100% 1d12h"),
    ],
)
def test_conditions_are_written_in_one_way(written: str, text: str) -> None:
    """Whatever people write; the one way reads as itself."""
    found = parse_condition(written)

    assert found.text == text
    assert parse_condition(text) == found


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    """It is a condition that reads as itself, or refused."""
    with contextlib.suppress(ConfigError):
        found = parse_condition(text)

        assert parse_condition(found.text) == found


def test_unknown_conditions_are_refused_when_they_are_given(two: Office, bob: Actor, policy: Policy) -> None:
    """Nobody could enforce them; nothing is written."""
    for words in ("tell the call centre", "canary 0%", "canary 101%", "shadow", "shadow 0d"):
        with pytest.raises(ConfigError, match="nothing could enforce this condition"):
            approve(two, bob, policy, words)

    assert two.registry.approvals("churn", 2) == ()


def test_a_condition_needs_something_beside_which_it_could_be_met(
    office: Office, ada: Actor, bob: Actor, policy: Policy
) -> None:
    """The first version cannot run in shadow."""
    office.registry.register(office.packages[0], ada)
    with pytest.raises(StateError, match="nothing is in production beside which a rollout could meet"):
        office.registry.approve("churn", 1, bob, "well", policy, ("shadow 7d",))

    assert office.registry.version("churn", 1).stage is Stage.CANDIDATE


def test_a_promotion_that_has_not_met_them_is_refused(
    two: Office, rollouts: Rollouts, ada: Actor, bob: Actor, policy: Policy
) -> None:
    """With what is missing; the decision is kept, and no plan that is too short begins."""
    approve(two, bob, policy, "shadow for 7 days", "canary 50%")
    with pytest.raises(GateRefusedError) as refused:
        two.registry.promote("churn", 2, ada, policy, "grace")
    with pytest.raises(GateRefusedError, match="by the plan 0s in shadow"):
        rollouts.begin(2, plan(), ada, policy, "grace")
    (gate,) = two.registry.gates("churn", 2, policy).failed
    (row,) = two.workspace.ledger.rows(action="gates.refused", subject="churn/2")[:1]

    assert "it wants shadow 7d (bob), canary 50% (bob)" in refused.value.sentence
    assert "0s in shadow, no step at 50%" in refused.value.sentence
    assert (gate.gate, gate.got) == ("conditions", "0s in shadow, no step at 50%")
    assert [one["gate"] for one in row.details["gates"] if not one["passed"]] == ["conditions"]
    assert (two.registry.version("churn", 2).stage, rollouts.latest()) == (Stage.APPROVED, None)


def test_a_rollout_that_went_through_meets_them(
    two: Office, rollouts: Rollouts, ada: Actor, bob: Actor, policy: Policy
) -> None:
    """Seven days in shadow and a day at 20 %: the last step is allowed, and the ledger verifies."""
    approve(two, bob, policy, "shadow 7d", "canary 10% 1d")
    rollouts.begin(2, plan(strategy=WEEK | QUICK), ada, policy, "grace")
    shadow = drive(rollouts, ada, days=7.1)
    with pytest.raises(GateRefusedError, match="no step at 10%"):
        rollouts.promote(ada, policy, "grace")
    during = rollouts.current()
    pause = drive(rollouts, ada, days=1.1)
    deployment = rollouts.complete(ada, policy, "grace")
    latest = rollouts.latest()

    assert (shadow.phase, shadow.weight) == (Phase.PAUSED, 20)
    assert during is not None
    assert during.state.is_same_place(shadow)
    assert pause.phase is Phase.PROMOTING
    assert deployment.version == 2
    assert latest is not None
    assert latest.state.phase is Phase.STABLE
    assert verify_ledger(two.workspace.ledger).ok


def test_the_shadow_is_enough_where_only_that_was_asked_for(
    two: Office, rollouts: Rollouts, ada: Actor, bob: Actor, policy: Policy
) -> None:
    """After it, a person may promote at once: by the rollout, or directly."""
    approve(two, bob, policy, "shadow 7d")
    rollouts.begin(2, plan(Strategy.SHADOW, strategy=WEEK), ada, policy, "grace")
    with pytest.raises(GateRefusedError, match="0s in shadow"):
        two.registry.promote("churn", 2, ada, policy, "grace")
    drive(rollouts, ada, days=7.1)

    assert rollouts.promote(ada, policy, "grace").version == 2


def test_what_a_person_cuts_short_does_not_count(
    two: Office, rollouts: Rollouts, ada: Actor, bob: Actor, policy: Policy
) -> None:
    """A pause that is resumed early is no day: that is refused, and where it was done all the same the end is not let through."""
    approve(two, bob, policy, "canary 10% 1d")
    view = rollouts.begin(2, plan(strategy=QUICK), ada, policy, "grace")
    with pytest.raises(
        GateRefusedError, match="without the rest of this pause the rollout would not meet canary 10% 1d"
    ):
        rollouts.resume(ada, policy)
    assert rollouts.current() == view
    assert rollouts.change(view, resume(view.rollout.plan, view.state, "resumed by ada"), ada, ())
    with pytest.raises(GateRefusedError, match="no step at 10%"):
        rollouts.complete(ada, policy, "grace")

    assert two.registry.production("churn").version == 1


def test_a_pause_that_no_condition_needs_may_be_cut_short(
    two: Office, rollouts: Rollouts, ada: Actor, bob: Actor, policy: Policy
) -> None:
    """The shadow had its week; what comes after it is up to people."""
    approve(two, bob, policy, "shadow 7d")
    rollouts.begin(2, plan(strategy=WEEK | QUICK), ada, policy, "grace")
    drive(rollouts, ada, days=7.1)

    assert rollouts.resume(ada, policy).state.phase is Phase.PROMOTING
    assert rollouts.complete(ada, policy, "grace").version == 2


def test_an_aborted_rollout_counts_for_nothing(
    two: Office, rollouts: Rollouts, ada: Actor, bob: Actor, policy: Policy
) -> None:
    """Whatever it had gone through by then: the version was taken back."""
    approve(two, bob, policy, "shadow 7d")
    rollouts.begin(2, plan(Strategy.SHADOW, strategy=WEEK), ada, policy, "grace")
    drive(rollouts, ada, days=7.1)
    rollouts.abort(Actor("op", ada.source, ("operator",)), "complaints")
    with pytest.raises(GateRefusedError, match="0s in shadow"):
        two.registry.promote("churn", 2, ada, policy, "grace")


def test_a_broken_glass_tells_of_the_condition(two: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """An operator may go past it, loudly."""
    approve(two, bob, policy, "shadow 7d")
    two.registry.promote("churn", 2, ada, policy, "grace", "the old one is down")
    (broken,) = two.registry.broken_glass("churn")

    assert broken.skipped == ("conditions",)


def test_words_of_an_earlier_release_are_told_and_hold_nothing_up() -> None:
    """Nobody said then that they would be enforced."""
    at = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    old = Approval("churn", 1, "d", "bob", "well", at, conditions=("ask the works council",))
    (state,) = states_of((old,), ())

    assert state.met
    assert state.got == "'ask the works council' is of an earlier release and cannot be measured"
