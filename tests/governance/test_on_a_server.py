"""The registry, rollouts and tokens on PostgreSQL: the very tests that they pass on SQLite, and what a server adds."""

import dataclasses
import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.data_room.servers import PASSWORD
from tests.governance.test_identity import (
    test_a_token_can_be_revoked,
    test_a_token_expires,
    test_a_token_names_its_owner,
    test_only_the_hash_is_stored,
)
from tests.governance.test_registry import (
    test_a_package_becomes_a_candidate,
    test_of_two_registrations_at_once_one_wins,
    test_promotion_retires_the_version_before,
    test_registering_again_changes_nothing,
    test_rejected_is_for_good,
    test_rollback_goes_back_and_not_forward,
)
from tests.governance.test_rollouts import (
    hands,
    rollouts,
    test_a_pause_within_a_step_keeps_its_counts,
    test_a_shadow_is_a_stage_of_its_own,
    test_begun_changed_and_promoted,
    test_one_process_drives_and_the_next_one_goes_on,
    test_the_ways_it_ends,
)
from tests.shared_store import databases, run

from modelyard.core import Actor, IntegrityError, StateError
from modelyard.core.actor import ActorSource
from modelyard.governance import Registry, Tokens, current_actor, verify_ledger
from modelyard.packaging import load_package
from modelyard.problem.schema import Policy
from modelyard.problem.sections import StorePlan
from modelyard.store import Ledger, Workspace, share_ledger

__all__ = [
    "hands",
    "rollouts",
    "test_a_package_becomes_a_candidate",
    "test_a_pause_within_a_step_keeps_its_counts",
    "test_a_shadow_is_a_stage_of_its_own",
    "test_a_token_can_be_revoked",
    "test_a_token_expires",
    "test_a_token_names_its_owner",
    "test_begun_changed_and_promoted",
    "test_of_two_registrations_at_once_one_wins",
    "test_one_process_drives_and_the_next_one_goes_on",
    "test_only_the_hash_is_stored",
    "test_promotion_retires_the_version_before",
    "test_registering_again_changes_nothing",
    "test_rejected_is_for_good",
    "test_rollback_goes_back_and_not_forward",
    "test_the_ways_it_ends",
]

Office = Any
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(scope="module")
def make_database() -> Iterator[Callable[[], str]]:
    """A real PostgreSQL of this module's own."""
    with databases() as make:
        yield make


@pytest.fixture
def server(make_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty database's address, as a project file would hold it."""
    monkeypatch.setenv("YARD_PASSWORD", PASSWORD)
    return make_database().replace(PASSWORD, "${YARD_PASSWORD}")


@pytest.fixture
def workspace(server: str, tmp_path: Path) -> Workspace:
    """The state of a project whose history is shared."""
    return Workspace(tmp_path, StorePlan(address=server))


@pytest.fixture
def office(built: Path, workspace: Workspace) -> Office:
    """The office of the other modules, on the server."""
    from tests.governance.conftest import Office as Rooms

    shutil.copytree(built, workspace.folder("packages"))
    load = [load_package(workspace.folder("packages", name)) for name in ("churn-1", "churn-2", "rival-1")]
    return Rooms(workspace, Registry(workspace), (load[0], load[1]), load[2])


def test_no_password_is_kept(server: str, workspace: Workspace, tmp_path: Path) -> None:
    """Neither the project's folder nor an error names it; one in the project file is refused."""
    workspace.ledger.append(Actor("ada", ActorSource.OS_USER), "thing.done", "x")

    assert PASSWORD not in workspace.ledger.where
    assert all(PASSWORD.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not (workspace.state / "ledger.db").exists()
    with pytest.raises(ValueError, match="must not hold a password"):
        StorePlan(address=server.replace("${YARD_PASSWORD}", "x1"))


def test_the_environment_wins(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MODELYARD_STORE names the store of a machine; it may be nothing but PostgreSQL."""
    monkeypatch.setenv("MODELYARD_STORE", server)

    assert "store_" in Workspace(tmp_path).ledger.where

    monkeypatch.setenv("MODELYARD_STORE", "mysql://ann:x1@host/shop")
    with pytest.raises(
        Exception, match=r"a shared store is a PostgreSQL database; got mysql://…@host/shop\."
    ) as caught:
        _ = Workspace(tmp_path).ledger

    assert "x1" not in str(caught.value)


def test_two_machines_share_a_history(office: Office, server: str, tmp_path: Path, ada: Actor) -> None:
    """What one registers the other sees; the package's files are not shared, and that is said."""
    office.registry.register(office.packages[0], ada)
    other = Workspace(tmp_path / "other", StorePlan(address=server))
    registry = Registry(other)
    (version,) = registry.versions("churn")

    assert version.digest == office.packages[0].manifest.digest
    assert (
        current_actor(other.ledger, Tokens(office.workspace.ledger, _admin()).create("bob", ["viewer"]), tmp_path).name
        == "bob"
    )
    with pytest.raises(IntegrityError, match=r"churn-1: there is no package"):
        registry.package(version)


def _admin() -> Actor:
    return Actor("root", ActorSource.OS_USER, ("admin",))


def _approve(root: str, address: str, name: str) -> None:
    registry = Registry(Workspace(Path(root), StorePlan(address=address)))
    registry.approve("churn", 1, Actor(name, ActorSource.TOKEN, ("approver",)), "read", Policy(approvals=8))


@pytest.mark.slow
def test_eight_approve_at_once(office: Office, server: str, tmp_path: Path, ada: Actor) -> None:
    """Eight processes approve the same version: eight approvals, one step to approved, and ledger and tables agree."""
    office.registry.register(office.packages[0], ada)
    workers = [
        SPAWN.Process(target=_approve, args=(str(tmp_path), server, f"approver-{number}")) for number in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)

    assert [worker.exitcode for worker in workers] == [0] * 8
    assert office.registry.version("churn", 1).stage.value == "approved"
    assert len(office.registry.approvals("churn", 1)) == 8
    assert verify_ledger(office.workspace.ledger).ok


@pytest.mark.parametrize(
    ("table", "statement", "said"),
    [
        ("model_approvals", "UPDATE model_approvals SET approver = 'eve'", "an approval of churn/1 that the ledger"),
        ("tokens", "UPDATE tokens SET roles = 'admin'", "a token of carol that the ledger does not tell"),
        ("model_stages", "DELETE FROM model_stages WHERE id = 2", "by the ledger it is"),
    ],
)
def test_a_forged_table_is_found(
    office: Office, server: str, ada: Actor, bob: Actor, policy: Policy, table: str, statement: str, said: str
) -> None:
    """Whoever owns the tables can disable their triggers; the ledger tells what they did."""
    office.registry.register(office.packages[0], ada)
    office.registry.approve("churn", 1, bob, "read", policy)
    office.registry.promote("churn", 1, ada, policy, "grace")
    Tokens(office.workspace.ledger, _admin()).create("carol", ["viewer"])
    whole = server.replace("${YARD_PASSWORD}", PASSWORD)
    trigger = f"ALTER TABLE {table} {{}} TRIGGER {table}_append_only"
    run(whole, trigger.format("DISABLE"), statement, trigger.format("ENABLE"))
    result = verify_ledger(office.workspace.ledger)

    assert office.workspace.ledger.verify().ok
    assert said in result.problem


# --- a history that comes to a server ---------------------------------------------------------------------------


@pytest.fixture
def own(built: Path, tmp_path: Path, ada: Actor, bob: Actor, policy: Policy) -> Workspace:
    """A project with a history in a file of its own: a version in production, tokens, one of them void."""
    workspace = Workspace(tmp_path)
    shutil.copytree(built, workspace.folder("packages"))
    registry = Registry(workspace)
    registry.register(load_package(workspace.folder("packages", "churn-1")), ada)
    registry.approve("churn", 1, bob, "read", policy)
    registry.promote("churn", 1, ada, policy, "grace")
    tokens = Tokens(workspace.ledger, _admin())
    tokens.create("carol", ["viewer"])
    tokens.create("dave", ["viewer"])
    tokens.revoke("dave")
    return workspace


def test_a_history_comes_to_an_empty_store(own: Workspace, server: str, ada: Actor, bob: Actor, policy: Policy) -> None:
    """Until it was brought there the project is refused; then the chain goes on, and so does the registry."""
    rows = own.ledger.rows()
    plan = StorePlan(address=server)
    with pytest.raises(StateError, match=r"history of its own, and names a shared store.*modelyard ledger share"):
        _ = Workspace(own.root, plan).ledger

    shared = share_ledger(own.state, plan)
    moved = Workspace(own.root, plan)
    registry = Registry(moved)
    registry.register(load_package(own.folder("packages", "churn-2")), ada)
    registry.approve("churn", 2, bob, "read", policy)

    assert (shared.rows, shared.is_moved, Path(shared.kept).name) == (8, True, "ledger-before-sharing.db")
    assert moved.ledger.rows()[:8] == rows
    assert [row.action for row in moved.ledger.rows()[8:]] == [
        "ledger.shared",
        "version.registered",
        "gates.passed",
        "version.approved",
    ]
    assert verify_ledger(moved.ledger).ok
    assert registry.production("churn") == Registry(moved).version("churn", 1)
    assert Ledger.open(own.state / "ledger-before-sharing.db").rows() == rows


def test_a_call_that_was_killed_is_finished(own: Workspace, server: str) -> None:
    """Brought there, but not yet put away: the next call does that, and brings nothing twice."""
    plan = StorePlan(address=server)
    content = (own.state / "ledger.db").read_bytes()
    share_ledger(own.state, plan)
    (own.state / "ledger.db").write_bytes(content)

    assert dataclasses.asdict(share_ledger(own.state, plan))["is_moved"]
    assert Workspace(own.root, plan).ledger.length() == 9
    assert verify_ledger(Workspace(own.root, plan).ledger).ok


def test_two_chains_do_not_become_one(own: Workspace, server: str, tmp_path: Path) -> None:
    """A store with a history takes no second one; a project on whose history nothing rests joins."""
    plan = StorePlan(address=server)
    Workspace(tmp_path / "first", plan).ledger.append(_admin(), "thing.done", "x")
    with pytest.raises(StateError, match="two chains cannot become one; got model_approvals"):
        share_ledger(own.state, plan)

    assert Workspace(own.root).ledger.verify().ok

    fresh = Workspace(tmp_path / "second")
    row = fresh.ledger.append(_admin(), "data.changed", "y")
    shared = share_ledger(fresh.state, plan)
    joined = Workspace(tmp_path / "second", plan).ledger

    assert (shared.rows, shared.is_moved) == (1, False)
    assert joined.rows()[-1].details == {"rows": 1, "hash": row.hash}
    assert joined.append(_admin(), "thing.done", "z").sequence == 3
    assert joined.verify().ok
