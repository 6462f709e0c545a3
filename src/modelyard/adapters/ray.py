"""Ray as an executor: units on the cores of this machine, or of a cluster."""

import dataclasses
import functools
import os
import secrets
import socket
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelyard.adapters.ray_link import RayLink, library_versions, unlike_driver
from modelyard.core import StateError, write_atomic
from modelyard.training.executor import (
    NO_LIMIT,
    WORKER_DIED,
    Limit,
    Outcome,
    Unit,
    attempt,
    ended,
    one_line,
    patience_s,
)

__all__ = ["RayExecutor"]

_RETRIES = 1
"""How often a unit is tried again whose worker died; Ray runs one unit a worker, so no other is touched."""

_MARK = ".driver"


class RayExecutor:
    """Sends units to Ray's workers; implements :class:`modelyard.training.Executor`.

    Units map files of the search's folder into memory. On several machines that folder, so the project, must lie where
    all of them see it under the same path; and all must have the same versions of what computes, or results would
    depend on who computed them. Both are tried on each worker before its first unit.

    Parameters
    ----------
    workers
        Units at work at once; by default one per core of the cluster.
    address
        Of a cluster: ``ray://host:10001``, ``host:6379``, or ``auto`` for the one that this machine belongs to. By
        default the Ray that this process is connected to already, else one is started on this machine, and ended by
        ``close``.

    Raises
    ------
    MissingExtraError
        On first use, if Ray is not installed.
    StateError
        From ``as_completed``, if a worker does not see the folder or has other versions.
    ModelyardError
        On first use, if nothing answers at the address.
    """

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:
        self.workers = workers
        self.address = address
        self._link = RayLink(workers, address)
        self._waiting: deque[tuple[Unit, Limit]] = deque()
        self._running: dict[Any, _Job] = {}
        self._marks: dict[Path, str] = {}
        self._attempt: Any = None

    def submit(self, unit: Unit, limit: Limit = NO_LIMIT) -> None:
        """Queue a unit."""
        self._waiting.append((unit, limit))

    def as_completed(self) -> Iterator[Outcome]:
        """Keep as many units at work as there are cores, and yield outcomes as they come."""
        while self._waiting or self._running:
            ray = self._link.connected()
            yield from self._fill()
            if not self._running:
                continue
            timeout = patience_s(job.ends_at for job in self._running.values())
            done, _ = ray.wait(list(self._running), num_returns=1, timeout=timeout)
            for reference in done:
                yield self._outcome(reference)
            yield from self._end_late()

    def cancel(self) -> None:
        """Empty the queue; units at work are finished."""
        self._waiting.clear()

    def close(self) -> None:
        """Stop units at work by ending their workers, and Ray itself if it was started here."""
        self.cancel()
        running, self._running = list(self._running), {}
        for reference in running:
            self._link.connected().cancel(reference, force=True)
        self._link.close()
        self._attempt = None

    def _fill(self) -> Iterator[Outcome]:
        """Hand out work; what is too late to begin is answered."""
        while self._waiting and len(self._running) < self._link.room():
            unit, limit = self._waiting.popleft()
            if limit.until <= time.monotonic():
                yield ended(unit.key, limit, time.monotonic())
            else:
                self._start(unit, limit)

    def _end_late(self) -> Iterator[Outcome]:
        """End the workers whose units take too long; Ray tries none of these again."""
        now = time.monotonic()
        for reference, job in list(self._running.items()):
            if job.ends_at <= now and reference in self._running:
                del self._running[reference]
                self._link.connected().cancel(reference, force=True)
                yield ended(job.unit.key, job.limit, job.began)

    def _start(self, unit: Unit, limit: Limit) -> None:
        folder: Path | None = getattr(unit, "folder", None)
        ground = _Ground(Path.cwd(), folder, self._mark(folder), tuple(library_versions().items()))
        if self._attempt is None:  # Ray tries a unit again by itself when its worker or its machine dies
            self._attempt = self._link.connected().remote(num_cpus=1, max_retries=_RETRIES)(_attempt_here)
        reference = self._attempt.remote(unit, ground)
        self._running[reference] = _Job(unit, limit, time.monotonic())

    def _mark(self, folder: Path | None) -> str:
        """A word that is written once into a folder, by which workers know that they see the same one."""
        if folder is None:
            return ""
        if folder not in self._marks or not (folder / _MARK).exists():  # a search that is over removes its folder
            self._marks.setdefault(folder, secrets.token_hex(8))
            write_atomic(folder / _MARK, self._marks[folder].encode())
        return self._marks[folder]

    def _outcome(self, reference: Any) -> Outcome:
        from ray.exceptions import NodeDiedError, OutOfMemoryError, RayError, WorkerCrashedError

        unit = self._running.pop(reference).unit
        try:
            found: Outcome | str = self._link.connected().get(reference)
        except (WorkerCrashedError, NodeDiedError, OutOfMemoryError):
            return Outcome(unit.key, None, WORKER_DIED)
        except RayError as error:
            return Outcome(unit.key, None, one_line(error))
        if isinstance(found, str):
            raise StateError(
                "a worker of the Ray cluster cannot do the work of this machine",
                where="training.address",
                got=found,
                cure="Put the project into a folder that all machines share under the same path, with the same versions "
                "installed; or take training.address out to work on this machine",
            )
        return found


@dataclasses.dataclass(frozen=True)
class _Job:
    """A unit that Ray was given: its limit, and since when; that it may still wait for a core is not seen from here."""

    unit: Unit
    limit: Limit
    began: float

    @property
    def ends_at(self) -> float:
        """When it is ended."""
        return self.limit.ends_at(self.began)


@dataclasses.dataclass(frozen=True)
class _Ground:
    """What a worker must have in common with the driver.

    Parameters
    ----------
    home
        The driver's working directory, from which relative paths lead on.
    folder, mark
        Where the unit's files lie, and the word that the driver wrote there.
    versions
        Of what computes.
    """

    home: Path
    folder: Path | None
    mark: str
    versions: tuple[tuple[str, str], ...]


def _attempt_here(unit: Unit, ground: _Ground) -> Outcome | str:
    """Run a unit in a worker; text says what the worker lacks."""
    lacking = _lacking(ground)
    if lacking:
        return lacking
    if ground.folder is not None:
        os.chdir(ground.home)
    return attempt(unit)


@functools.lru_cache(maxsize=8)
def _lacking(ground: _Ground) -> str:
    """What keeps this process from working for a driver; empty if nothing does."""
    unlike = unlike_driver(ground.versions)
    if unlike or ground.folder is None:
        return unlike
    try:
        seen = (ground.home / ground.folder / _MARK).read_text(encoding="utf-8") == ground.mark
    except OSError:
        seen = False
    return "" if seen else f"{socket.gethostname()} does not see {ground.home / ground.folder} of the driver"
