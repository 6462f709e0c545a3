"""The outbox is emptied: each message is tried some times, what fails waits for the next run, and every round is on record."""

import contextlib
import dataclasses
import datetime as dt
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from modelyard.core import (
    Actor,
    Clock,
    ConfigError,
    LockedError,
    ModelyardError,
    Record,
    Severity,
    exclusive_lock,
    system_clock,
)
from modelyard.governance.alert_log import AlertMessage, Outcome, enter_attempt, read_waiting
from modelyard.monitoring.alerting.notice import NOTICE_PROTOCOL, Notice
from modelyard.monitoring.alerting.sinks import AlertSink, make_sink
from modelyard.problem import Problem, did_you_mean
from modelyard.store import Workspace

__all__ = ["Delivery", "Pace", "deliver_waiting", "try_sink"]


@dataclasses.dataclass(frozen=True)
class Pace:
    """How often a message is tried in one run, and how long is waited between tries.

    Parameters
    ----------
    tries
        At most so many.
    first_s, most_s
        The wait after the first try, doubled after each further one up to the longest; each is drawn between half and all of
        it, so that many projects do not come at once.
    sleep
        Waits.
    """

    tries: int = 3
    first_s: float = 0.5
    most_s: float = 4.0
    sleep: Callable[[float], None] = time.sleep

    def waits(self, seed: str) -> Iterator[float]:
        """The time before each further try, in seconds."""
        draw = random.Random(seed)  # noqa: S311 - spreads load, keeps no secret
        for number in range(self.tries - 1):
            yield min(self.first_s * 2**number, self.most_s) * (0.5 + draw.random() / 2)


@dataclasses.dataclass(frozen=True)
class Delivery(Record):
    """What one run of the outbox did.

    Parameters
    ----------
    delivered, expired
        Messages that were taken, and those given up because they waited too long.
    waiting
        Messages that go on waiting.
    failures
        One sentence for each sink that failed.
    """

    delivered: int
    expired: int
    waiting: int
    failures: tuple[str, ...] = ()


def deliver_waiting(
    workspace: Workspace, problem: Problem, actor: Actor, *, pace: Pace | None = None, clock: Clock = system_clock
) -> Delivery:
    """Take what lies in the outbox to its sinks, the oldest first.

    One process at a time does so; another one that comes meanwhile leaves it alone. A sink that fails is left alone for
    the rest of the run, so that its messages stay in their order. A message of a sink that the project file no longer
    names, and one that waited longer than ``alerts.keep_days``, is given up, on record.
    """
    workspace.ledger.create_tables()
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(exclusive_lock(workspace.state / "alerts.lock"))
        except LockedError:
            with workspace.ledger.reading() as connection:
                return Delivery(0, 0, len(read_waiting(connection)))
        with workspace.ledger.reading() as connection:
            waiting = read_waiting(connection)
        return _Round(workspace, problem, actor, pace or Pace(), clock).run(waiting)


def try_sink(name: str, problem: Problem, root: Path, *, clock: Clock = system_clock) -> None:
    """Send one message that says that it is a test; nothing is kept of it.

    Raises
    ------
    ConfigError
        If there is no such sink, or something has to be mended.
    ModelyardError
        If the sink does not take it.
    """
    plans = problem.alerts.sinks
    if name not in plans:
        raise ConfigError("there is no such sink", where="alerts.sinks", got=repr(name), cure=did_you_mean(name, plans))
    now = clock()
    make_sink(plans[name], root).deliver(_test_notice(problem, now))


def _test_notice(problem: Problem, now: dt.datetime) -> Notice:
    id_ = f"test-{int(now.timestamp())}"
    return Notice(
        protocol=NOTICE_PROTOCOL,
        id=id_,
        alert=id_,
        key=f"{problem.name}/test/model",
        news="test",
        model=problem.name,
        versions=(),
        kind="other",
        signal="test",
        source="model",
        severity=Severity.INFO,
        title="a test of this sink",
        subjects=(),
        message="Nothing is wrong: somebody tried whether messages arrive.",
        action="Nothing.",
        owner=problem.owner,
        contact=problem.contact,
        escalation=problem.escalation,
        runbook="",
        window="",
        opened_at=None,
        at=now,
    )


class _Round:
    """One pass over the outbox."""

    def __init__(self, workspace: Workspace, problem: Problem, actor: Actor, pace: Pace, clock: Clock) -> None:
        self._workspace = workspace
        self._problem = problem
        self._actor = actor
        self._pace = pace
        self._clock = clock
        self._failures: dict[str, str] = {}

    def run(self, messages: Sequence[AlertMessage]) -> Delivery:
        """Try each message whose sink has not failed in this round."""
        counts = dict.fromkeys(Outcome, 0)
        for message in messages:
            if message.sink not in self._failures:
                counts[self._try(message)] += 1
        delivered, expired = counts[Outcome.DELIVERED], counts[Outcome.EXPIRED]
        failures = tuple(f"{sink}: {said}" for sink, said in self._failures.items())
        return Delivery(delivered, expired, len(messages) - delivered - expired, failures)

    def _try(self, message: AlertMessage) -> Outcome:
        """One round of tries for one message, and its row."""
        too_old = self._clock() - message.at > dt.timedelta(days=self._problem.alerts.keep_days)
        plan = self._problem.alerts.sinks.get(message.sink)
        if plan is None or too_old:
            why = "the project file names no such sink" if plan is None else "it waited too long"
            return self._note(message, Outcome.EXPIRED, 0, why)
        try:
            sink = make_sink(plan, self._workspace.root)
        except ConfigError as error:
            return self._failed(message, 0, error)
        return self._deliver(sink, message)

    def _deliver(self, sink: AlertSink, message: AlertMessage) -> Outcome:
        notice = Notice.from_dict(message.body)
        waits = self._pace.waits(message.id)
        for number in range(1, self._pace.tries + 1):
            try:
                sink.deliver(notice)
            except ConfigError as error:
                return self._failed(message, number, error)
            except ModelyardError as error:
                wait = next(waits, None)
                if wait is None:
                    return self._failed(message, number, error)
                self._pace.sleep(wait)
            else:
                return self._note(message, Outcome.DELIVERED, number, "")
        return Outcome.FAILED

    def _failed(self, message: AlertMessage, tries: int, error: ModelyardError) -> Outcome:
        self._failures[message.sink] = error.sentence
        return self._note(message, Outcome.FAILED, tries, error.sentence)

    def _note(self, message: AlertMessage, outcome: Outcome, tries: int, said: str) -> Outcome:
        with self._workspace.ledger.transaction() as transaction:
            enter_attempt(transaction, message, outcome, tries, said, self._actor)
        return outcome
