"""The command in processes of its own: two at once, one that is killed, one that is told to end; a sink that is down."""

import contextlib
import dataclasses
import datetime as dt
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.data_room.servers import free_port
from tests.receivers import listening
from tests.schedule.stage import Stage, Work

from modelyard.core import Severity
from modelyard.governance import AlertDesk, verify_ledger
from modelyard.monitoring.alerting import Condition, Seen, raise_alerts
from modelyard.monitoring.alerting.delivery import Pace
from modelyard.project import Project
from modelyard.schedule.jobs import SCHEDULER, Yard, jobs_of
from modelyard.schedule.tick import Ticker
from modelyard.schedule.watch import watch

DEADLINE_S = 120


@dataclasses.dataclass
class Receiver:
    """A real server of messages: takes them, or holds the line until it is let go."""

    port: int
    taken: list[str]
    holds: threading.Event
    asked: threading.Event


@contextlib.contextmanager
def receiver(port: int = 0) -> Iterator[Receiver]:
    """One that takes every message, by default at a free port."""
    holds, asked, taken = threading.Event(), threading.Event(), list[str]()
    holds.set()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.set()
            holds.wait(DEADLINE_S)
            taken.append(body["id"])
            with contextlib.suppress(OSError):
                self.send_response(204)
                self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with listening(Handler, port) as listens:
        try:
            yield Receiver(listens, taken, holds, asked)
        finally:
            holds.set()


def raise_one(workspace_of: "Project | Stage", key: str) -> None:
    """An alert of a test's own, whose message lies in the outbox."""
    model = workspace_of.problem.name
    seen = Condition(f"{model}/test/{key}", "other", "test", key, Severity.ERROR, key, (key,), "Look.", "Look.")
    clock = workspace_of.clock if isinstance(workspace_of, Stage) else lambda: dt.datetime.now(dt.UTC)
    look = Seen(model, ("1",), key, (seen,), frozenset())
    raise_alerts(workspace_of.workspace.ledger, workspace_of.problem, look, SCHEDULER, clock=clock)


def make_project(folder: Path, port: int) -> Project:
    """A project whose alerts go to a port, and whose outbox is looked at every second."""
    text = f"""
name: demo
owner: keller
data: {{source: rows.parquet, target: y}}
alerts: {{sinks: {{hook: {{kind: webhook, url: "http://127.0.0.1:{port}/", timeout_s: 30}}}}}}
schedule: {{alerts: 1s, retry: 1s, monitor: off, tidy: off, rollout: off, retrain: off}}
"""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "modelyard.yaml").write_text(text, encoding="utf-8")
    return Project.open(folder)


@contextlib.contextmanager
def watching(folder: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """``modelyard watch`` in a process of its own, gone when the block ends."""
    words = [sys.executable, "-m", "modelyard", "watch", "--project", str(folder), *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(what: Callable[[], object], process: "subprocess.Popen[str] | None" = None) -> None:
    """Wait until something is true, as long as the process lives that is to make it so."""
    end = time.monotonic() + DEADLINE_S
    while not what():
        if process is not None and process.poll() is not None:
            raise AssertionError(process.communicate()[1])
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)


def end_the_lease(project: Project) -> None:
    """As if its minute had gone by since the process was killed."""
    with project.workspace.ledger.transaction() as transaction:
        transaction.connection.exec_driver_sql("UPDATE schedule_leases SET until = 0")


def test_a_kill_and_an_end(tmp_path: Path) -> None:
    """Killed in the middle of a message, the next process sends it again under its id; SIGTERM ends in peace."""
    with receiver() as sink:
        project = make_project(tmp_path / "demo", sink.port)
        raise_one(project, "first")
        sink.holds.clear()
        with watching(project.root) as first:
            wait_until(sink.asked.is_set, first)
            first.kill()
            first.wait()
        sink.holds.set()
        end_the_lease(project)
        health = tmp_path / "health.json"
        with watching(project.root, "--health", str(health)) as second:
            wait_until(lambda: not project.alerts.waiting() and health.exists(), second)
            second.send_signal(signal.SIGTERM)
            said, errors = second.communicate(timeout=DEADLINE_S)
        ((_, tries),) = project.alerts.deliveries()

    assert (second.returncode, errors) == (0, "")
    assert "alerts  messages: 1 sent" in said
    assert said.endswith("The watch has ended; what was broken off goes on with the next one.\n")
    assert json.loads(health.read_text(encoding="utf-8"))["failing"] == {}
    assert [attempt.outcome.value for attempt in tries] == ["delivered"]
    assert (len(sink.taken), len(set(sink.taken))) == (2, 1)
    assert verify_ledger(project.workspace.ledger).ok


@pytest.mark.slow
def test_two_at_once(tmp_path: Path) -> None:
    """Each message is sent once; the one that came second says who does it, and ends."""
    with receiver() as sink:
        project = make_project(tmp_path / "demo", sink.port)
        with watching(project.root) as first, watching(project.root) as second:
            wait_until(lambda: first.poll() is not None or second.poll() is not None)
            loser, winner = (first, second) if first.poll() is not None else (second, first)
            refused = loser.communicate()[1]
            for number in range(5):
                raise_one(project, f"alert-{number}")
            wait_until(lambda: not project.alerts.waiting(), winner)
            winner.send_signal(signal.SIGTERM)
            winner.communicate(timeout=DEADLINE_S)
        delivered = [[attempt.outcome.value for attempt in tries] for _, tries in project.alerts.deliveries()]

    assert (loser.returncode, winner.returncode) == (2, 0)
    assert refused.startswith("modelyard: demo: another process does what is due for this model; got ")
    assert delivered == [["delivered"]] * 5
    assert (len(sink.taken), len(set(sink.taken))) == (5, 5)


def test_a_standby_takes_over(stage: Stage) -> None:
    """It waits while the lease is held, and does what is due once it is free."""
    work, stop, lease = Work("1h"), threading.Event(), stage.lease()
    ticker = stage.ticker([work.job], lease)
    told: list[str] = []
    with stage.lease().held():
        loop = threading.Thread(
            target=watch,
            args=(ticker, lease, stop),
            kwargs={"tell": lambda ran: told.append(ran.said), "standby_s": 0.05},
        )
        loop.start()
        time.sleep(0.3)
        before = list(work.slots)
    wait_until(lambda: told)
    stop.set()
    loop.join()

    assert (before, told) == ([], ["did it"])


def test_a_sink_that_is_down_for_an_hour(make_stage: Callable[..., Stage]) -> None:
    """Its message waits, each round is on record, and it is sent once when the sink is up; no other job is held up."""
    port = free_port()
    sinks = {"hook": {"kind": "webhook", "url": f"http://127.0.0.1:{port}/", "timeout_s": 1}}
    stage = make_stage(alerts={"sinks": sinks})
    raise_one(stage, "down")
    desk = AlertDesk(stage.ledger, "churn", SCHEDULER, clock=stage.clock)
    yard = Yard(
        stage.problem, stage.workspace, SCHEDULER, lambda _: None, stage.clock, Pace(tries=2, sleep=lambda _: None)
    )
    tell = next(job for job in jobs_of(stage.problem) if job.name == "alerts")

    def rounds(count: int) -> list[str]:
        said: list[str] = []
        for _ in range(count):
            lease = stage.lease()
            with lease.held():
                said += [run.said for run in Ticker(yard, [tell], lease).tick().ran]
            stage.clock.forward(minutes=5)
        return said

    down = rounds(12)
    with receiver(port) as sink:
        up = rounds(2)
    ((_, tries),) = desk.deliveries()

    assert len(down) == 12
    assert all(said.startswith("messages: 1 waiting (hook: ") for said in down)
    assert up == ["messages: 1 sent", "nothing to do"]
    assert len(sink.taken) == 1
    assert [attempt.outcome.value for attempt in tries] == ["failed"] * 12 + ["delivered"]
    assert stage.told("schedule.failed") == []


@pytest.mark.slow
def test_killed_at_any_moment(tmp_path: Path) -> None:
    """Killed again and again at any moment: every message arrives, no job is left behind, the ledger holds."""
    with receiver() as sink:
        project = make_project(tmp_path / "demo", sink.port)
        for number in range(6):
            raise_one(project, f"alert-{number}")
            with watching(project.root) as process:
                time.sleep(2.0 + 0.7 * number)
                process.kill()
                process.wait()
            end_the_lease(project)
        with watching(project.root) as last:
            wait_until(lambda: not project.alerts.waiting(), last)
            last.send_signal(signal.SIGTERM)
            last.communicate(timeout=DEADLINE_S)

    assert len(set(sink.taken)) == 6
    assert verify_ledger(project.workspace.ledger).ok
