"""Gates by risk tier: what each asks, the decision that is kept, and what it is bound to."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from modelyard.core import (
    Actor,
    GateRefusedError,
    IntegrityError,
    NotPermittedError,
    Severity,
    StateError,
    WaitingForApprovalError,
)
from modelyard.core.actor import ActorSource
from modelyard.governance import GateDecision, Registry, Stage, StagingArea, glass_findings, verify_ledger
from modelyard.governance.gating import Evidence, Standing, judge
from modelyard.packaging.card.completeness import FIELDS_FOR_PEOPLE
from modelyard.problem import Problem
from modelyard.problem.schema import Policy
from modelyard.serving import RegistryRollouts

Office = Any
VERA = Actor("vera", ActorSource.TOKEN, ("validator",))
NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)

HIGH = {"tier": "high", "rationale": "refuses credit to people"}
SHOWS = Evidence((), True, 1.0, (), 0.05, "true positive rate of sex: m to f", True)
"""A version that has everything to show."""


def policy(**changes: Any) -> Policy:
    """A policy as the project file writes it."""
    return Policy.model_validate(changes)


def later(office: Office, days: int) -> Registry:
    """The registry as it will be seen in some days."""
    return Registry(office.workspace, clock=lambda: dt.datetime.now(dt.UTC) + dt.timedelta(days=days))


def answers(decision: GateDecision) -> dict[str, bool]:
    """Which gates were asked, and what they said."""
    return {gate.gate: gate.passed for gate in decision.gates}


@pytest.mark.parametrize(
    ("stated", "asked"),
    [
        ({}, ["tests", "approvals"]),
        ({"tier": "medium", "rationale": "r"}, ["tests", "opened_test", "card", "open_alerts", "approvals"]),
        (
            HIGH,
            ["tests", "opened_test", "card", "group_gap", "validation", "open_alerts", "staging", "approvals"],
        ),
        (
            {**HIGH, "gates": {"group_gap": None, "validation": False}},
            ["tests", "opened_test", "card", "open_alerts", "staging", "approvals"],
        ),
    ],
)
def test_each_tier_asks_its_gates(office: Office, ada: Actor, stated: dict[str, Any], asked: list[str]) -> None:
    """The tier says which gates are asked; the project file may leave some out, and the decision names them."""
    version = office.registry.register(office.packages[0], ada)
    decision = judge(version, policy(**stated), SHOWS, Standing((), (), None, None), "promote", NOW)

    assert [gate.gate for gate in decision.gates] == asked
    assert decision.looser == (("group_gap", "validation") if "gates" in stated else ())


@pytest.mark.parametrize(
    ("gate", "shown", "got"),
    [
        ("tests", {"failed": ("parity: 2 things are wrong",)}, "parity: 2 things are wrong"),
        ("opened_test", {"opened_test": False}, "rows on which choices were made"),
        ("card", {"card": 0.89, "empty": ("use: users",)}, "89%, without use: users"),
        ("group_gap", {"gap": 0.101}, "10.1% (true positive rate of sex: m to f)"),
        (
            "group_gap",
            {"gap": None, "gap_words": "no column is declared as protected"},
            "no column is declared as protected",
        ),
    ],
)
def test_each_gate_says_no(office: Office, ada: Actor, gate: str, shown: dict[str, Any], got: str) -> None:
    """A fault in the evidence is found by its gate alone, with what it got and a cure; what cannot be told is no yes."""
    version = office.registry.register(office.packages[0], ada)
    rules = policy(**HIGH, gates={"validation": False, "staging": False}, approvals=0)
    found = dataclasses.replace(SHOWS, **shown)
    decision = judge(version, rules, found, Standing((), (), None, 0), "promote", NOW)
    (failed,) = decision.failed

    assert (failed.gate, failed.got) == (gate, got)
    assert failed.cure


def test_alerts_of_the_version_close_the_gate(office: Office, ada: Actor) -> None:
    """One open alert is too many from tier medium on; where nobody watches that is said, and no alert is claimed."""
    version = office.registry.register(office.packages[0], ada)
    rules = policy(tier="medium", rationale="r", approvals=0)
    quiet, loud, blind = (
        judge(version, rules, SHOWS, Standing((), (), None, count), "approve", NOW) for count in (0, 1, None)
    )

    assert (quiet.passed, loud.passed, blind.passed) == (True, False, True)
    assert [gate.got for gate in (*loud.failed, blind.gates[-1])] == ["1", "not watched"]


def test_alerts_are_counted_from_a_versions_first_request_on(office: Office, ada: Actor, bob: Actor) -> None:
    """What is open, and began while the version was asked; nothing holds a successor up that may be the cure."""
    office.registry.register(office.packages[0], ada)
    office.registry.approve("churn", 1, bob, "well", Policy())
    medium = policy(tier="medium", rationale="r", gates={"opened_test": False, "card": 0})
    with office.workspace.ledger.transaction() as transaction:
        for number, (at, *changes) in enumerate(ALERTS):
            alert = {"id": f"a{number}", "key": "churn/drift/crm", "model": "churn", "kind": "drift"}
            enter(transaction.connection, "alerts", {**alert, "signal": "drift", "source": "crm", "at": at})
            for change in changes:
                row = dict.fromkeys(("severity", "title", "details", "window", "actor", "reason", "at"), "")
                enter(transaction.connection, "alert_changes", {"alert": f"a{number}", "change": change, **row})
    before = office.registry.gates("churn", 1, medium, "approve")
    office.registry.promote("churn", 1, ada, Policy(), "grace")
    after = office.registry.gates("churn", 1, medium, "approve")

    assert [gate.got for gate in (*before.gates, *after.gates) if gate.gate == "open_alerts"] == ["0", "1"]
    assert (before.passed, after.passed) == (True, False)


ALERTS = (
    ("2020-01-01T00:00:00+00:00", "seen", "opened"),
    ("2999-01-01T00:00:00+00:00", "seen", "opened", "acknowledged"),
    ("2999-01-01T00:00:00+00:00", "seen", "opened", "resolved"),
    ("2999-01-01T00:00:00+00:00", "seen"),
)
"""An old one, one that is open, one that is over, and one of which nobody was told."""


def enter(connection: sa.Connection, table: str, values: dict[str, str]) -> None:
    """A row of the alerts' tables, which are made if nothing watches yet."""
    columns = ", ".join(f'"{name}"' for name in values)
    connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
    marks = ", ".join("?" for _ in values)
    connection.exec_driver_sql(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(values.values()))


def test_a_task_without_rates_passes_the_gap(office: Office, ada: Actor) -> None:
    """A regression has no true positive rate; the answer says so."""
    version = office.registry.register(office.packages[0], ada)
    found = dataclasses.replace(SHOWS, gap=None, gap_applies=False)
    decision = judge(version, policy(**HIGH), found, Standing((), (), None, 0), "approve", NOW)

    assert answers(decision)["group_gap"]


def test_a_refused_approval_is_kept(office: Office, ada: Actor, bob: Actor) -> None:
    """Exit code 3 with the cure; the whole decision stands in the ledger, and nothing else was written."""
    office.registry.register(office.packages[0], ada)
    medium = policy(tier="medium", rationale="calls customers")
    with pytest.raises(GateRefusedError, match="the gate opened_test of tier medium said no") as caught:
        office.registry.approve("churn", 1, bob, "well", medium)
    (row,) = office.workspace.ledger.rows(action="gates.refused")
    decision = GateDecision.from_dict(row.details)

    assert caught.value.exit_code == 3
    assert caught.value.cure.startswith("Run: modelyard evaluate --open-test")
    assert answers(decision) == {"tests": True, "opened_test": False, "card": False, "open_alerts": True}
    assert (decision.step, decision.tier, decision.policy, decision.digest) == (
        "approve",
        "medium",
        medium.digest,
        office.packages[0].manifest.digest,
    )
    assert office.registry.approvals("churn", 1) == ()
    assert office.registry.version("churn", 1).stage is Stage.CANDIDATE


def test_a_passed_decision_is_kept_before_promotion(office: Office, ada: Actor, bob: Actor) -> None:
    """Approval and promotion each leave a decision with the names of the gates, in order."""
    office.registry.register(office.packages[0], ada)
    office.registry.approve("churn", 1, bob, "well", Policy())
    office.registry.promote("churn", 1, ada, Policy(), "grace")
    rows = [row for row in office.workspace.ledger.rows() if row.action != "version.registered"]

    assert [row.action for row in rows] == ["gates.passed", "version.approved", "gates.passed", "version.promoted"]
    assert [gate["gate"] for gate in rows[2].details["gates"]] == ["tests", "approvals"]


def test_gates_are_shown_without_a_trace(office: Office, ada: Actor) -> None:
    """Looking writes nothing; every field that is empty on the card is one that people fill."""
    office.registry.register(office.packages[0], ada)
    length = office.workspace.ledger.length()
    decision = office.registry.gates("churn", 1, policy(tier="medium", rationale="r"))
    card = next(gate for gate in decision.gates if gate.gate == "card")
    empty = office.packages[0].read_json("card.json")["not_provided"]

    assert answers(decision)["approvals"] is False
    assert card.got.startswith("17%, without ")
    assert set(empty) - {"decisions"} == set(FIELDS_FOR_PEOPLE) & set(card.got.split(", without ")[1].split(", "))
    assert office.workspace.ledger.length() == length


def test_approvals_expire(office: Office, ada: Actor, bob: Actor) -> None:
    """After the policy's days the version waits again, says why, and the same person may approve again."""
    office.registry.register(office.packages[0], ada)
    rules = policy(gates={"approval_days": 30})
    office.registry.approve("churn", 1, bob, "well", rules)
    with pytest.raises(WaitingForApprovalError, match="0 of 1 approvals; that of bob expired on"):
        later(office, 31).promote("churn", 1, ada, rules, "grace")
    (approval,) = office.registry.approvals("churn", 1)

    assert approval.expires_at == approval.at + dt.timedelta(days=30)
    later(office, 31).approve("churn", 1, bob, "still well", rules)
    (again,) = office.workspace.ledger.rows(action="version.approved_again")

    assert again.details["reason"] == "still well"
    assert verify_ledger(office.workspace.ledger).ok
    assert office.registry.promote("churn", 1, ada, rules, "grace").reason == "approved by bob"


def test_another_policy_voids_approvals(office: Office, ada: Actor, bob: Actor) -> None:
    """Who approved under one set of gates did not approve under another; how many must approve is counted anew."""
    office.registry.register(office.packages[0], ada)
    office.registry.approve("churn", 1, bob, "well", policy())
    stricter = policy(gates={"card": 0.1})
    with pytest.raises(WaitingForApprovalError, match="that of bob was given when the gates asked for something else"):
        office.registry.promote("churn", 1, ada, stricter, "grace")
    office.registry.approve("churn", 1, bob, "the card too", stricter)

    assert policy().digest != stricter.digest
    assert policy().digest == policy(approvals=2, gates={"approval_days": 5}).digest
    assert office.registry.promote("churn", 1, ada, stricter, "grace").version == 1


def test_tier_high_wants_three_people(office: Office, ada: Actor, bob: Actor, carol: Actor) -> None:
    """Author, validator and approvers are different people; a validation and a trial are asked for and bound to the bytes."""
    office.registry.register(office.packages[0], ada)
    high = policy(**HIGH, gates={"opened_test": False, "card": 0, "group_gap": None})
    with pytest.raises(GateRefusedError, match="the gate validation of tier high"):
        office.registry.approve("churn", 1, bob, "well", high)
    both = Actor("ada", ActorSource.TOKEN, ("validator",))
    with pytest.raises(NotPermittedError, match="nobody validates their own model"):
        office.registry.validate("churn", 1, both, "mine", high)
    validation = office.registry.validate("churn", 1, VERA, "fits its purpose", high)
    two_hats = Actor("vera", ActorSource.TOKEN, ("approver",))
    with pytest.raises(NotPermittedError, match="nobody both validates and approves"):
        office.registry.approve("churn", 1, two_hats, "well", high)
    office.registry.approve("churn", 1, bob, "well", high)
    with pytest.raises(WaitingForApprovalError, match="1 of 2"):
        office.registry.promote("churn", 1, ada, high, "grace")
    office.registry.approve("churn", 1, carol, "well", high)
    with pytest.raises(GateRefusedError, match=r"the gate staging of tier high.*deploy 1 --stage staging"):
        office.registry.promote("churn", 1, ada, high, "grace")
    area = StagingArea(office.workspace, "churn")
    area.enter(1, validation.digest, ada, passed=True, said="all answered")

    assert (validation.holds, validation.digest) == (True, office.packages[0].manifest.digest)
    assert office.registry.promote("churn", 1, ada, high, "grace").reason == "approved by bob, carol"


def test_a_validator_can_say_no(office: Office, ada: Actor, bob: Actor) -> None:
    """The last word counts; a validation grows old."""
    office.registry.register(office.packages[0], ada)
    rules = policy(gates={"validation": True})
    office.registry.validate("churn", 1, VERA, "leaks the future", rules, holds=False)
    with pytest.raises(GateRefusedError, match="vera: leaks the future"):
        office.registry.approve("churn", 1, bob, "well", rules)
    office.registry.validate("churn", 1, VERA, "mended in the contract", rules)

    assert office.registry.gates("churn", 1, rules, "approve").passed
    assert not later(office, 400).gates("churn", 1, rules, "approve").passed


def test_an_admin_has_no_power_to_approve(office: Office, ada: Actor) -> None:
    """Who makes tokens neither approves, validates nor breaks the glass; in tier high not even with the role."""
    office.registry.register(office.packages[0], ada)
    admin = Actor("root", ActorSource.TOKEN, ("admin",))
    acts: tuple[Callable[[], Any], ...] = (
        lambda: office.registry.approve("churn", 1, admin, "x", Policy()),
        lambda: office.registry.validate("churn", 1, admin, "x", Policy()),
        lambda: office.registry.promote("churn", 1, admin, Policy(), "grace", "hurry"),
        lambda: office.registry.review_broken_glass("churn", 1, admin, "x", Policy()),
    )
    for act in acts:
        with pytest.raises(NotPermittedError, match="root may not"):
            act()
    owner = Actor("root", ActorSource.OS_USER, ("admin", "approver"))
    with pytest.raises(NotPermittedError, match="in tier high an admin"):
        office.registry.approve("churn", 1, owner, "x", policy(**HIGH))


def test_broken_glass_is_loud_until_reviewed(office: Office, ada: Actor, bob: Actor) -> None:
    """One operator goes past the gates; decision, reason and deadline are kept, and somebody else closes it."""
    office.registry.register(office.packages[0], ada)
    deployment = office.registry.promote("churn", 1, ada, Policy(), "grace", "the old one is down")
    (broken,) = office.registry.broken_glass("churn")
    source = RegistryRollouts(
        office.workspace, Problem.model_validate({"name": "churn", "data": {"source": "x", "target": "y"}}), ada
    )
    source.current()
    (finding,) = glass_findings((broken,), dt.datetime.now(dt.UTC) + dt.timedelta(days=8))

    assert source.broken_glass == 1
    assert (finding.severity, finding.subject) == (Severity.ERROR, "churn/1")
    assert "The time for the review is over." in finding.why
    mine = Actor("Ada", ActorSource.TOKEN, ("approver",))
    with pytest.raises(NotPermittedError, match="nobody reviews the glass that they broke"):
        office.registry.review_broken_glass("churn", 1, mine, "fine", Policy())
    reviewed = office.registry.review_broken_glass("churn", 1, bob, "it was needed", Policy())

    assert deployment.reason == "break-glass: the old one is down"
    assert (broken.by, broken.skipped, broken.is_open) == ("ada", ("approvals",), True)
    assert dt.timedelta(days=6) < broken.review_by - broken.at <= dt.timedelta(days=7)
    source.current()

    assert source.broken_glass == 0
    assert glass_findings((reviewed,), dt.datetime.now(dt.UTC)) == ()
    assert (reviewed.reviewed_by, reviewed.review, reviewed.is_open) == ("bob", "it was needed", False)
    assert verify_ledger(office.workspace.ledger).ok
    with pytest.raises(StateError, match="no glass to review"):
        office.registry.review_broken_glass("churn", 1, bob, "again", Policy())


def test_glass_is_broken_only_where_a_gate_is_shut(office: Office, ada: Actor, bob: Actor) -> None:
    """With every yes there is no reason to; without an owner, a reason or the right bytes it does not help."""
    version = office.registry.register(office.packages[0], ada)
    acts: tuple[tuple[str, str, type[Exception]], ...] = (("", "why", GateRefusedError), ("grace", " ", StateError))
    for owner, reason, error in acts:
        with pytest.raises(error):
            office.registry.promote("churn", 1, ada, Policy(), owner, reason)
    office.registry.approve("churn", 1, bob, "well", Policy())
    with pytest.raises(StateError, match="no glass to break"):
        office.registry.promote("churn", 1, ada, Policy(), "grace", "hurry")
    path = office.workspace.folder("packages", version.folder) / "plan.json"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    with pytest.raises(IntegrityError):
        office.registry.promote("churn", 1, ada, policy(gates={"card": 1}), "grace", "hurry")

    assert office.registry.production("churn") is None
    assert office.registry.broken_glass("churn") == ()


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"tier": "high"}, "say why the tier is high"),
        ({"tier": "medium", "rationale": "r", "two_person": False}, "only tier low may do without a second person"),
        ({"gates": {"card": 2}}, "less than or equal to 1"),
    ],
)
def test_policies_that_make_no_sense_are_refused(stated: dict[str, Any], said: str) -> None:
    """A tier needs its reason, and only what is harmless may be decided alone."""
    with pytest.raises(ValidationError, match=said):
        policy(**stated)


def test_asking_less_is_named() -> None:
    """Less is a smaller share, a wider gap, a longer time or fewer people; more is not named."""
    less = policy(**HIGH, approvals=1, gates={"card": 0.5, "group_gap": 0.2, "approval_days": None, "review_days": 10})

    assert less.looser == ("card", "group_gap", "approvals", "approval_days")
    assert policy(approvals=3, gates={"validation": True}).looser == ()
