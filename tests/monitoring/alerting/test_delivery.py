"""The outbox: a sink that is down loses nothing, hammers nobody, and gets each message once when it is up again."""

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from tests.forging import forge
from tests.receivers import web_receiver

from modelyard.core import ConfigError, Finding, exclusive_lock
from modelyard.governance import verify_ledger
from modelyard.governance.alert_log import enter_attempt
from modelyard.monitoring.alerting import Delivery, deliver_waiting, try_sink
from modelyard.monitoring.alerting.delivery import Pace
from modelyard.problem import Problem

Fault = Callable[..., Finding]
Tower = Any


def _pace(waits: list[float]) -> Pace:
    """Tries as usual, and notes the waits instead of sitting through them."""
    return Pace(sleep=waits.append)


def _deliver(tower: Tower, waits: list[float] | None = None) -> Delivery:
    pace = _pace([] if waits is None else waits)
    return deliver_waiting(tower.workspace, tower.problem, tower.actor, pace=pace, clock=tower.clock)


def _hook(make_problem: Callable[..., Problem], port: int) -> Problem:
    hook = {"kind": "webhook", "url": f"http://127.0.0.1:{port}/hook", "timeout_s": 2}
    return make_problem(sinks={"hook": hook, "file": {"kind": "file", "path": "told.jsonl"}})


def test_a_sink_that_is_down_for_an_hour(tower: Tower, make_fault: Fault, make_problem: Callable[..., Problem]) -> None:
    """Nothing listens; the file is told at once; an hour later the hook gets it once; every round is on record."""
    with web_receiver() as free:
        port = free.port
    tower.problem = _hook(make_problem, port)
    tower.look([make_fault("null-rate", "age")])
    waits: list[float] = []
    for _ in range(4):
        delivery = _deliver(tower, waits)
        tower.clock.forward(minutes=15)

    assert (delivery.delivered, delivery.waiting) == (0, 1)
    assert delivery.failures[0].startswith(f"hook: http://127.0.0.1:{port}/hook: the address cannot be reached")
    assert len(waits) == 4 * 2
    assert all(0.25 <= wait <= 1.0 for wait in waits)

    with web_receiver(port) as receiver:
        assert _deliver(tower) == Delivery(1, 0, 0)
        assert _deliver(tower) == Delivery(0, 0, 0)
    told = (tower.workspace.root / "told.jsonl").read_text(encoding="utf-8").splitlines()
    ((_, tries),) = [(message, tries) for message, tries in tower.desk.deliveries() if message.sink == "hook"]

    assert len(receiver.posted) == len(told) == 1
    assert [(attempt.outcome.value, attempt.tries) for attempt in tries] == [("failed", 3)] * 4 + [("delivered", 1)]
    assert json.loads(receiver.posted[0].body)["alert"] == json.loads(told[0])["alert"]
    assert verify_ledger(tower.workspace.ledger).ok


def test_order_is_kept_and_nobody_is_hammered(
    tower: Tower, make_fault: Fault, make_problem: Callable[..., Problem]
) -> None:
    """Of three messages only the first is tried while the sink fails; then all go out in their order."""
    with web_receiver() as receiver:
        receiver.status = 503
        tower.problem = _hook(make_problem, receiver.port)
        for name in ("null-rate", "frozen-column", "drift"):
            tower.look([make_fault(name, "age")], judged=frozenset())
        _deliver(tower)

        assert len(receiver.posted) == 3

        receiver.posted.clear()
        receiver.status = 200
        delivery = _deliver(tower)
    sent = [json.loads(item.body)["signal"] for item in receiver.posted]

    assert (sent, delivery.delivered) == (["null-rate", "frozen-column", "drift"], 3)


def test_a_killed_process_sends_again_under_the_same_id(
    tower: Tower, make_fault: Fault, make_problem: Callable[..., Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had sent and not yet noted so: at least once, and whoever gets it twice can tell."""
    from modelyard.monitoring.alerting import delivery

    def die(transaction: Any, message: Any, *further: Any) -> None:
        if message.sink == "hook":  # its message and that of the file are of one millisecond, in any order
            raise KeyboardInterrupt
        enter_attempt(transaction, message, *further)

    with web_receiver() as receiver:
        tower.problem = _hook(make_problem, receiver.port)
        tower.look([make_fault("null-rate", "age")])
        with monkeypatch.context() as patch:
            patch.setattr(delivery, "enter_attempt", die)
            with pytest.raises(KeyboardInterrupt):
                _deliver(tower)
        _deliver(tower)
    ids = [item.headers["X-Modelyard-Delivery"] for item in receiver.posted]

    assert len(ids) == 2
    assert ids[0] == ids[1]


def test_what_somebody_must_mend_waits(tower: Tower, make_fault: Fault, make_problem: Callable[..., Problem]) -> None:
    """A key that is not set: one try, the variable is named, the message waits."""
    hook = {"kind": "webhook", "url": "https://127.0.0.1:9/", "secret": "NO_SUCH_KEY"}
    tower.problem = make_problem(sinks={"hook": hook})
    tower.look([make_fault("null-rate", "age")])
    delivery = _deliver(tower)
    ((_, tries),) = tower.desk.deliveries()

    assert "NO_SUCH_KEY is not set" in delivery.failures[0]
    assert (delivery.waiting, [attempt.tries for attempt in tries]) == (1, [1])


def test_waiting_ends_on_record(tower: Tower, make_fault: Fault, make_problem: Callable[..., Problem]) -> None:
    """After a week, or when the sink is gone from the project file, a message is given up, and the ledger says so."""
    tower.problem = _hook(make_problem, 9)
    tower.look([make_fault("null-rate", "age")])
    tower.problem = make_problem(sinks={"file": {"kind": "file", "path": "told.jsonl"}})

    assert _deliver(tower) == Delivery(1, 1, 0)

    tower.look([make_fault("drift", "age")], judged=frozenset())
    tower.clock.forward(days=8)

    assert _deliver(tower).expired == 1
    assert [
        row.details["said"] for row in tower.workspace.ledger.rows(action="alert.attempt") if row.details["said"]
    ] == ["the project file names no such sink", "it waited too long"]


def test_two_processes_do_not_both_send(tower: Tower, make_fault: Fault) -> None:
    """While one empties the outbox, another leaves it alone."""
    tower.look([make_fault("null-rate", "age")])
    with exclusive_lock(tower.workspace.state / "alerts.lock"):
        assert _deliver(tower) == Delivery(0, 0, 1)

    assert _deliver(tower) == Delivery(1, 0, 0)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM alerts", "that the registry does not have"),
        ("UPDATE alert_changes SET severity = 'info' WHERE id = 1", "a change of the alert"),
        ("UPDATE alert_messages SET body = '{}'", "a message about"),
        ("UPDATE alert_attempts SET outcome = 'failed'", "an attempt at the sink"),
        ("UPDATE alert_silences SET until = '2099-01-01'", "a silence of"),
    ],
)
def test_forged_rows_are_found(tower: Tower, make_fault: Fault, statement: str, said: str) -> None:
    """Triggers refuse a change; whoever drops them is found by the ledger."""
    import datetime as dt

    tower.desk.silence("churn/drift/*", dt.timedelta(days=1), "a campaign")
    tower.look([make_fault("null-rate", "age")])
    _deliver(tower)
    path = tower.workspace.state / "ledger.db"
    with sqlite3.connect(path) as connection, pytest.raises(sqlite3.IntegrityError, match="never changed"):
        connection.execute(statement)
    forge(path, statement)
    verification = verify_ledger(tower.workspace.ledger)

    assert not verification.ok
    assert said in verification.problem


def test_a_sink_can_be_tried(tower: Tower) -> None:
    """One message that says that it is a test; nothing lies in the outbox afterwards."""
    try_sink("file", tower.problem, tower.workspace.root)
    told = json.loads((tower.workspace.root / "told.jsonl").read_text(encoding="utf-8"))

    assert (told["news"], told["title"]) == ("test", "a test of this sink")
    assert tower.desk.deliveries() == ()
    with pytest.raises(ConfigError, match="Did you mean 'file'"):
        try_sink("fil", tower.problem, tower.workspace.root)
