"""A store that an earlier release made is brought to the form of today, verified and used; one of a later release is refused."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.shared_store import databases, rows_of, run

from modelyard.core import Actor, MissingExtraError, StateError
from modelyard.core.actor import ActorSource
from modelyard.governance import Registry, Tokens, verify_ledger
from modelyard.store import Ledger, Workspace
from modelyard.store.tables import metadata

STORES = Path(__file__).parents[1] / "data" / "stores"
ADA = Actor("ada", ActorSource.OS_USER, ("admin",))


@pytest.fixture
def old(tmp_path: Path) -> Workspace:
    """A project whose ledger the first release made."""
    state = tmp_path / ".modelyard"
    state.mkdir()
    for ending in ("db", "head"):
        shutil.copy(STORES / f"first-release.{ending}", state / f"ledger.{ending}")
    return Workspace(tmp_path)


@pytest.fixture(scope="module")
def make_database() -> Iterator[Callable[[], str]]:
    """A real PostgreSQL of this module's own."""
    with databases() as make:
        yield make


def test_the_first_release_is_brought_along(old: Workspace) -> None:
    """Its rows are untouched, a row says what was done, everything verifies, and the registry goes on."""
    ledger = old.ledger
    rows = ledger.rows()
    registry = Registry(old)

    assert [(row.sequence, row.action) for row in rows[-2:]] == [(14, "token.created"), (15, "store.upgraded")]
    assert rows[-1].details == {"from": "0001", "to": "0003"}
    assert verify_ledger(ledger).ok
    assert [(item.version, item.stage.value) for item in registry.versions("churn")] == [
        (1, "production"),
        (2, "retired"),
    ]
    assert Tokens(ledger, ADA).revoke("meier") == 1
    assert verify_ledger(ledger).ok
    assert Ledger.open(old.state / "ledger.db").length() == 16


def test_the_upgraded_store_refuses_what_the_old_one_let_pass(old: Workspace) -> None:
    """INSERT OR REPLACE got past the first release's triggers on tables beside the ledger."""
    old.ledger.length()
    connection = sqlite3.connect(old.state / "ledger.db")
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        connection.execute(
            "INSERT OR REPLACE INTO model_deployments SELECT id, name, 2, digest, kind, actor, reason, at "
            "FROM model_deployments WHERE id = 3"
        )
    connection.close()


def test_tampering_with_the_old_store_is_not_healed(old: Workspace) -> None:
    """A row that was changed before the upgrade is found after it."""
    with sqlite3.connect(old.state / "ledger.db") as connection:
        connection.execute("DROP TRIGGER ledger_no_update")
        connection.execute("UPDATE ledger SET actor = 'eve' WHERE sequence = 5")
    connection.close()
    found = verify_ledger(old.ledger)

    assert (found.ok, found.first_bad_sequence) == (False, 5)


def test_a_failed_upgrade_leaves_the_store_as_it_was(old: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Alembic it is said what to install, and nothing was changed; afterwards it goes on."""
    content = (old.state / "ledger.db").read_bytes()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "alembic", None)
        with pytest.raises(MissingExtraError, match=r"modelyard\[migrations\]"):
            _ = old.ledger

    assert (old.state / "ledger.db").read_bytes()[100:] == content[100:]
    assert verify_ledger(Workspace(old.root).ledger).ok


CHANGES_IN_PLACE = {"model_rollout_leases", "schedule_jobs", "schedule_leases"}
"""Leases and the marks of jobs, of which nobody needs a history."""

SERVERS_HAD = {
    "ledger",
    "model_approvals",
    "model_deployments",
    "model_rollout_changes",
    "model_rollout_leases",
    "model_rollouts",
    "model_stages",
    "model_versions",
    "token_revocations",
    "tokens",
}
"""The tables of the last release without triggers on PostgreSQL; newer ones are made with theirs."""


def test_a_server_without_triggers_gets_them(make_database: Callable[[], str]) -> None:
    """Earlier releases made no triggers on PostgreSQL, and left no revision."""
    address = make_database()
    engine = sa.create_engine(address, poolclass=sa.NullPool)
    Ledger.open(address).append(ADA, "thing.done", "x")
    run(
        address,
        "DROP FUNCTION modelyard_never_changed CASCADE",
        "DROP FUNCTION modelyard_next_of_ledger CASCADE",
        "DROP TABLE alembic_version",
        *(f"DROP TABLE {table}" for table in sorted(set(metadata.tables) - SERVERS_HAD)),
    )
    ledger = Ledger.open(address)

    assert [row.action for row in ledger.rows()] == ["thing.done", "store.upgraded"]
    assert verify_ledger(ledger).ok
    assert rows_of(address, "SELECT version_num FROM alembic_version") == [("0003",)]
    assert set(metadata.tables) <= set(sa.inspect(engine).get_table_names())
    for table in sorted(metadata.tables):
        if table not in CHANGES_IN_PLACE:
            with pytest.raises(sa.exc.IntegrityError, match="never changed"):
                run(address, f"DELETE FROM {table}")


def test_two_who_upgrade_at_once(old: Workspace) -> None:
    """The second finds the work done; there is one row about it."""
    script = "import sys; from modelyard.store import Ledger; from modelyard.governance import Registry; Ledger.open(sys.argv[1])"
    place = str(old.state / "ledger.db")
    workers = [subprocess.Popen([sys.executable, "-c", script, place]) for _ in range(2)]

    assert [worker.wait(120) for worker in workers] == [0, 0]
    assert len(old.ledger.rows(action="store.upgraded")) == 1
    assert verify_ledger(old.ledger).ok


def test_a_store_of_a_later_release_is_refused(old: Workspace) -> None:
    """Nothing is read from it, and nothing written; the sentence says what to install."""
    with sqlite3.connect(old.state / "ledger.db") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES ('0042')")
    connection.close()
    with pytest.raises(StateError, match=r"a later release .* revision 0042.*pip install --upgrade modelyard"):
        _ = old.ledger


def test_a_new_store_needs_no_alembic(tmp_path: Path) -> None:
    """It is imported when there is something to do, and not before."""
    script = (
        "import sys; from modelyard.store import Workspace; from modelyard.governance import Registry; from pathlib import Path\n"
        "Registry(Workspace(Path(sys.argv[1]))); print('alembic' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )

    assert result.stdout.strip() == "False"
