"""A tick: everything that is due is done, one job after the other, and every run leaves its mark."""

import dataclasses
import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator, Sequence

from modelyard.core import Clock, ModelyardError, Progress, ProgressEvent, StateError
from modelyard.schedule.book import Book, Due, JobRow, due, read_rows
from modelyard.schedule.jobs import SCHEDULER, Job, Yard, zone_of
from modelyard.schedule.lease import Lease
from modelyard.schedule.records import Done, JobState, Outcome, Ran, Tick
from modelyard.schedule.slots import Slots

__all__ = ["Ticker"]

_LOG = logging.getLogger(__name__)


class _BrokenOffError(StateError):
    """Work is broken off because the process is to end, or has lost the lease; it goes on when it is due again."""


class Ticker:
    """Does what is due for one project. Whoever calls :meth:`tick` holds the lease.

    Parameters
    ----------
    yard
        What jobs work on.
    jobs
        In their order.
    lease
        Without which nothing is begun, and nothing written down.
    is_stopping
        Says whether the process is to end: no further job begins, and long work is broken off where it can go on later.
    """

    def __init__(
        self, yard: Yard, jobs: Sequence[Job], lease: Lease, *, is_stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self._yard = dataclasses.replace(yard, progress=self._breakable(yard.progress))
        self._model = yard.problem.name
        self._clock: Clock = yard.clock
        self._lease = lease
        self._is_stopping = is_stopping
        self._book = Book(yard.workspace.ledger, self._model, lease, clock=yard.clock)
        zone = zone_of(yard.problem).key
        timed = ((job, job.slots(zone)) for job in jobs)
        self._jobs: tuple[tuple[Job, Slots], ...] = tuple((job, slots) for job, slots in timed if slots is not None)

    def tick(self, tell: Callable[[Ran], None] = lambda _: None) -> Tick:
        """Run every job that is due.

        Parameters
        ----------
        tell
            Hears of each run as it ends.

        Raises
        ------
        LockedError
            If another process took the lease meanwhile.
        """
        began, ran = self._clock(), []
        for run in self._due():
            ran.append(run)
            tell(run)
        return Tick(began, tuple(ran), self.next())

    def states(self) -> tuple[JobState, ...]:
        """Where every job stands; nothing is done."""
        rows, now = read_rows(self._yard.workspace.ledger, self._model), self._clock()
        return tuple(_state(job, slots, rows.get(job.name), now) for job, slots in self._jobs)

    def next(self) -> dt.datetime | None:
        """When something is due next; None if nothing ever is."""
        return min((state.next for state in self.states()), default=None)

    def _due(self) -> Iterator[Ran]:
        for job, slots in self._jobs:
            if self._is_stopping():
                return
            row = read_rows(self._yard.workspace.ledger, self._model).get(job.name)
            if row is None and slots.waits:
                self._book.note_seen(job.name, slots.at(slots.latest(self._clock())))
                continue
            found = due(slots, row, self._clock())
            if found is not None:
                yield self._run(job, row or JobRow(), found)

    def _run(self, job: Job, row: JobRow, found: Due) -> Ran:
        """One run, with its mark before and after."""
        begun = self._book.begin(job.name, row, self._yard.problem.schedule.retry)
        began = time.monotonic()
        done, outcome = self._attempted(job, found)
        failures = begun.failures if outcome is Outcome.FAILED else 0
        seconds = round(time.monotonic() - began, 3)
        ran = Ran(job.name, found.slot, outcome, done.said, found.missed, failures, seconds)
        self._book.end(ran, begun, SCHEDULER, is_noted=done.is_noted)
        return ran

    def _attempted(self, job: Job, found: Due) -> tuple[Done, Outcome]:
        """What the job did, or why it could not."""
        try:
            done = job.run(self._yard, found.slot)
        except _BrokenOffError as error:
            return Done(error.what), Outcome.BROKEN_OFF
        except ModelyardError as error:
            return Done(error.sentence), Outcome.FAILED
        except Exception as error:  # noqa: BLE001 - the edge of the process: one job must not stop the others, and everybody is told
            _LOG.exception("the job failed", extra={"job": job.name})
            return Done(f"{type(error).__name__}: {error}"), Outcome.FAILED
        return (done, Outcome.DONE) if done is not None else (Done("nothing to do"), Outcome.NOTHING)

    def _breakable(self, progress: Progress) -> Progress:
        """Progress that ends long work when it must end."""

        def tell(event: ProgressEvent) -> None:
            if self._lease.is_lost:
                raise _BrokenOffError("broken off: another process has the lease")
            if self._is_stopping():
                raise _BrokenOffError("broken off, it goes on when it is due again")
            progress(event)

        return tell


def _state(job: Job, slots: Slots, row: JobRow | None, now: dt.datetime) -> JobState:
    following = slots.at(slots.latest(now) + 1)
    found = None if row is None and slots.waits else due(slots, row, now)
    retry = None if row is None or row.retry is None else dt.datetime.fromtimestamp(row.retry, dt.UTC)
    ended = None if row is None or row.ended is None else dt.datetime.fromtimestamp(row.ended, dt.UTC)
    next_ = found.slot if found is not None else retry if retry is not None and retry > now else following
    return JobState(job.name, job.when, next_, ended, row.failures if row else 0, row.said if row else "")
