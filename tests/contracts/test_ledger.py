"""What a ledger promises, on each database that it may lie in."""

import contextlib
import json
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.shared_store import Wire, databases, rows_of, run

from modelyard.core import Actor, LockedError, StateError, UndoneError
from modelyard.core.actor import ActorSource
from modelyard.store import Ledger, Verification, repeated
from modelyard.store.database import attempts, errors

ADA = Actor("ada", ActorSource.OS_USER, ("admin",))
SPAWN = multiprocessing.get_context("spawn")
Make = Callable[[], str]


@pytest.fixture(scope="module")
def make_database() -> Iterator[Make]:
    """A real PostgreSQL of this module's own."""
    with databases() as make:
        yield make


@pytest.fixture
def server(make_database: Make) -> str:
    """Whole address of an empty database."""
    return make_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    return str(request.getfixturevalue("server"))


def opened(address: str, tmp_path: Path) -> Ledger:
    """A ledger with the head file of this machine."""
    return Ledger.open(address, head=tmp_path / "ledger.head")


def fill(ledger: Ledger, rows: int = 5) -> None:
    """Some rows."""
    for number in range(rows):
        ledger.append(ADA, "thing.done", f"thing-{number}", {"number": number, "text": "ü \u2028"})


def test_rows_come_back_and_are_chained(address: str, tmp_path: Path) -> None:
    """What was said is read back; filters, counts and the export agree; the chain holds."""
    ledger = opened(address, tmp_path)
    fill(ledger)
    rows = ledger.rows()
    written = ledger.export(tmp_path / "ledger.jsonl")
    lines = (tmp_path / "ledger.jsonl").read_text(encoding="utf-8").split("\n")[:-1]

    assert [row.sequence for row in rows] == [1, 2, 3, 4, 5]
    assert [row.previous for row in rows] == ["0" * 64, *(row.hash for row in rows[:-1])]
    assert rows[3].details == {"number": 3, "text": "ü \u2028"}
    assert [row.sequence for row in ledger.rows(subject="thing-1")] == [2]
    assert ledger.count("thing.done", "thing-1") == 1
    assert (written, [json.loads(line) for line in lines]) == (5, [row.to_dict() for row in rows])
    assert Ledger.open(address).verify() == Verification(ok=True, rows=5)


def test_a_failed_block_leaves_nothing(address: str, tmp_path: Path) -> None:
    """An error undoes rows and changes beside them."""
    ledger = opened(address, tmp_path)

    def fail() -> None:
        with ledger.transaction() as transaction:
            transaction.append(ADA, "thing.done", "never")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    fill(ledger, 1)

    assert [row.subject for row in ledger.rows()] == ["thing-0"]
    assert ledger.verify().ok


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET actor = 'eve'",
        "DELETE FROM ledger WHERE sequence = 5",
        (
            "INSERT INTO ledger SELECT sequence + 9, at, actor, actor_source, action, subject, details, previous, hash "
            "FROM ledger WHERE sequence = 2"
        ),
        "INSERT INTO ledger SELECT * FROM ledger WHERE sequence = 2 ON CONFLICT (sequence) DO UPDATE SET actor = 'eve'",
        "TRUNCATE ledger",
    ],
)
def test_the_database_itself_refuses_changes(address: str, tmp_path: Path, statement: str) -> None:
    """Triggers stop update, deletion, gaps, replacement and truncation; the ledger stays as it was."""
    ledger = opened(address, tmp_path)
    fill(ledger)
    if statement.startswith("TRUNCATE") and address.startswith("sqlite"):
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(sa.exc.IntegrityError, match="never changed"):
        run(address, statement)

    assert ledger.verify() == Verification(ok=True, rows=5)


def test_a_cut_off_tail_is_found(address: str, tmp_path: Path) -> None:
    """Rows that an owner of the tables removes behind the triggers' back; nothing more is appended."""
    ledger = opened(address, tmp_path)
    fill(ledger)
    if address.startswith("sqlite"):
        drop, restore = "DROP TRIGGER ledger_no_delete", [sql for (sql,) in _trigger(address, "ledger_no_delete")]
    else:
        drop, restore = "ALTER TABLE ledger DISABLE TRIGGER ALL", ["ALTER TABLE ledger ENABLE TRIGGER ALL"]
    run(address, drop, "DELETE FROM ledger WHERE sequence > 3")

    assert "was cut off: it had 5 rows, 3 are left" in ledger.verify().problem

    run(address, *restore)

    assert ledger.verify().first_bad_sequence == 4
    with pytest.raises(Exception, match="cut off"):
        ledger.append(ADA, "thing.done", "x")


def _trigger(address: str, name: str) -> list[tuple[str]]:
    return [(str(sql),) for (sql,) in rows_of(address, f"SELECT sql FROM sqlite_master WHERE name = '{name}'")]


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER TABLE ledger DISABLE TRIGGER ledger_append_only", "ledger_append_only"),
        ("DROP TRIGGER ledger_next_only ON ledger", "ledger_next_only"),
        (
            (
                "CREATE OR REPLACE FUNCTION modelyard_never_changed() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RETURN NULL; END $$"
            ),
            "ledger_append_only",
        ),
    ],
)
def test_triggers_that_are_gone_are_found_on_a_server(server: str, tmp_path: Path, statement: str, named: str) -> None:
    """Disabled, dropped, or calling a function that lets everything pass."""
    ledger = opened(server, tmp_path)
    fill(ledger, 1)
    run(server, statement)

    assert named in ledger.verify().problem


def _append_many(address: str, name: str, count: int) -> None:
    ledger = Ledger.open(address)
    for number in range(count):
        ledger.append(Actor(name, ActorSource.OS_USER), "thing.done", f"{name}-{number}")


@pytest.mark.parametrize("kind", [pytest.param("sqlite", marks=pytest.mark.slow), "postgresql"])
def test_eight_processes_append_at_once(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """They make the tables together and append 10 rows each: 80 rows in one chain, nothing lost, nothing twice."""
    address = f"sqlite:///{tmp_path / 'ledger.db'}" if kind == "sqlite" else str(request.getfixturevalue("server"))
    workers = [SPAWN.Process(target=_append_many, args=(address, f"worker-{number}", 10)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    ledger = opened(address, tmp_path)

    assert [worker.exitcode for worker in workers] == [0] * 8
    assert ledger.verify() == Verification(ok=True, rows=80)
    assert len({row.subject for row in ledger.rows()}) == 80


def test_a_locked_ledger_says_so(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody else writes, an append waits, then gives up; reading and verifying go on."""
    monkeypatch.setattr(errors, "BUSY_TIMEOUT_S", 0.2)
    ledger, other = opened(address, tmp_path), Ledger.open(address)
    fill(ledger, 2)
    with other.transaction() as transaction:
        transaction.append(ADA, "thing.done", "theirs")
        with pytest.raises(LockedError, match="another process has been writing") as caught:
            ledger.append(ADA, "thing.done", "mine")

        assert not isinstance(caught.value, UndoneError)
        assert ledger.verify() == Verification(ok=True, rows=2)
    assert ledger.append(ADA, "thing.done", "mine").sequence == 4


def test_a_reader_sees_one_moment(address: str, tmp_path: Path) -> None:
    """What others commit while a connection reads is not seen on it."""
    ledger = opened(address, tmp_path)
    fill(ledger, 2)
    with ledger.reading() as connection:
        query = sa.text("SELECT count(*) FROM ledger")
        before = connection.execute(query).scalar_one()
        ledger.append(ADA, "thing.done", "x")

        assert (before, connection.execute(query).scalar_one()) == (2, 2)
    assert ledger.length() == 3


def test_a_machine_that_comes_new_begins_with_what_it_finds(server: str, tmp_path: Path) -> None:
    """On a server each machine has a head of its own; from its first write on it notices a cut."""
    fill(opened(server, tmp_path / "first"), 3)
    second = opened(server, tmp_path / "second")

    assert second.verify().ok

    second.append(ADA, "thing.done", "x")
    run(server, "ALTER TABLE ledger DISABLE TRIGGER ALL", "DELETE FROM ledger WHERE sequence > 1")

    assert "it had 4 rows, 1 are left" in second.verify().problem
    assert "it had 3 rows, 1 are left" in opened(server, tmp_path / "first").verify().problem


# --- a server that is not always there --------------------------------------------------------------------------


@pytest.fixture
def wire(server: str) -> Iterator[Wire]:
    """A way to the server that can be cut; the tables are made."""
    Ledger.open(server)
    wire = Wire(server)
    yield wire
    wire.close()


@pytest.mark.parametrize("is_delivered", [True, False])
def test_a_connection_lost_at_the_commit(wire: Wire, tmp_path: Path, is_delivered: bool) -> None:
    """Whether the server had the COMMIT or not: the row is there once, and the call succeeds."""
    ledger = opened(wire.address, tmp_path)
    fill(ledger, 2)
    wire.cut(b"COMMIT", is_delivered=is_delivered)
    row = ledger.append(ADA, "thing.done", "last")

    assert wire.cut_at is None
    assert [item.subject for item in ledger.rows()] == ["thing-0", "thing-1", "last"]
    assert row == ledger.rows()[-1]
    assert ledger.verify().ok


def test_a_connection_lost_in_the_block(wire: Wire, tmp_path: Path) -> None:
    """The block fails with an error that says so, and nothing of it is there; what is made to be repeated succeeds."""
    ledger = opened(wire.address, tmp_path)
    calls: list[int] = []

    def change() -> None:
        with ledger.transaction() as transaction:
            calls.append(1)
            transaction.append(ADA, "thing.done", "first")
            if len(calls) < 3:
                wire.cut(b"INSERT", is_delivered=True)
            transaction.append(ADA, "thing.done", "second")

    with pytest.raises(UndoneError, match=r"connection to the ledger was lost.*nothing was changed"):
        change()

    assert ledger.length() == 0

    repeated(change)()

    assert len(calls) == 3
    assert [row.subject for row in ledger.rows()] == ["first", "second"]
    assert ledger.verify().ok


def test_a_server_that_comes_back_is_waited_for(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused connections are tried again for a while; then it is one sentence."""
    monkeypatch.setattr(attempts, "_DELAYS_S", (0.01, 0.01))
    ledger = opened(server, tmp_path)
    closed = Wire(server)
    closed.close()
    gone = Ledger(sa.create_engine(closed.address, poolclass=sa.NullPool), lambda: None, None, None)  # type: ignore[arg-type, return-value]
    with pytest.raises(UndoneError, match="connection to the ledger was lost") as caught:
        gone.length()

    assert "hunter2" not in str(caught.value)
    assert ledger.length() == 0


def test_a_wrong_password_is_not_tried_again(server: str) -> None:
    """It is said at once, without the password."""
    begun = time.monotonic()
    with pytest.raises(UndoneError, match="password authentication failed"):
        Ledger.open(server.replace("hunter2-never-shown", "wrong-word"))

    assert time.monotonic() - begun < 5


def test_backends_that_are_shot_while_eight_write(server: str, tmp_path: Path) -> None:
    """Connections are terminated at random while threads append: every row that was acknowledged is there, once."""
    ledger = Ledger.open(server)
    done = threading.Event()
    acknowledged: list[str] = []

    def shoot() -> None:
        engine = sa.create_engine(server, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with engine.connect() as connection:
            while not done.wait(0.4):
                connection.exec_driver_sql(query)

    def write(name: str) -> None:
        mine = Ledger.open(server)
        for number in range(8):
            with contextlib.suppress(UndoneError):
                acknowledged.append(mine.append(ADA, "thing.done", f"{name}-{number}").subject)

    shooter = threading.Thread(target=shoot)
    writers = [threading.Thread(target=write, args=(f"w{number}",)) for number in range(8)]
    for thread in writers:
        thread.start()
    shooter.start()
    for thread in writers:
        thread.join()
    done.set()
    shooter.join()
    subjects = [row.subject for row in ledger.rows()]

    assert ledger.verify().ok
    assert len(subjects) == len(set(subjects))
    assert set(acknowledged) == set(subjects)
    assert len(acknowledged) >= 16


_FAILS = (
    "CREATE SEQUENCE tries",
    (
        "CREATE FUNCTION fail_at_first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('tries') < {tries} THEN "
        "RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '{state}'; END IF; RETURN NEW; END $$"
    ),
    "CREATE TRIGGER a_fails BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION fail_at_first()",
)


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_change_that_the_server_undid_is_made_again(server: str, tmp_path: Path, state: str) -> None:
    """Serialization failures and deadlocks: the third attempt succeeds, and there is one row."""
    ledger = opened(server, tmp_path)
    run(server, *(statement.format(tries=3, state=state) for statement in _FAILS))
    row = ledger.append(ADA, "thing.done", "x")

    assert (row.sequence, ledger.length()) == (1, 1)


def test_attempts_have_an_end(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After six attempts it is said; nothing was changed."""
    monkeypatch.setattr(attempts, "_DELAYS_S", (0.01,) * 5)
    ledger = opened(server, tmp_path)
    run(server, *(statement.format(tries=99, state="40001") for statement in _FAILS))
    with pytest.raises(UndoneError, match="the database undid the change"):
        ledger.append(ADA, "thing.done", "x")

    assert rows_of(server, "SELECT last_value FROM tries") == [(6,)]
    assert ledger.length() == 0


def test_a_login_that_may_only_add(server: str, tmp_path: Path) -> None:
    """With SELECT and INSERT alone everything works, and neither rows nor triggers can be touched."""
    ledger = opened(server, tmp_path)
    fill(ledger, 2)
    run(
        server,
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'clerk') THEN "
        "CREATE ROLE clerk LOGIN PASSWORD 'word'; END IF; END $$",
        "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO clerk",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO clerk",
    )
    clerk = server.replace("yard:hunter2-never-shown", "clerk:word")
    Ledger.open(clerk).append(ADA, "thing.done", "by the clerk")
    for statement in ("DELETE FROM ledger", "TRUNCATE ledger", "DROP TRIGGER ledger_next_only ON ledger"):
        with pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner"):
            run(clerk, statement)

    assert ledger.verify() == Verification(ok=True, rows=3)


def test_a_later_release_is_refused(address: str, tmp_path: Path) -> None:
    """A store whose revision this release does not know is left alone."""
    fill(opened(address, tmp_path), 1)
    run(address, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StateError, match=r"a later release of modelyard made this store.*revision 9999"):
        Ledger.open(address)
