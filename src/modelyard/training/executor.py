"""Where units of work run: in this process, or in a pool of worker processes. Others come by adapters."""

import dataclasses
import logging
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from modelyard.core import Record, load_registered

if TYPE_CHECKING:
    from joblib.externals.loky import Future, ProcessPoolExecutor

__all__ = [
    "ONE_THREAD",
    "Executor",
    "InProcessExecutor",
    "LocalPoolExecutor",
    "Outcome",
    "Unit",
    "attempt",
    "cores",
    "load_executor",
    "one_line",
]

_GROUP = "modelyard.executors"

_LOG = logging.getLogger(__name__)

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
"""What a worker's environment says, so that a unit computes with one thread."""

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
    """

    key: str
    result: Mapping[str, Any] | None
    error: str = ""


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
    - ``cancel`` drops units that have not begun; those that have are still yielded.
    - ``close`` stops everything, begun units too, and frees all processes; nothing may be submitted afterwards.
      It may be called twice, and also while ``KeyboardInterrupt`` is on its way.
    - A unit computes with one thread wherever it runs, so results do not depend on the executor.
    - All calls come from one thread.
    """

    def submit(self, unit: Unit) -> None:
        """Take a unit."""

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


class InProcessExecutor:
    """One unit after another, in this process: for small tables, debugging, and comparison.

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

    def submit(self, unit: Unit) -> None:
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
    """A pool of processes on this machine, started by loky (which joblib brings): no main guard, no fork.

    No more units are handed to the pool than it has workers, so that those at work are known when a worker dies. They
    are then tried again one at a time: the one that kills its worker again, alone, is the culprit.

    Parameters
    ----------
    workers
        Number of processes; by default one per core that this process may use.
    address
        Taken for the sake of one signature for all executors; not used.
    """

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:  # noqa: ARG002
        self.workers = workers or cores()
        self._waiting: deque[Unit] = deque()
        self._suspects: deque[Unit] = deque()
        self._running: dict[Future, Unit] = {}
        self._pool: ProcessPoolExecutor | None = None
        self._alone = False

    def submit(self, unit: Unit) -> None:
        """Queue a unit."""
        self._waiting.append(unit)

    def as_completed(self) -> Iterator[Outcome]:
        """Keep all workers busy, and yield outcomes as they come."""
        from joblib.externals.loky import FIRST_COMPLETED, wait

        while self._waiting or self._suspects or self._running:
            self._fill()
            done, _ = wait(list(self._running), return_when=FIRST_COMPLETED)
            yield from self._collect(done)

    def cancel(self) -> None:
        """Empty the queue; units at work are finished."""
        self._waiting.clear()
        self._suspects.clear()

    def close(self) -> None:
        """End all worker processes."""
        self.cancel()
        self._running.clear()
        self._drop_pool()

    def _fill(self) -> None:
        """Hand out work: a suspect alone, else as many units as there are workers."""
        if self._suspects:
            if not self._running:
                self._alone = True
                self._start(self._suspects.popleft())
            return
        self._alone = False
        while self._waiting and len(self._running) < self.workers:
            self._start(self._waiting.popleft())

    def _start(self, unit: Unit) -> None:
        from joblib.externals.loky import BrokenProcessPool

        if self._pool is None:
            self._pool = _new_pool(self.workers)
        try:
            future = self._pool.submit(attempt, unit)
        except BrokenProcessPool:  # an idle worker died; nothing was lost
            self._drop_pool()
            self._pool = _new_pool(self.workers)
            future = self._pool.submit(attempt, unit)
        self._running[future] = unit

    def _collect(self, done: "set[Future]") -> Iterator[Outcome]:
        """Outcomes of finished futures; after a crash, the units that were at work beside each other are suspects."""
        from joblib.externals.loky import BrokenProcessPool, wait

        if any(isinstance(future.exception(), BrokenProcessPool) for future in done):
            done = set(wait(list(self._running)).done)  # a broken pool fails all its futures at once
            self._drop_pool()
        for future in done:
            unit, error = self._running.pop(future), future.exception()
            if error is None:
                yield future.result()
            elif isinstance(error, BrokenProcessPool) and not self._alone:
                self._suspects.append(unit)
            elif isinstance(error, BrokenProcessPool):
                yield Outcome(unit.key, None, "the worker process died (out of memory, or a fault in a library)")
            else:
                yield Outcome(unit.key, None, one_line(error))

    def _drop_pool(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, kill_workers=True)


def _new_pool(workers: int) -> "ProcessPoolExecutor":
    from joblib.externals.loky import ProcessPoolExecutor

    return ProcessPoolExecutor(
        max_workers=workers,
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
