"""A process that is killed in the middle of any command: run again, it ends as if nothing had happened."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from tests.bad_input.conftest import FaultyYard

from modelyard.store import Ledger

KILLS = 2
START_S = 0.5
"""Before this, Python itself is starting, and there is nothing to interrupt."""

ARGUMENTS = {
    "audit": ("audit",),
    "train": ("train", "--set", "training.workers=2"),
    "evaluate": ("evaluate", "--open-test", "the model is finished"),
    "package": ("package",),
    "register": ("register",),
    "promote": ("promote", "1"),
    "score": ("score", "good.parquet", "scores.parquet"),
}


_ALWAYS = ("train", "promote")
"""The others are killed in `make test-all`."""


@pytest.mark.parametrize(
    "command",
    [name if name in _ALWAYS else pytest.param(name, marks=pytest.mark.slow) for name in ARGUMENTS],
)
def test_killed_in_the_middle(stage: Callable[[str], FaultyYard], command: str) -> None:
    """SIGKILL to the process and its workers at random moments; the next call succeeds, and nothing is half done."""
    yard = stage(command)
    moments = random.Random(command)
    longest_s, undisturbed = _measured(yard, command)

    for _ in range(KILLS):
        process = yard.start(*ARGUMENTS[command])
        time.sleep(moments.uniform(START_S, max(START_S, longest_s)))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert Ledger.open(yard.root / ".modelyard" / "ledger.db").verify().ok

    answer = yard.run(*ARGUMENTS[command])

    assert (answer.exit_code, answer.stderr) == (0, "")
    _assert_result(yard, command, answer.record, undisturbed)
    yard.assert_sound()


def test_new_killed_in_the_middle(yard: FaultyYard, good: pl.DataFrame) -> None:
    """Either nothing is there yet and ``new`` begins again, or the project is there and whole."""
    good.write_parquet(yard.folder / "good.parquet")
    for delay_s in (0.7, 1.1, 1.5, 1.9):
        shutil.rmtree(yard.root, ignore_errors=True)
        process = yard.start_new("good.parquet", "target")
        time.sleep(delay_s)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

        again = yard.new("good.parquet", "target")

        assert again.exit_code == 0 or "there is a project already" in again.sentence(2)
        yard.configure()
        assert yard.run("check").exit_code == 0
        yard.assert_sound()


def _measured(yard: FaultyYard, command: str) -> tuple[float, Any]:
    """How long the command takes when nobody disturbs it, in seconds, and its record; on a copy of the yard."""
    copy = yard.folder.parent / "measured"
    shutil.copytree(yard.folder, copy)
    begun = time.monotonic()
    answer = type(yard)(copy).run(*ARGUMENTS[command])
    assert answer.exit_code == 0
    return time.monotonic() - begun, answer.record


def _assert_result(yard: FaultyYard, command: str, record: Any, undisturbed: Any) -> None:
    """What the command is for has been done, once."""
    state = yard.root / ".modelyard"
    ledger = Ledger.open(state / "ledger.db")
    if command == "train":
        assert _scores(record) == _scores(undisturbed)
    elif command == "evaluate":
        # A killed call may have opened the test part before it died: each opening is counted, none is forgotten.
        openings = len(ledger.rows(action="test.opened"))
        assert 1 <= openings <= KILLS + 1
        assert record["openings"] == openings
    elif command == "package":
        assert yard.run("register").record["digest"] == record["digest"]
    elif command == "register":
        assert (record["version"], len(ledger.rows(action="version.registered"))) == (1, 1)
    elif command == "promote":
        assert (record["version"], len(ledger.rows(action="version.promoted"))) == (1, 1)
    elif command == "score":
        assert pl.read_parquet(yard.folder / "scores.parquet").height == record["scored"] == 600
    else:
        assert record["findings"] == undisturbed["findings"]
        assert len(ledger.rows(action="split.made")) == 1


def _scores(record: Any) -> dict[str, list[float]]:
    """Fold scores by candidate."""
    return {item["name"]: item["fold_scores"] for item in record["candidates"]}
