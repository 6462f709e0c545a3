import datetime as dt
import json
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.core import Actor, ConfigError, IntegrityError, LockedError, ModelyardError, StateError
from modelyard.core.actor import ActorSource
from modelyard.store import Ledger, Verification
from modelyard.store.database import errors as database_module

MOMENT = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
ADA = Actor("ada", ActorSource.OS_USER, ("admin",))
REST = "actor_source, action, subject, details, previous, hash"
SPAWN = multiprocessing.get_context("spawn")


def test_a_row_holds_what_was_said(ledger: Ledger, actor: Actor) -> None:
    """The row that is returned is the row that is read back, to the last field."""
    row = ledger.append(actor, "test.opened", "abc", {"reason": "final", "rows": 7, "share": 0.5, "none": None})

    assert (row.sequence, row.at, row.actor, row.actor_source) == (1, MOMENT, "ada", "os_user")
    assert row.details == {"reason": "final", "rows": 7, "share": 0.5, "none": None}
    assert ledger.rows() == (row,)


def test_rows_are_chained_from_zeros(five: Ledger) -> None:
    """Each row names the hash of the one before; the first names 64 zeros."""
    rows = five.rows()

    assert [row.sequence for row in rows] == [1, 2, 3, 4, 5]
    assert [row.previous for row in rows] == ["0" * 64, *(row.hash for row in rows[:-1])]
    assert five.verify() == Verification(ok=True, rows=5)


def test_an_empty_ledger_is_whole(ledger: Ledger) -> None:
    """No rows, no problem."""
    assert ledger.verify() == Verification(ok=True, rows=0)


def test_rows_are_found_by_action_and_subject(five: Ledger, actor: Actor) -> None:
    """Filters and counts look at both columns."""
    five.append(actor, "other.done", "thing-1")

    assert [row.sequence for row in five.rows(subject="thing-1")] == [2, 6]
    assert [row.sequence for row in five.rows(action="other.done")] == [6]
    assert five.count("thing.done", "thing-1") == 1
    assert five.count("other.done", "thing-2") == 0


def test_a_failed_block_leaves_nothing(five: Ledger, actor: Actor) -> None:
    """An error after the row was added undoes the row, and the chain goes on."""

    def fail() -> None:
        with five.transaction() as transaction:
            transaction.append(actor, "thing.done", "never")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    five.append(actor, "thing.done", "after")

    assert [row.subject for row in five.rows()][5:] == ["after"]
    assert five.verify().ok


def test_several_rows_in_one_transaction(ledger: Ledger, actor: Actor) -> None:
    """Rows of one transaction follow each other in the chain."""
    with ledger.transaction() as transaction:
        first = transaction.append(actor, "a.done", "x")
        second = transaction.append(actor, "b.done", "x")

    assert second.previous == first.hash
    assert ledger.verify() == Verification(ok=True, rows=2)


def test_details_must_be_json(ledger: Ledger, actor: Actor) -> None:
    """NaN is refused, and nothing was written."""
    with pytest.raises(ValueError, match="JSON compliant"):
        ledger.append(actor, "thing.done", "x", {"value": float("nan")})

    assert ledger.rows() == ()


def test_export_writes_one_line_a_row(five: Ledger, tmp_path: Path) -> None:
    """The lines are the records."""
    written = five.export(tmp_path / "out" / "ledger.jsonl")
    lines = (tmp_path / "out" / "ledger.jsonl").read_text(encoding="utf-8").splitlines()

    assert written == 5
    assert [json.loads(line) for line in lines] == [row.to_dict() for row in five.rows()]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET actor = 'eve'",
        "DELETE FROM ledger WHERE sequence = 5",
        f"INSERT OR REPLACE INTO ledger SELECT sequence, at, 'eve', {REST} FROM ledger WHERE sequence = 2",
        f"INSERT INTO ledger SELECT sequence + 9, at, actor, {REST} FROM ledger WHERE sequence = 2",
    ],
)
def test_triggers_refuse_every_change(five: Ledger, place: Path, statement: str) -> None:
    """Update, deletion, replacement and a gap are refused by the database itself."""
    connection = sqlite3.connect(place)
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        connection.execute(statement)
    connection.close()

    assert five.verify() == Verification(ok=True, rows=5)


EDITS: dict[str, tuple[str, ...]] = {
    "actor": ("UPDATE ledger SET actor = 'eve' WHERE sequence = {n}",),
    "time": ("UPDATE ledger SET at = '2020-01-01T00:00:00+00:00' WHERE sequence = {n}",),
    "details": ("UPDATE ledger SET details = '{{\"number\":99}}' WHERE sequence = {n}",),
    "no text": ("UPDATE ledger SET details = x'ff' WHERE sequence = {n}",),
    "broken text": ("UPDATE ledger SET subject = CAST(x'ff' AS TEXT) WHERE sequence = {n}",),
    "spaces": ("UPDATE ledger SET details = details || ' ' WHERE sequence = {n}",),
    "hash": ("UPDATE ledger SET hash = 'abc' WHERE sequence = {n}",),
    "previous": ("UPDATE ledger SET previous = 'abc' WHERE sequence = {n}",),
    "deleted": ("DELETE FROM ledger WHERE sequence = {n}",),
    "deleted and closed up": (
        "DELETE FROM ledger WHERE sequence = {n}",
        "UPDATE ledger SET sequence = sequence - 1 WHERE sequence > {n}",
    ),
    "swapped": (
        "UPDATE ledger SET sequence = 100 WHERE sequence = {n}",
        "UPDATE ledger SET sequence = {n} WHERE sequence = ({n} % 5) + 1",
        "UPDATE ledger SET sequence = ({n} % 5) + 1 WHERE sequence = 100",
    ),
    "cut off": ("DELETE FROM ledger WHERE sequence >= {n}",),
    "doubled": (f"INSERT INTO ledger SELECT 6, at, actor, {REST} FROM ledger WHERE sequence = {{n}}",),
}


@pytest.mark.parametrize("number", [1, 3, 5])
@pytest.mark.parametrize("edit", sorted(EDITS))
def test_tampering_is_found(five: Ledger, tamper: Callable[..., None], edit: str, number: int) -> None:
    """Whatever is edited, deleted, moved, doubled or cut off behind the triggers' back is found."""
    tamper(*(statement.format(n=number) for statement in EDITS[edit]))
    verification = five.verify()

    assert not verification.ok
    assert verification.problem


def test_the_first_bad_row_is_named(five: Ledger, tamper: Callable[..., None]) -> None:
    """An edit of row 3 is found at row 3; a cut after row 3 at row 4."""
    tamper("UPDATE ledger SET actor = 'eve' WHERE sequence = 3")

    assert five.verify().first_bad_sequence == 3

    tamper("UPDATE ledger SET actor = 'ada' WHERE sequence = 3", "DELETE FROM ledger WHERE sequence > 3")

    assert five.verify() == Verification(
        ok=False, rows=3, first_bad_sequence=4, problem="the ledger was cut off: it had 5 rows, 3 are left"
    )


def test_dropped_triggers_are_found(five: Ledger, tamper: Callable[..., None]) -> None:
    """A ledger whose triggers are gone is not whole, though no row was changed yet."""
    tamper(keep_triggers=False)
    verification = five.verify()

    assert not verification.ok
    assert "ledger_no_delete, ledger_no_replace, ledger_no_update" in verification.problem


def test_a_rewritten_tail_is_found(five: Ledger, tamper: Callable[..., None], place: Path, actor: Actor) -> None:
    """Rows cut off and replaced by as many forged ones, hashes and all, do not fit the head file."""
    head = place.with_suffix(".head").read_text(encoding="utf-8")
    tamper("DELETE FROM ledger WHERE sequence > 3")
    place.with_suffix(".head").unlink()
    five.renew_head(actor, "forged")
    five.append(actor, "forged.done", "x")
    place.with_suffix(".head").write_text(head, encoding="utf-8")

    assert "not the row that the head file remembers" in five.verify().problem


_STORED = st.sampled_from(["at", "actor", "actor_source", "action", "subject", "details", "previous", "hash"])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(column=_STORED, number=st.integers(1, 5), value=st.text(max_size=70).filter(lambda text: "\0" not in text))
def test_no_edit_of_any_cell_goes_unnoticed(
    tmp_path_factory: pytest.TempPathFactory, column: str, number: int, value: str
) -> None:
    """Property: a cell with another text than was written breaks the chain at its row or the next."""
    place = tmp_path_factory.mktemp("edited") / "ledger.db"
    ledger = Ledger.open(place, clock=lambda: MOMENT)
    with ledger.transaction() as transaction:
        for each in range(5):
            transaction.append(ADA, "thing.done", f"thing-{each}", {"number": each})
    connection = sqlite3.connect(place, isolation_level=None)
    cell = f"SELECT {column} FROM ledger WHERE sequence = ?"
    before = connection.execute(cell, (number,)).fetchone()[0]
    connection.execute("DROP TRIGGER ledger_no_update")
    encodable = value.encode("utf-8", "replace").decode("utf-8")
    edit = f"UPDATE ledger SET {column} = ? WHERE sequence = ?"
    connection.execute(edit, (encodable, number))
    connection.close()
    verification = ledger.verify()

    assert not verification.ok
    if encodable != before:
        assert verification.first_bad_sequence in (number, number + 1)


def _append_many(place: str, name: str, count: int) -> None:
    ledger = Ledger.open(Path(place))
    for number in range(count):
        ledger.append(Actor(name, ActorSource.OS_USER), "thing.done", f"{name}-{number}")


def test_processes_that_append_at_once_all_succeed(place: Path) -> None:
    """Four processes open a new ledger and append 15 rows each: all 60 rows are there, and the chain is whole."""
    workers = [SPAWN.Process(target=_append_many, args=(str(place), f"worker-{number}", 15)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    ledger = Ledger.open(place)

    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    assert ledger.verify() == Verification(ok=True, rows=60)
    assert {row.actor for row in ledger.rows()} == {f"worker-{number}" for number in range(4)}
    assert json.loads(place.with_suffix(".head").read_text(encoding="utf-8"))["sequence"] == 60


def test_a_killed_writer_leaves_a_whole_ledger(place: Path) -> None:
    """SIGKILL at a random moment of a busy writer: every row that it printed is there, and the chain is whole."""
    script = (
        "import sys; from pathlib import Path\nfrom modelyard.core.actor import Actor, ActorSource\n"
        "from modelyard.store import Ledger\nledger = Ledger.open(Path(sys.argv[1]))\n"
        "for number in range(10**6):\n"
        "    row = ledger.append(Actor('ada', ActorSource.OS_USER), 'thing.done', 'x')\n"
        "    print(row.sequence, flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(place)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(20):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged = [int(line) for line in writer.stdout.read().split() if line]
    ledger = Ledger.open(place)
    verification = ledger.verify()

    assert verification.ok
    assert verification.rows >= max(acknowledged, default=20)
    assert ledger.append(ADA, "thing.done", "y").sequence == verification.rows + 1


def test_a_head_that_is_older_than_the_table_is_no_alarm(five: Ledger, place: Path, actor: Actor) -> None:
    """A process that died between commit and head file leaves an old head: verify is content, and append goes on."""
    head = place.with_suffix(".head")
    old = head.read_text(encoding="utf-8")
    five.append(actor, "thing.done", "last")
    head.write_text(old, encoding="utf-8")

    assert five.verify() == Verification(ok=True, rows=6)
    assert five.append(actor, "thing.done", "next").sequence == 7
    assert json.loads(head.read_text(encoding="utf-8"))["sequence"] == 7


def test_a_death_before_the_first_head_is_no_alarm(ledger: Ledger, place: Path, actor: Actor) -> None:
    """The head file exists before the first row does, so its absence later is never an accident of ours."""
    with ledger.transaction() as transaction:
        transaction.append(actor, "thing.done", "x")

        assert json.loads(place.with_suffix(".head").read_text(encoding="utf-8")) == {"sequence": 0, "hash": "0" * 64}


def test_a_missing_head_is_found_and_can_be_renewed_loudly(five: Ledger, place: Path, actor: Actor) -> None:
    """Without the head file nothing is appended, until somebody says why; the ledger then tells of the loss."""
    place.with_suffix(".head").unlink()

    assert "the head file is missing" in five.verify().problem
    with pytest.raises(IntegrityError, match="modelyard ledger renew"):
        five.append(actor, "thing.done", "x")

    row = five.renew_head(actor, "the disk lost it")

    assert (row.sequence, row.action) == (6, "ledger.head_renewed")
    assert row.details["reason"] == "the disk lost it"
    assert "missing" in row.details["problem"]
    assert five.verify() == Verification(ok=True, rows=6)


def test_a_head_is_not_renewed_without_need_or_reason(five: Ledger, place: Path, actor: Actor) -> None:
    """A whole ledger refuses, and so does an empty reason."""
    with pytest.raises(StateError, match="needs no renewal"):
        five.renew_head(actor, "just so")
    place.with_suffix(".head").unlink()
    with pytest.raises(StateError, match="reason"):
        five.renew_head(actor, " ")


@pytest.mark.parametrize("content", ["", "[]", "7", "{}", '{"sequence": "5", "hash": "x"}', '{"sequence": 5}', "\x00"])
def test_a_garbage_head_is_a_clear_answer(five: Ledger, place: Path, actor: Actor, content: str) -> None:
    """A head file that is none is found by verify and stops appends with a cure."""
    place.with_suffix(".head").write_text(content, encoding="utf-8")

    assert "the head of the ledger cannot be read" in five.verify().problem
    with pytest.raises(IntegrityError, match="cannot be read"):
        five.append(actor, "thing.done", "x")
    five.renew_head(actor, "it was overwritten")

    assert five.verify().ok


def test_a_head_that_cannot_be_written_costs_a_warning(
    five: Ledger, place: Path, actor: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    """The row is committed; the old head stays, which is harmless, and the log says so."""
    lock = place.with_name("ledger.head.lock")
    lock.unlink()
    lock.mkdir()
    row = five.append(actor, "thing.done", "x")

    assert row.sequence == 6
    assert "was not updated" in caplog.text
    assert five.verify().ok


@pytest.mark.parametrize("content", [b"not a database, but long enough to be taken for one" * 9, b"SQLite format 3\0"])
def test_a_garbage_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is no database is an IntegrityError with a cure that does not delete it."""
    place = tmp_path / "ledger.db"
    place.write_bytes(content * 5)
    with pytest.raises(ModelyardError) as caught:
        Ledger.open(place)

    assert isinstance(caught.value, IntegrityError)
    assert "backup" in caught.value.cure


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.7, 0.95])
def test_a_truncated_file_is_found(five: Ledger, place: Path, share: float) -> None:
    """A database cut short anywhere is a clear error, a bad verification, or lost nothing that was written."""
    rows = five.rows()
    content = place.read_bytes()
    place.write_bytes(content[: int(len(content) * share)])
    try:
        ledger = Ledger.open(place)
        whole = ledger.verify().ok
        intact = ledger.rows() == rows
    except ModelyardError:
        return
    assert intact or not whole


@pytest.mark.parametrize("offset", [0, 18, 24, 100, 4096, 4200, 8192, 12288])
def test_half_written_pages_are_found(five: Ledger, place: Path, offset: int) -> None:
    """A page of zeros anywhere is a clear error, a bad verification, or touches nothing that counts."""
    rows = five.rows()
    content = bytearray(place.read_bytes())
    content[offset : offset + 512] = bytes(min(512, max(0, len(content) - offset)))
    place.write_bytes(content)
    try:
        ledger = Ledger.open(place)
        whole = ledger.verify().ok
        intact = ledger.rows() == rows
    except ModelyardError:
        return
    assert intact or not whole


def test_a_deleted_file_is_found(five: Ledger, place: Path, actor: Actor) -> None:
    """A new database beside an old head file is a ledger that was cut off; nothing is appended to it."""
    for path in place.parent.glob("ledger.db*"):
        path.unlink()
    ledger = Ledger.open(place)

    assert ledger.verify().problem == "the ledger was cut off: it had 5 rows, 0 are left"
    with pytest.raises(IntegrityError, match="cut off"):
        ledger.append(actor, "thing.done", "x")


def test_a_foreign_table_is_refused(tmp_path: Path) -> None:
    """A database whose ledger table lacks columns is damaged, not a crash."""
    place = tmp_path / "ledger.db"
    connection = sqlite3.connect(place)
    connection.execute("CREATE TABLE ledger (sequence INTEGER PRIMARY KEY)")
    connection.close()

    assert not Ledger.open(place).verify().ok
    with pytest.raises(IntegrityError, match="damaged"):
        Ledger.open(place).rows()


def test_a_row_that_cannot_be_read_names_itself(five: Ledger, tamper: Callable[..., None]) -> None:
    """Reading rows that were made unreadable says which one."""
    tamper("UPDATE ledger SET details = 'no json' WHERE sequence = 4")
    with pytest.raises(IntegrityError, match="row 4"):
        five.rows()


def test_a_locked_ledger_says_so(five: Ledger, place: Path, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process holds the write lock an append waits, then gives up; reading and verifying go on."""
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0.2)
    blocker = sqlite3.connect(place, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(LockedError, match="another process has been writing") as caught:
        five.append(actor, "thing.done", "x")

    assert "nothing was changed" in caught.value.cure
    assert five.verify() == Verification(ok=True, rows=5)
    blocker.execute("ROLLBACK")
    blocker.close()
    assert five.append(actor, "thing.done", "x").sequence == 6


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_a_clear_error(tmp_path: Path) -> None:
    """The error names the folder."""
    tmp_path.chmod(0o500)
    with pytest.raises(ModelyardError, match="permissions"):
        Ledger.open(tmp_path / "state" / "ledger.db")


def test_paths_that_cannot_be_a_ledger(tmp_path: Path) -> None:
    """A folder in the file's place, and a file in the folder's place, are clear errors."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "folder.db").mkdir()
    for place in (tmp_path / "file" / "ledger.db", tmp_path / "folder.db"):
        with pytest.raises(ModelyardError) as caught:
            Ledger.open(place)

        assert caught.value.cure


@pytest.mark.parametrize(
    "address", ["sqlite://", "sqlite:///:memory:", "nosuch://host/x", "://", "oracle://u:secret@h/x"]
)
def test_bad_addresses_are_refused(address: str) -> None:
    """Memory, unknown and malformed addresses are configuration errors that show no password."""
    with pytest.raises(ConfigError) as caught:
        Ledger.open(address)

    assert "secret" not in str(caught.value)


def test_a_url_opens_the_same_file(five: Ledger, place: Path) -> None:
    """A SQLite URL is the file."""
    assert Ledger.open(f"sqlite:///{place}").rows() == five.rows()


def test_other_tables_change_with_the_row_or_not_at_all(five: Ledger, actor: Actor) -> None:
    """A broken constraint of another table passes through, and takes the ledger's row with it."""

    def break_constraint() -> None:
        with five.transaction() as transaction:
            transaction.append(actor, "thing.done", "x")
            transaction.connection.execute(sa.text("INSERT INTO ledger (sequence) VALUES (99)"))

    with pytest.raises(sa.exc.IntegrityError):
        break_constraint()

    assert five.verify() == Verification(ok=True, rows=5)


@pytest.mark.parametrize("details", [{"text": "ü – 漢字 \u2028 '\"\\"}, {"deep": {"list": [1, [2, {"x": None}]]}}, {}])
def test_any_json_survives(ledger: Ledger, actor: Actor, details: dict[str, Any]) -> None:
    """Details come back as they went in, and the chain holds."""
    ledger.append(actor, "thing.done", "sübject", details)

    assert ledger.rows()[0].details == details
    assert ledger.verify().ok


@given(st.text(max_size=30) | st.text('[]{}:,"0123456789.eE+-truefalsn\\u \n', max_size=12))
@settings(max_examples=200, deadline=None)
def test_the_quick_reading_of_details_accepts_nothing_that_readers_cannot_read(text: str) -> None:
    """Details are verified by another parser than the one that reads them: what it accepts, the reader understands alike."""
    try:
        quick = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return

    assert json.loads(text) == quick
