"""Whatever is done to the ledger or the tables beside it, behind the triggers' back, is found."""

import contextlib
import dataclasses
import json
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from tests.plans import plan

from modelyard.core import Actor
from modelyard.core.actor import ActorSource
from modelyard.governance import Registry, Rollouts, Tokens, verify_ledger
from modelyard.packaging import load_package
from modelyard.problem.schema import Policy
from modelyard.problem.sections import CheckpointPlan, StorePlan
from modelyard.store import Workspace
from modelyard.store.chain import row_hash
from modelyard.store.checkpoints import make_key

TABLES = (
    "ledger",
    "model_approvals",
    "model_deployments",
    "model_rollout_changes",
    "model_rollouts",
    "model_stages",
    "model_versions",
    "token_revocations",
    "tokens",
)
ADMIN = Actor("root", ActorSource.OS_USER, ("admin",))
VALUES = st.one_of(st.text(max_size=12), st.integers(-3, 99), st.none(), st.just("x'ff"), st.just('{"a":1}'))


@pytest.fixture(scope="module")
def template(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project in which something of every kind has happened, signed to its last row."""
    root = tmp_path_factory.mktemp("tampered")
    make_key(root / "signing.pem")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODELYARD_SIGNING_KEY", str(root / "signing.pem"))
        workspace = workspace_in(root)
        shutil.copytree(built, workspace.folder("packages"))
        registry, policy = Registry(workspace), Policy()
        ada = Actor("ada", ActorSource.OS_USER, ("developer", "operator"))
        bob = Actor("bob", ActorSource.TOKEN, ("approver",))
        for number in (1, 2):
            registry.register(load_package(workspace.folder("packages", f"churn-{number}")), ada)
            registry.approve("churn", number, bob, "looks well", policy)
        registry.promote("churn", 1, ada, policy, "grace")
        rollouts = Rollouts(workspace, "churn")
        rollouts.begin(2, plan(), ada, policy, "grace")
        rollouts.resume(ada, policy)
        rollouts.abort(ada, "complaints")
        registry.promote("churn", 2, ada, policy, "grace")
        registry.rollback("churn", ada, "complaints")
        tokens = Tokens(workspace.ledger, ADMIN)
        for owner in ("carol", "dave", "erin"):
            tokens.create(owner, ["viewer"])
        tokens.revoke("dave")
        workspace.ledger.checkpoint()
        assert verify_ledger(workspace.ledger).ok
        yield root


def workspace_in(root: Path) -> Workspace:
    """The project's state; its checkpoints lie elsewhere."""
    return Workspace(root, StorePlan(checkpoints=CheckpointPlan(to=("elsewhere/checkpoints",), rows=1000)))


@dataclasses.dataclass
class Forger:
    """Somebody who may write every file of the project, but has no key."""

    place: Path
    draw: Any

    def __post_init__(self) -> None:
        self.sql = sqlite3.connect(self.place, isolation_level=None)
        self.sql.text_factory = bytes
        self.triggers = self.sql.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in self.triggers:
            self.sql.execute(f"DROP TRIGGER {name.decode()}")
        self.table = self.draw(st.sampled_from(TABLES))
        self.columns = [row[1].decode() for row in self.sql.execute(f"PRAGMA table_info({self.table})")]

    def rows(self) -> list[tuple[Any, ...]]:
        """What the table holds."""
        return self.sql.execute(f"SELECT * FROM {self.table} ORDER BY rowid").fetchall()

    def edit(self) -> None:
        """Another value in a cell."""
        column = self.draw(st.sampled_from(self.columns))
        row = self.draw(st.sampled_from([row[0] for row in self.sql.execute(f"SELECT rowid FROM {self.table}")]))
        value = self.draw(st.sampled_from([0, 1]) if column == "waits" else VALUES)
        self.sql.execute(f"UPDATE OR IGNORE {self.table} SET {column} = ? WHERE rowid = ?", (value, row))

    def delete(self) -> None:
        """Some rows less; the head is set back where it can be."""
        ids = [row[0] for row in self.sql.execute(f"SELECT rowid FROM {self.table}")]
        gone = self.draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))
        self.sql.execute(f"DELETE FROM {self.table} WHERE rowid IN ({', '.join(map(str, gone))})")

    def swap(self) -> None:
        """Two rows change places, or everything but their keys does."""
        ids = [row[0] for row in self.sql.execute(f"SELECT rowid FROM {self.table}")]
        assume(len(ids) > 1)
        first, second = self.draw(st.lists(st.sampled_from(ids), min_size=2, max_size=2, unique=True))
        for source, target in ((first, -1), (second, first), (-1, second)):
            self.sql.execute(f"UPDATE OR IGNORE {self.table} SET rowid = ? WHERE rowid = ?", (target, source))

    def double(self) -> None:
        """A copy of a row at the end."""
        rows = self.rows()
        row = list(self.draw(st.sampled_from(rows)))
        row[0] = len(rows) + 1 if isinstance(row[0], int) else row[0] + b"x"
        marks = ", ".join("?" for _ in row)
        texts = [item.decode() if isinstance(item, bytes) else item for item in row]
        self.sql.execute(f"INSERT OR IGNORE INTO {self.table} VALUES ({marks})", texts)

    def rewrite(self) -> None:
        """The ledger from a row on, with hashes that fit, and a tail that is as long or shorter."""
        self.table, self.columns = "ledger", [row[1].decode() for row in self.sql.execute("PRAGMA table_info(ledger)")]
        rows = [dict(zip(self.columns, self._texts(row), strict=True)) for row in self.rows()]
        begin = self.draw(st.integers(0, len(rows) - 1))
        end = self.draw(st.integers(begin, len(rows)))
        self.sql.execute("DELETE FROM ledger WHERE sequence > ?", (begin,))
        previous = rows[begin - 1]["hash"] if begin else "0" * 64
        for row in rows[begin:end]:
            row |= {"actor": "eve", "previous": previous}
            previous = row["hash"] = row_hash({**row, "details": json.loads(row["details"])})
            self.sql.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", tuple(row.values()))

    def leave(self) -> None:
        """Triggers and head file look as if nothing had happened."""
        for _, statement in self.triggers:
            self.sql.execute(statement.decode())
        last = self.sql.execute("SELECT sequence, hash FROM ledger ORDER BY sequence DESC LIMIT 1").fetchone()
        if last and isinstance(last[1], bytes):
            content = {"sequence": last[0], "hash": last[1].decode()}
            self.place.with_suffix(".head").write_text(json.dumps(content), encoding="utf-8")
        self.sql.close()

    @staticmethod
    def _texts(row: Sequence[Any]) -> list[Any]:
        return [item.decode() if isinstance(item, bytes) else item for item in row]


@settings(
    max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(data=st.data())
def test_no_tampering_goes_unnoticed(
    template: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Property: any cell, any rows deleted, swapped or doubled in any table, any rewriting of the chain with fitting hashes."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(template / "elsewhere", root / "elsewhere")
    (root / ".modelyard").mkdir()
    for name in ("ledger.db", "ledger.head"):
        shutil.copy(template / ".modelyard" / name, root / ".modelyard" / name)
    place = root / ".modelyard" / "ledger.db"
    forger = Forger(place, data.draw)
    before = {table: forger.sql.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall() for table in TABLES}
    with contextlib.suppress(sqlite3.IntegrityError):  # SQLite itself takes no such value
        getattr(forger, data.draw(st.sampled_from(["edit", "delete", "swap", "double", "rewrite"])))()
    after = {table: forger.sql.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall() for table in TABLES}
    forger.leave()
    # Tables that are looked up by their key alone have no order that could be tampered with.
    assume(any(sorted(map(repr, after[table])) != sorted(map(repr, before[table])) for table in TABLES))
    found = verify_ledger(workspace_in(root).ledger)
    shutil.rmtree(root)

    assert not found.ok, (forger.table, after)
    assert found.problem


def test_every_table_is_tampered_with(template: Path) -> None:
    """The template has rows in every table, so that each is tampered with."""
    with sqlite3.connect(template / ".modelyard" / "ledger.db") as connection:
        counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES]
    connection.close()

    assert min(counts) >= 1
