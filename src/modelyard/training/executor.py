"""Where units of work run: in this process, or in a pool of worker processes. Others come by adapters."""

import dataclasses
import logging
import math
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from modelyard.core import Record, load_registered

if TYPE_CHECKING:
    from joblib.externals.loky import Future, ProcessPoolExecutor

__all__ = [
    "NO_LIMIT",
    "ONE_THREAD",
    "WORKER_DIED",
    "Executor",
    "InProcessExecutor",
    "Limit",
    "LocalPoolExecutor",
    "Outcome",
    "Unit",
    "attempt",
    "cores",
    "ended",
    "load_executor",
    "one_line",
    "patience_s",
]

_GROUP = "modelyard.executors"

_LOG = logging.getLogger(__name__)

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
"""What a worker's environment says, so that a unit computes with one thread."""

WORKER_DIED = "the worker process died (out of memory, or a fault in a library)"

_IDLE_TIMEOUT_S = 60
_DRIVER_CHECK_S = 1.0


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


class Unit(Protocol):
    """A piece of work that can be sent to another process.

    One that reads or writes files names their folder by an attribute ``folder``; executors on several machines look
    whether all of them see it.
    """

    @property
    def key(self) -> str:
        """Unique among the units submitted."""

    def run(self) -> Mapping[str, Any]:
        """Do the work; the answer is small and JSON-ready, large results go to files."""


@dataclasses.dataclass(frozen=True)
class Outcome(Record):
    """How a unit ended.

    Parameters
    ----------
    key
        The unit's.
    result
        What it returned; None if it failed.
    error
        Why it failed, in one line; ``""`` if it did not.
    late
        True if it was ended, or not begun, because its ``until`` had come: no fault of its own.
    """

    key: str
    result: Mapping[str, Any] | None
    error: str = ""
    late: bool = False


@dataclasses.dataclass(frozen=True)
class Limit:
    """How long a unit may take; by default for ever.

    Parameters
    ----------
    seconds
        From when a worker was given the unit.
    until
        A moment by the driver's ``time.monotonic``; a unit that has not begun by then is not begun.
    """

    seconds: float = math.inf
    until: float = math.inf

    def ends_at(self, began: float) -> float:
        """When a unit that began at a moment is ended."""
        return min(began + self.seconds, self.until)


NO_LIMIT = Limit()


@runtime_checkable
class Executor(Protocol):
    """Runs units, in whatever order and place.

    Duties
    ------
    - ``submit`` returns at once; nothing need run before ``as_completed`` is iterated.
    - ``as_completed`` yields one outcome for each unit submitted, as they end, and stops when none is left; units
      submitted meanwhile are included.
    - A unit that raises gives an outcome with an error; a worker that dies gives one too, for the unit that killed it
      and for no other. Neither stops the rest.
    - A unit that takes longer than its limit is ended together with its worker process, and gives an outcome with an error
      that says so (:func:`ended`). No other unit is lost by that. An executor that has no processes of its own cannot
      end a unit, and says so.
    - ``cancel`` drops units that have not begun; those that have are still yielded.
    - ``close`` stops everything, begun units too, and frees all processes; nothing may be submitted afterwards.
      It may be called twice, and also while ``KeyboardInterrupt`` is on its way.
    - A unit computes with one thread wherever it runs, so results do not depend on the executor.
    - All calls come from one thread.
    """

    def submit(self, unit: Unit, limit: Limit = NO_LIMIT) -> None:
        """Take a unit, and how long it may take."""

    def as_completed(self) -> Iterator[Outcome]:
        """Outcomes, as they come."""

    def cancel(self) -> None:
        """Drop what has not begun."""

    def close(self) -> None:
        """Stop, and free everything."""


def attempt(unit: Unit) -> Outcome:
    """Run a unit; whatever it raises becomes an outcome. The edge of a worker: one failure must not stop the others."""
    try:
        return Outcome(unit.key, unit.run())
    except Exception as error:  # noqa: BLE001 - whatever a library raises is this unit's failure, and is recorded
        _LOG.info("unit %s failed:\n%s", unit.key, traceback.format_exc())
        return Outcome(unit.key, None, one_line(error))


def one_line(error: BaseException) -> str:
    """An error as its outcome tells it: type and message, without line breaks."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:500]


def ended(key: str, limit: Limit, began: float) -> Outcome:
    """The outcome of a unit that was ended since it took too long."""
    if limit.until <= began + limit.seconds:
        return Outcome(key, None, "ended: the time for it was over", late=True)
    return Outcome(key, None, f"ended after {limit.seconds:g} s: training.unit_minutes")


def patience_s(ends: Iterable[float]) -> float | None:
    """Seconds until the first of some moments, none below 0; None if there is none."""
    first = min(ends, default=math.inf)
    return None if math.isinf(first) else max(0.0, first - time.monotonic())


class InProcessExecutor:
    """One unit after another, in this process: for small tables, debugging, and comparison.

    It hears no limit: a process cannot end its own work. Where one must be kept, take a pool of one worker.

    Parameters
    ----------
    workers, address
        Taken for the sake of one signature for all executors; not used.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True)
    ... class Square:
    ...     number: int
    ...
    ...     @property
    ...     def key(self) -> str:
    ...         return str(self.number)
    ...
    ...     def run(self) -> Mapping[str, Any]:
    ...         return {"square": self.number**2}
    >>> executor = InProcessExecutor()
    >>> executor.submit(Square(3))
    >>> [outcome.result for outcome in executor.as_completed()]
    [{'square': 9}]
    """

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:  # noqa: ARG002
        self._waiting: deque[Unit] = deque()

    def submit(self, unit: Unit, limit: Limit = NO_LIMIT) -> None:  # noqa: ARG002
        """Queue a unit."""
        self._waiting.append(unit)

    def as_completed(self) -> Iterator[Outcome]:
        """Run what is queued, in order."""
        while self._waiting:
            yield attempt(self._waiting.popleft())

    def cancel(self) -> None:
        """Empty the queue."""
        self._waiting.clear()

    def close(self) -> None:
        """Empty the queue; there is nothing else to free."""
        self.cancel()


class LocalPoolExecutor:
    """Processes on this machine, started by loky (which joblib brings): no main guard, no fork.

    Each worker is a pool of its own with one process, so that one that dies, or is ended, takes no unit along but the one
    it was at work on. A unit whose worker died is tried once more, alone, with all memory to itself.

    Parameters
    ----------
    workers
        Number of processes; by default one per core that this process may use.
    address
        Taken for the sake of one signature for all executors; not used.
    """

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:  # noqa: ARG002
        self.workers = workers or cores()
        self._waiting: deque[_Task] = deque()
        self._lost: deque[_Task] = deque()
        self._running: dict[Future, _Job] = {}
        self._idle = [_Worker() for _ in range(self.workers)]

    def submit(self, unit: Unit, limit: Limit = NO_LIMIT) -> None:
        """Queue a unit."""
        self._waiting.append(_Task(unit, limit))

    def as_completed(self) -> Iterator[Outcome]:
        """Keep all workers busy, and yield outcomes as they come."""
        from joblib.externals.loky import FIRST_COMPLETED, wait

        while self._waiting or self._lost or self._running:
            yield from self._fill()
            timeout = patience_s(job.ends_at for job in self._running.values())
            done, _ = wait(list(self._running), timeout=timeout, return_when=FIRST_COMPLETED)
            for future in done:
                yield from self._collect(future)
            yield from self._end_late()

    def cancel(self) -> None:
        """Empty the queue; units at work are finished."""
        self._waiting.clear()
        self._lost.clear()

    def close(self) -> None:
        """End all worker processes."""
        self.cancel()
        self._idle += [job.worker for job in self._running.values()]
        self._running.clear()
        for worker in self._idle:
            worker.end()

    def _fill(self) -> Iterator[Outcome]:
        """Hand out work: a unit that lost its worker alone, else one to each worker; what is too late is answered."""
        if self._lost:
            if not self._running:
                self._start(self._lost.popleft(), again=True)
            return
        if any(job.again for job in self._running.values()):
            return
        while self._waiting and self._idle:
            task = self._waiting.popleft()
            if task.limit.until <= time.monotonic():
                yield ended(task.unit.key, task.limit, time.monotonic())
            else:
                self._start(task)

    def _start(self, task: "_Task", *, again: bool = False) -> None:
        worker = self._idle.pop()
        future = worker.start(task.unit)
        self._running[future] = _Job(task, worker, time.monotonic(), again)

    def _collect(self, future: "Future") -> Iterator[Outcome]:
        """The outcome of a future that is done, unless its worker died for the first time."""
        from joblib.externals.loky import BrokenProcessPool

        job = self._running.pop(future, None)
        if job is None:  # closed meanwhile
            return
        self._idle.append(job.worker)
        key, error = job.task.unit.key, future.exception()
        if error is None:
            yield future.result()
        elif not isinstance(error, BrokenProcessPool):
            yield Outcome(key, None, one_line(error))
        else:
            job.worker.end()
            if job.again:
                yield Outcome(key, None, WORKER_DIED)
            else:
                self._lost.append(job.task)

    def _end_late(self) -> Iterator[Outcome]:
        """End the workers whose units take too long; the others go on."""
        now = time.monotonic()
        late = [future for future, job in self._running.items() if job.ends_at <= now and not future.done()]
        for future in late:
            job = self._running.pop(future, None)
            if job is None:  # closed meanwhile
                return
            job.worker.end()
            self._idle.append(job.worker)
            yield ended(job.task.unit.key, job.task.limit, job.began)


@dataclasses.dataclass(frozen=True)
class _Task:
    """A unit, and how long it may take."""

    unit: Unit
    limit: Limit


@dataclasses.dataclass(frozen=True)
class _Job:
    """A task at work: where, since when, and whether for the second time."""

    task: _Task
    worker: "_Worker"
    began: float
    again: bool

    @property
    def ends_at(self) -> float:
        """When it is ended."""
        return self.task.limit.ends_at(self.began)


class _Worker:
    """One process, which is started for its first unit, and anew after it died."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def start(self, unit: Unit) -> "Future":
        """Give it a unit."""
        from joblib.externals.loky import BrokenProcessPool

        if self._pool is None:
            self._pool = _new_pool()
        try:
            return self._pool.submit(attempt, unit)
        except BrokenProcessPool:  # it died while it was idle; nothing was lost
            self.end()
            self._pool = _new_pool()
            return self._pool.submit(attempt, unit)

    def end(self) -> None:
        """End the process, whatever it is doing."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, kill_workers=True)


def _new_pool() -> "ProcessPoolExecutor":
    from joblib.externals.loky import ProcessPoolExecutor

    return ProcessPoolExecutor(
        max_workers=1,
        timeout=_IDLE_TIMEOUT_S,
        env=dict(ONE_THREAD),
        initializer=_begin_worker,
        initargs=(os.getpid(),),
    )


def _begin_worker(driver: int) -> None:
    """Leave Ctrl-C, which reaches all processes of a terminal, to the driver; and end when the driver is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(driver,), name="driver-watch", daemon=True).start()


def _end_with(driver: int) -> None:
    """End this process when it is no longer a child of ``driver``; results in files are whole or absent."""
    while os.getppid() == driver:
        time.sleep(_DRIVER_CHECK_S)
    os._exit(1)


def load_executor(name: str, *, workers: int | None = None, address: str | None = None) -> Executor:
    """The executor registered under ``name`` in the entry points ``modelyard.executors``.

    Parameters
    ----------
    workers
        Units at work at once; None leaves it to the executor.
    address
        Of the cluster, for an executor that has one.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    registered = load_registered(_GROUP, name, kind="executor", where="training.executor")
    executor: Executor = registered(workers=workers, address=address)
    return executor
