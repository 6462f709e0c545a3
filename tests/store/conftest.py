"""A ledger in a folder of its own, and a way to tamper with its file."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.forging import behind_triggers

from modelyard.core import Actor
from modelyard.store import Ledger

MOMENT = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
Tamper = Callable[..., None]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the ledger's file lies."""
    return tmp_path / "state" / "ledger.db"


@pytest.fixture
def ledger(place: Path) -> Ledger:
    """An empty ledger whose clock stands still."""
    return Ledger.open(place, clock=lambda: MOMENT)


@pytest.fixture
def five(ledger: Ledger, actor: Actor) -> Ledger:
    """The ledger with five rows."""
    for number in range(5):
        ledger.append(actor, "thing.done", f"thing-{number}", {"number": number})
    return ledger


@pytest.fixture
def tamper(place: Path) -> Tamper:
    """Runs SQL on the ledger's file behind its back, with the triggers dropped before and made again after."""

    def run(*statements: str, keep_triggers: bool = True) -> None:
        with behind_triggers(place, put_back=keep_triggers) as connection:
            for statement in statements:
                connection.execute(statement)

    return run
