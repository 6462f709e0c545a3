"""The rows of jobs: what was served, what has failed how often; and the ledger's row of a run that did something."""

import dataclasses
import datetime as dt
from typing import Any

import sqlalchemy as sa

from modelyard.core import Actor, Clock
from modelyard.problem.duration import seconds_of
from modelyard.schedule.lease import Lease
from modelyard.schedule.records import Outcome, Ran
from modelyard.schedule.slots import Slots
from modelyard.schedule.tables import schedule_jobs
from modelyard.store import Ledger, repeated

__all__ = ["FAILED", "RAN", "Book", "Due", "JobRow", "due", "read_rows"]

RAN = "schedule.ran"
FAILED = "schedule.failed"

_LONGEST_WAIT_S = 3600.0


@dataclasses.dataclass(frozen=True)
class JobRow:
    """What is known of a job; moments are in seconds since the epoch."""

    served: float | None = None
    began: float | None = None
    ended: float | None = None
    failures: int = 0
    retry: float | None = None
    said: str = ""


@dataclasses.dataclass(frozen=True)
class Due:
    """A job that is due: for which moment, and how many before it were missed."""

    slot: dt.datetime
    missed: int


def due(slots: Slots, row: JobRow | None, now: dt.datetime) -> Due | None:
    """Whether a job is due, and for which moment. Pure.

    However many moments went by, the last one alone is served. After the clock was put back, nothing is done twice; a
    moment that lies further ahead than the next one was served by a clock that was wrong, and does not count.
    """
    latest = slots.latest(now)
    slot = slots.at(latest)
    if row is None or row.served is None:
        return None if slots.waits and row is None else _unless_it_waits(Due(slot, 0), row, now)
    served = slots.latest(dt.datetime.fromtimestamp(row.served, dt.UTC))
    if served in (latest, latest + 1):
        return None
    return _unless_it_waits(Due(slot, max(0, latest - served - 1)), row, now)


def _unless_it_waits(found: Due, row: JobRow | None, now: dt.datetime) -> Due | None:
    """After a failure the next try has its own time; not if the clock was put back to before it."""
    if row is None or row.retry is None:
        return found
    return None if (row.began or 0.0) <= now.timestamp() < row.retry else found


class Book:
    """The rows of one model's jobs. Every writer holds the lease.

    Parameters
    ----------
    ledger, model
        Where the rows are, and of which model.
    lease
        Without it nothing is written.
    clock
        Gives the moments.
    """

    def __init__(self, ledger: Ledger, model: str, lease: Lease, *, clock: Clock) -> None:
        self._ledger = ledger
        self._model = model
        self._lease = lease
        self._clock = clock

    @repeated
    def note_seen(self, job: str, slot: dt.datetime) -> None:
        """A job with a time of day is seen for the first time: it waits for the next one."""
        with self._ledger.transaction() as transaction:
            self._lease.require(transaction.connection)
            self._put(transaction.connection, job, JobRow(served=slot.timestamp()))

    @repeated
    def begin(self, job: str, row: JobRow, retry: str) -> JobRow:
        """A run begins; until it ends it counts as one that failed, so that a run that kills its process is not repeated at once."""
        failures = row.failures + 1
        wait_s = min(seconds_of(retry) * 2 ** min(row.failures, 20), max(_LONGEST_WAIT_S, seconds_of(retry)))
        now = self._clock().timestamp()
        said = row.said if row.ended else "it began and did not end"
        begun = dataclasses.replace(row, began=now, failures=failures, retry=now + wait_s, said=said)
        with self._ledger.transaction() as transaction:
            self._lease.require(transaction.connection)
            self._put(transaction.connection, job, begun)
        return begun

    @repeated
    def end(self, ran: Ran, begun: JobRow, actor: Actor, *, is_noted: bool) -> None:
        """A run ended; one that was broken off is due as before."""
        row = dataclasses.replace(begun, ended=self._clock().timestamp(), said=ran.said)
        if ran.outcome in (Outcome.DONE, Outcome.NOTHING):
            row = dataclasses.replace(row, served=ran.slot.timestamp(), failures=0, retry=None)
        elif ran.outcome is Outcome.BROKEN_OFF:
            row = dataclasses.replace(row, ended=begun.ended, failures=begun.failures - 1, retry=None)
        with self._ledger.transaction() as transaction:
            self._lease.require(transaction.connection)
            self._put(transaction.connection, ran.job, row)
            if ran.outcome is Outcome.FAILED:
                transaction.append(actor, FAILED, f"{self._model}/{ran.job}", _details(ran))
            elif ran.outcome is Outcome.DONE and is_noted:
                transaction.append(actor, RAN, f"{self._model}/{ran.job}", _details(ran))

    def _put(self, connection: sa.Connection, job: str, row: JobRow) -> None:
        values = dataclasses.asdict(row)
        mine = (schedule_jobs.c.model == self._model, schedule_jobs.c.job == job)
        if not connection.execute(sa.update(schedule_jobs).where(*mine).values(values)).rowcount:
            connection.execute(schedule_jobs.insert().values(model=self._model, job=job, **values))


def read_rows(ledger: Ledger, model: str) -> dict[str, JobRow]:
    """Every job of a model that is known, by name."""
    ledger.create_tables()
    query = sa.select(schedule_jobs).where(schedule_jobs.c.model == model)
    with ledger.reading() as connection:
        found = connection.execute(query).mappings().all()
    names = [field.name for field in dataclasses.fields(JobRow)]
    return {row["job"]: JobRow(**{name: row[name] for name in names}) for row in found}


def _details(ran: Ran) -> dict[str, Any]:
    kept = ran.to_dict()
    return {name: kept[name] for name in ("slot", "said", "missed", "failures", "seconds")}
