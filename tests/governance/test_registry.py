import datetime as dt
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.governance.conftest import promoted

from modelyard.core import (
    Actor,
    GateRefusedError,
    IntegrityError,
    ModelyardError,
    NotPermittedError,
    StateError,
    WaitingForApprovalError,
)
from modelyard.core.actor import ActorSource
from modelyard.governance import Deployment, Registry, Stage, create_token, current_actor
from modelyard.governance.history import earlier_version
from modelyard.packaging import Package, load_package
from modelyard.problem.schema import Policy

Office = Any


def test_a_package_becomes_a_candidate(office: Office, ada: Actor) -> None:
    """The version holds digest, author and requester, and the ledger has a row in the same transaction."""
    version = office.registry.register(office.packages[0], ada)
    (row,) = office.workspace.ledger.rows(action="version.registered")

    assert (version.name, version.version, version.stage) == ("churn", 1, Stage.CANDIDATE)
    assert (version.author, version.requested_by, version.approvals) == ("ada", "ada", 0)
    assert version.digest == office.packages[0].manifest.digest == row.details["digest"]
    assert version.created_at == row.at
    assert office.registry.version("churn", 1) == version
    assert office.registry.next_version("churn") == 2
    assert office.registry.production("churn") is None


def test_registering_again_changes_nothing(office: Office, ada: Actor) -> None:
    """The same package has one version and one ledger row."""
    first = office.registry.register(office.packages[0], ada)

    assert office.registry.register(office.packages[0], ada) == first
    assert len(office.registry.versions()) == 1
    assert len(office.workspace.ledger.rows(action="version.registered")) == 1


def test_a_number_is_given_once(office: Office, ada: Actor) -> None:
    """A package built for a number that is taken, or not due yet, is refused."""
    with pytest.raises(StateError, match="the next version is 1"):
        office.registry.register(office.packages[1], ada)
    office.registry.register(office.packages[0], ada)
    with pytest.raises(StateError, match="the next version is 2, but the package was built as version 1"):
        office.registry.register(office.rival, ada)


def test_a_package_from_elsewhere_is_refused(office: Office, ada: Actor, tmp_path: Path) -> None:
    """What lies outside the project's packages could not be found again."""
    shutil.copytree(office.packages[0].folder, tmp_path / "elsewhere")
    with pytest.raises(StateError, match="does not lie among the project's packages"):
        office.registry.register(load_package(tmp_path / "elsewhere"), ada)


def test_of_two_registrations_at_once_one_wins(office: Office, ada: Actor) -> None:
    """Two packages for one number, in four threads: one version, and the others are told or find it registered."""
    outcomes: list[str] = []

    def register(package: Package) -> None:
        try:
            version = Registry(office.workspace).register(package, ada)
            outcomes.append(version.folder)
        except ModelyardError as error:
            outcomes.append(type(error).__name__)

    packages = [office.packages[0], office.rival] * 2
    threads = [threading.Thread(target=register, args=(package,)) for package in packages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (version,) = office.registry.versions("churn")

    assert sorted(outcomes) == sorted([version.folder] * 2 + ["StateError"] * 2)
    assert office.workspace.ledger.verify().ok


def test_nobody_approves_their_own_model(office: Office, ada: Actor, policy: Policy) -> None:
    """Neither author nor requester may approve, by OS user or by token, in any spelling; without the rule they may."""
    requester = Actor("dan", ActorSource.OS_USER, ("developer", "approver"))
    office.registry.register(office.packages[0], requester)
    for name, source in (("ada", ActorSource.OS_USER), ("Ada", ActorSource.TOKEN), ("dan", ActorSource.TOKEN)):
        with pytest.raises(NotPermittedError, match="nobody approves their own model"):
            office.registry.approve("churn", 1, Actor(name, source, ("admin", "approver")), "mine", policy)
    alone = policy.model_copy(update={"two_person": False})
    admin = Actor("ada", ActorSource.OS_USER, ("admin", "approver"))

    assert office.registry.approve("churn", 1, admin, "I am alone", alone).stage is Stage.APPROVED


def test_own_approval_stops_counting_when_the_rule_comes(
    office: Office, ada: Actor, bob: Actor, policy: Policy
) -> None:
    """An approval of one's own, given without the rule, does not open production under the rule; another's does."""
    office.registry.register(office.packages[0], ada)
    admin = Actor("ada", ActorSource.OS_USER, ("admin", "approver"))
    office.registry.approve("churn", 1, admin, "I am alone", policy.model_copy(update={"two_person": False}))
    with pytest.raises(WaitingForApprovalError, match="0 of 1 approvals"):
        office.registry.promote("churn", 1, admin, policy, "ada")
    office.registry.approve("churn", 1, bob, "well made", policy)

    assert office.registry.promote("churn", 1, admin, policy, "ada").reason == f"approved by {bob.name}"


def test_the_two_person_rule_with_real_identities(office: Office, policy: Policy) -> None:
    """The OS user registers and may not approve; the owner of a token that they made may."""
    ledger, root = office.workspace.ledger, office.workspace.root
    me = current_actor(ledger, None, root)
    office.registry.register(office.packages[0], me)
    token = create_token(ledger, "validator-bob", ("approver",), me)
    bob = current_actor(ledger, token, root)
    with pytest.raises(NotPermittedError):
        office.registry.approve("churn", 1, me, "mine", policy)

    assert (bob.name, bob.source) == ("validator-bob", ActorSource.TOKEN)
    assert office.registry.approve("churn", 1, bob, "well made", policy).stage is Stage.APPROVED
    assert office.workspace.ledger.rows(action="version.approved")[0].actor_source == "token"


def test_approvals_bind_to_the_digest(office: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """The approval holds the package's digest, approver, reason and time."""
    office.registry.register(office.packages[0], ada)
    office.registry.approve("churn", 1, bob, "looks well", policy)
    (approval,) = office.registry.approvals("churn", 1)
    (row,) = office.workspace.ledger.rows(action="version.approved")

    assert approval.digest == office.packages[0].manifest.digest
    assert (approval.approver, approval.reason, approval.at) == ("bob", "looks well", row.at)


@pytest.mark.parametrize("name", ["plan.json", "card.md", "manifest.json", "reference.json"])
def test_a_changed_byte_voids_everything(office: Office, ada: Actor, bob: Actor, policy: Policy, name: str) -> None:
    """After one byte of the package changed it is neither registered, approved, promoted nor handed out."""
    version = office.registry.register(office.packages[0], ada)
    office.registry.approve("churn", 1, bob, "looks well", policy)
    path = office.packages[0].folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(bytes(content))
    acts: tuple[Callable[[], Any], ...] = (
        lambda: office.registry.promote("churn", 1, ada, policy, "grace"),
        lambda: office.registry.approve(
            "churn", 1, Actor("eve", ActorSource.TOKEN, ("admin", "approver")), "x", Policy(approvals=2)
        ),
        lambda: office.registry.package(version),
        lambda: office.registry.register(office.packages[0], ada),
    )
    for act in acts:
        with pytest.raises(IntegrityError):
            act()

    assert office.registry.production("churn") is None
    assert office.registry.version("churn", 1).stage is Stage.APPROVED


def test_another_whole_package_in_the_folder_is_found(office: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """A valid package put in the place of the approved one is not the one that was registered."""
    office.registry.register(office.packages[0], ada)
    office.registry.approve("churn", 1, bob, "looks well", policy)
    shutil.rmtree(office.packages[0].folder)
    shutil.copytree(office.rival.folder, office.packages[0].folder)
    with pytest.raises(IntegrityError, match="not the one that was registered"):
        office.registry.promote("churn", 1, ada, policy, "grace")


def test_without_approval_promotion_waits(office: Office, ada: Actor, bob: Actor, carol: Actor) -> None:
    """Exit code 4 until the last of two approvals; one person approves once."""
    two = Policy(approvals=2)
    office.registry.register(office.packages[0], ada)
    with pytest.raises(WaitingForApprovalError, match="0 of 2 approvals") as caught:
        office.registry.promote("churn", 1, ada, two, "grace")

    assert caught.value.exit_code == 4

    assert office.registry.approve("churn", 1, bob, "well", two).stage is Stage.CANDIDATE
    with pytest.raises(StateError, match="approved it already"):
        office.registry.approve("churn", 1, bob, "well again", two)
    with pytest.raises(WaitingForApprovalError, match="1 of 2"):
        office.registry.promote("churn", 1, ada, two, "grace")

    assert office.registry.approve("churn", 1, carol, "well", two).stage is Stage.APPROVED
    assert office.registry.promote("churn", 1, ada, two, "grace").version == 1


def test_a_stricter_policy_asks_for_more(office: Office, ada: Actor, bob: Actor, carol: Actor, policy: Policy) -> None:
    """A version approved under one approval waits again under two, and takes the second."""
    two = Policy(approvals=2)
    office.registry.register(office.packages[0], ada)
    office.registry.approve("churn", 1, bob, "well", policy)
    with pytest.raises(WaitingForApprovalError, match="1 of 2"):
        office.registry.promote("churn", 1, ada, two, "grace")
    office.registry.approve("churn", 1, carol, "well", two)

    assert office.registry.promote("churn", 1, ada, two, "grace").kind == "promote"


def test_no_owner_no_production(office: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """A model that nobody answers for is refused by a gate."""
    office.registry.register(office.packages[0], ada)
    office.registry.approve("churn", 1, bob, "well", policy)
    with pytest.raises(GateRefusedError, match="without an owner") as caught:
        office.registry.promote("churn", 1, ada, policy, " ")

    assert caught.value.exit_code == 3


def test_promotion_retires_the_version_before(office: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """One version is in production at a time, and the log is in order."""
    registry = promoted(office, ada, bob, policy)

    assert [item.stage for item in registry.versions("churn")] == [Stage.RETIRED, Stage.PRODUCTION]
    assert [(item.kind, item.version) for item in registry.deployments("churn")] == [("promote", 1), ("promote", 2)]
    assert office.workspace.ledger.rows(action="version.promoted")[1].details["before"] == 1


def test_promoting_again_changes_nothing(office: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """Whoever does not know whether the first call came through may repeat it."""
    registry = promoted(office, ada, bob, policy)
    rows = office.workspace.ledger.verify().rows
    again = registry.promote("churn", 2, ada, policy, "Grace")

    assert again == registry.deployments("churn")[-1]
    assert (again.version, office.workspace.ledger.verify().rows) == (2, rows)


def test_rollback_goes_back_and_not_forward(office: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """After a rollback a second one finds nothing earlier; a promotion brings the retired version forward again."""
    registry = promoted(office, ada, bob, policy)
    deployment = registry.rollback("churn", ada, "complaints")

    assert (deployment.kind, deployment.version, deployment.reason) == ("rollback", 1, "complaints")
    assert [item.stage for item in registry.versions("churn")] == [Stage.PRODUCTION, Stage.RETIRED]
    with pytest.raises(StateError, match="no earlier version"):
        registry.rollback("churn", ada, "again")

    assert registry.promote("churn", 2, ada, policy, "grace").version == 2
    assert registry.rollback("churn", ada, "again").version == 1


def test_rollback_verifies_the_earlier_package(office: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """A rollback to a damaged package is refused, and production stays as it is."""
    registry = promoted(office, ada, bob, policy)
    (office.packages[0].folder / "plan.json").unlink()
    with pytest.raises(IntegrityError):
        registry.rollback("churn", ada, "complaints")
    present = registry.production("churn")

    assert present is not None
    assert present.version == 2
    assert len(registry.deployments("churn")) == 2


def test_nothing_to_roll_back(office: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """Without a reason, without any deployment and with one only, a rollback is refused."""
    with pytest.raises(StateError, match="no earlier version"):
        office.registry.rollback("churn", ada, "why not")
    registry = promoted(office, ada, bob, policy, count=1)
    with pytest.raises(StateError, match="no earlier version"):
        registry.rollback("churn", ada, "why not")
    with pytest.raises(StateError, match="a reason is needed"):
        registry.rollback("churn", ada, "")


@pytest.mark.parametrize(
    ("log", "earlier"),
    [
        ("", None),
        ("1", None),
        ("12", 1),
        ("123", 2),
        ("123r", 1),
        ("123rr", None),
        ("12r2", 1),
        ("12r3", 1),
        ("121", 2),
    ],
)
def test_the_log_says_what_was_before(log: str, earlier: int | None) -> None:
    """Digits are promotions, r is a rollback."""
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    deployments = [
        Deployment("m", 0 if step == "r" else int(step), "", "rollback" if step == "r" else "promote", "a", "", moment)
        for step in log
    ]

    assert earlier_version(deployments) == earlier


def test_rejected_is_for_good(office: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """A rejected version can be neither approved, promoted nor rejected again; one in production not rejected."""
    office.registry.register(office.packages[0], ada)
    with pytest.raises(StateError, match="a reason is needed"):
        office.registry.reject("churn", 1, bob, " ")

    assert office.registry.reject("churn", 1, bob, "biased").stage is Stage.REJECTED
    acts: tuple[Callable[[], Any], ...] = (
        lambda: office.registry.approve("churn", 1, bob, "well", policy),
        lambda: office.registry.promote("churn", 1, ada, policy, "grace"),
        lambda: office.registry.reject("churn", 1, bob, "again"),
    )
    for act in acts:
        with pytest.raises(StateError, match="a version that is rejected cannot become"):
            act()
    office.registry.register(office.packages[1], ada)
    office.registry.approve("churn", 2, bob, "well", policy)
    office.registry.promote("churn", 2, ada, policy, "grace")
    with pytest.raises(StateError, match="production cannot become rejected"):
        office.registry.reject("churn", 2, bob, "too late")


def test_unknown_versions_are_named(office: Office, ada: Actor, bob: Actor, policy: Policy) -> None:
    """The error lists the versions that exist."""
    office.registry.register(office.packages[0], ada)
    with pytest.raises(StateError, match="Versions of churn: 1"):
        office.registry.approve("churn", 7, bob, "well", policy)
    with pytest.raises(StateError, match="none"):
        office.registry.version("nobody", 1)


def test_each_verb_asks_for_its_role(office: Office, ada: Actor, policy: Policy) -> None:
    """A viewer may read everything and change nothing."""
    office.registry.register(office.packages[0], ada)
    viewer = Actor("vic", ActorSource.OS_USER, ("viewer",))
    rows = office.workspace.ledger.rows()
    acts: tuple[Callable[[], Any], ...] = (
        lambda: office.registry.register(office.packages[0], viewer),
        lambda: office.registry.approve("churn", 1, viewer, "x", policy),
        lambda: office.registry.reject("churn", 1, viewer, "x"),
        lambda: office.registry.promote("churn", 1, viewer, policy, "grace"),
        lambda: office.registry.rollback("churn", viewer, "x"),
    )
    for act in acts:
        with pytest.raises(NotPermittedError, match="vic may not"):
            act()

    assert office.workspace.ledger.rows() == rows


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("model_versions", "name"),
        ("model_stages", "stage"),
        ("model_approvals", "approver"),
        ("model_deployments", "kind"),
    ],
)
def test_the_registry_cannot_be_edited(
    office: Office, ada: Actor, bob: Actor, policy: Policy, table: str, key: str
) -> None:
    """Update, delete and replacement are refused in every table."""
    promoted(office, ada, bob, policy)
    connection = sqlite3.connect(office.workspace.state / "ledger.db")
    for statement in (
        f"UPDATE {table} SET {key} = 'x'",
        f"DELETE FROM {table}",
        f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            connection.execute(statement)
    connection.close()

    assert office.workspace.ledger.verify().ok
