"""A ledger that is locked, garbage or cut off: nothing is done without a record, and nothing is overwritten."""

import sqlite3
from pathlib import Path

import polars as pl
from tests.bad_input.conftest import FaultyYard
from tests.forging import behind_triggers

from modelyard.store import Ledger


def database(yard: FaultyYard) -> Path:
    """The ledger's file."""
    return yard.root / ".modelyard" / "ledger.db"


def test_locked_ledger(yard: FaultyYard, good: pl.DataFrame) -> None:
    """Somebody else writes for longer than anybody waits: said, with nothing done; afterwards the command works."""
    yard.make(good).check()
    holder = sqlite3.connect(database(yard), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    sentence = yard.refused("token", "grace", "--role", "approver")

    assert "Wait until it ends" in sentence

    holder.execute("ROLLBACK")
    holder.close()
    assert yard.run("token", "grace", "--role", "approver").exit_code == 0
    yard.assert_sound()


def test_garbage_ledger(yard: FaultyYard, good: pl.DataFrame) -> None:
    """Bytes that are no database are left as they are, and every command says so."""
    yard.make(good).check()
    kept = database(yard).read_bytes()
    database(yard).with_name("ledger.db-wal").unlink(missing_ok=True)
    garbage = b"this is no database " * 500
    database(yard).write_bytes(garbage)

    sentence = yard.refused("train", code=1)

    assert "damaged" in sentence
    assert "backup" in sentence
    assert database(yard).read_bytes() == garbage

    database(yard).write_bytes(kept)
    yard.assert_sound()


def test_half_written_ledger(yard: FaultyYard, good: pl.DataFrame) -> None:
    """A file that was cut in the middle of a page: refused, untouched, and right again once restored."""
    project = yard.make(good)
    project.check()
    for number in range(200):
        project.ledger().append(project.actor, "note", f"row-{number}", {"text": "x" * 100})
    kept = database(yard).read_bytes()
    half = kept[: len(kept) // 2 + 100]
    database(yard).write_bytes(half)

    sentence = yard.refused("audit", code=1)

    assert "backup" in sentence
    assert database(yard).read_bytes() == half

    database(yard).write_bytes(kept)
    yard.assert_sound()


def test_rows_cut_off(yard: FaultyYard, good: pl.DataFrame) -> None:
    """Rows that were removed behind the triggers' back: ``verify`` ends with 3, and nothing more is appended."""
    project = yard.make(good)
    project.check()
    project.tokens().create("grace", ["approver"])
    with behind_triggers(database(yard), put_back=False) as connection:
        connection.execute("DELETE FROM ledger WHERE sequence = (SELECT max(sequence) FROM ledger)")

    verdict = yard.run("ledger", "verify")
    sentence = yard.refused("token", "eve", "--role", "admin", code=1)

    assert (verdict.exit_code, verdict.record["ok"]) == (3, False)
    assert "cut off" in verdict.record["problem"]
    assert "backup" in sentence
    assert Ledger.open(database(yard)).count("token.created", "eve") == 0


def test_damaged_pointers(yard: FaultyYard, good: pl.DataFrame) -> None:
    """Half a JSON file: the cure is to delete it, and it works."""
    yard.make(good).check()
    pointers = yard.root / ".modelyard" / "pointers.json"
    pointers.write_text('{"split": "0a', encoding="utf-8")

    assert "Delete the file" in yard.refused("status", code=1)

    pointers.unlink()
    assert yard.run("check").exit_code == 0
    yard.assert_sound()
