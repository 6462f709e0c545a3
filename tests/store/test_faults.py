"""A disk that is full in the middle of a write, and a writer that is killed at any moment: the chain holds, nothing is half done."""

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from modelyard.core import Actor
from modelyard.core.actor import ActorSource
from modelyard.store import Ledger

ADA = Actor("ada", ActorSource.OS_USER, ("admin",))

# A row of the ledger and one beside it in each transaction; each is acknowledged once it is committed.
BUSY = """
import sys
from pathlib import Path
from modelyard.core import ModelyardError
from modelyard.core.actor import Actor, ActorSource
from modelyard.governance.tables import stage_changes
from modelyard.store import Ledger
ledger = Ledger.open(Path(sys.argv[1]))
try:
    for number in range(10**6):
        with ledger.transaction() as transaction:
            row = transaction.append(Actor("ada", ActorSource.OS_USER), "thing.done", "x", {"text": "y" * 300})
            values = {"name": "churn", "version": row.sequence, "stage": "candidate"}
            transaction.connection.execute(stage_changes.insert().values(values))
        print(row.sequence, flush=True)
except ModelyardError as error:
    print(error.sentence, file=sys.stderr)
    sys.exit(7)
"""


def _busy(place: Path, before: Callable[[], None] | None = None) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", BUSY, str(place)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=before)  # noqa: PLW1509


def _counts(place: Path) -> tuple[int, int]:
    """Rows of the ledger, and rows beside them."""
    with sqlite3.connect(place) as connection:
        found = [
            connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("ledger", "model_stages")
        ]
    connection.close()
    return found[0], found[1]


@pytest.mark.parametrize("size_bytes", [150_000, 260_000])
def test_a_disk_that_is_full_in_the_middle_of_a_write(tmp_path: Path, size_bytes: int) -> None:
    """The transaction that did not fit is not there at all; the error says so, and with space again it goes on."""
    place = tmp_path / "ledger.db"
    Ledger.open(place)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))

    writer = _busy(place, limit)
    said, complaint = writer.communicate(timeout=120)
    rows, beside = _counts(place)
    ledger = Ledger.open(place)

    assert writer.returncode == 7
    assert "space" in complaint
    assert rows == beside == int(said.split()[-1])
    assert ledger.verify().ok
    assert ledger.append(ADA, "thing.done", "after").sequence == rows + 1


@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_sigkill_at_random_points_of_a_write(tmp_path: Path, kills: int) -> None:
    """Whatever was acknowledged is there, with the row beside it; whatever was not is there whole or not at all."""
    place = tmp_path / "ledger.db"
    moments = random.Random(7)
    acknowledged = 0
    for _ in range(kills):
        writer = _busy(place)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(moments.uniform(0, 0.05))
        os.kill(writer.pid, signal.SIGKILL)
        rest, _ = writer.communicate()
        acknowledged = max([acknowledged, *(int(line) for line in rest.split("\n")[:-1] if line)])
        rows, beside = _counts(place)

        assert rows == beside >= acknowledged
        assert Ledger.open(place).verify().ok
    assert Ledger.open(place).append(ADA, "thing.done", "after").sequence == rows + 1
