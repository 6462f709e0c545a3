"""The lease: one process at a time does what is due, on whatever machine; a process that was killed loses it by time."""

import contextlib
import datetime as dt
import logging
import os
import socket
import threading
from collections.abc import Iterator

import sqlalchemy as sa

from modelyard.core import Clock, LockedError, ModelyardError, new_id, system_clock
from modelyard.schedule.tables import schedule_leases
from modelyard.store import Ledger, repeated

__all__ = ["LEASE_S", "Lease"]

LEASE_S = 60.0
"""Seconds after which a process that was not heard of has lost the lease."""

_SKEW = 10
_LOG = logging.getLogger(__name__)


class Lease:
    """The right to do what is due for one model.

    The time of both machines counts, where two share a database: clocks that are further apart than :data:`LEASE_S` make
    two holders possible. What a holder then does is not written down, since each row asks for the lease within its own
    transaction.

    Parameters
    ----------
    ledger
        In whose database the lease is.
    model
        Of the project.
    clock
        Says when it ends.
    length_s
        How long it lasts without being renewed.
    """

    def __init__(self, ledger: Ledger, model: str, *, clock: Clock = system_clock, length_s: float = LEASE_S) -> None:
        self._ledger = ledger
        self._model = model
        self._clock = clock
        self._length_s = length_s
        self.holder = f"{socket.gethostname()} {os.getpid()} {new_id()[-6:]}"
        self._is_lost = threading.Event()

    @property
    def is_lost(self) -> bool:
        """True if another process took the lease from this one, or it could not be renewed in time."""
        return self._is_lost.is_set()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lease for the block, renewed from a thread of its own.

        Raises
        ------
        LockedError
            If another process has it.
        """
        self._ledger.create_tables()
        self.take()
        over = threading.Event()
        thread = threading.Thread(target=self._renew, args=(over,), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self._give_back()

    @repeated
    def take(self) -> None:
        """Take the lease, or renew it; see :meth:`held`."""
        now = self._clock().timestamp()
        lease = schedule_leases.c
        with self._ledger.transaction() as transaction:
            connection = transaction.connection
            row = connection.execute(sa.select(schedule_leases).where(lease.model == self._model)).one_or_none()
            values = {"holder": self.holder, "until": now + self._length_s}
            if row is None:
                connection.execute(schedule_leases.insert().values(model=self._model, **values))
                return
            if row.holder != self.holder and _holds(row.until, now, self._length_s):
                until = dt.datetime.fromtimestamp(row.until, dt.UTC)
                raise LockedError(
                    "another process does what is due for this model",
                    where=self._model,
                    got=f"{row.holder.rpartition(' ')[0]}, until {until:%H:%M:%S} UTC at least",
                    cure="Leave it to that one, or stand by: modelyard watch --standby",
                )
            connection.execute(sa.update(schedule_leases).where(lease.model == self._model).values(values))

    def require(self, connection: sa.Connection) -> None:
        """Let the holder pass, within the transaction that writes.

        Raises
        ------
        LockedError
            If another process took the lease.
        """
        lease = schedule_leases.c
        found = connection.execute(sa.select(lease.holder).where(lease.model == self._model)).scalar_one_or_none()
        if found != self.holder or self.is_lost:
            self._is_lost.set()
            raise lost(self._model)

    def _renew(self, over: threading.Event) -> None:
        """Renew again and again; a database that is busy or away is asked again until the lease is over."""
        missed = 0
        while not over.wait(self._length_s / 4):
            try:
                self.take_again()
                missed = 0
            except ModelyardError as error:
                missed += 1
                _LOG.warning("the lease was not renewed: %s", error)
                if missed > 3 or self.is_lost:
                    self._is_lost.set()
                    return

    @repeated
    def take_again(self) -> None:
        """Renew the lease that this process has.

        Raises
        ------
        LockedError
            If another process took it.
        """
        with self._ledger.transaction() as transaction:
            self.require(transaction.connection)
            until = self._clock().timestamp() + self._length_s
            mine = sa.update(schedule_leases).where(schedule_leases.c.model == self._model)
            transaction.connection.execute(mine.values(until=until))

    def _give_back(self) -> None:
        """Free it for others, if it is still this process's; if that fails it ends by itself."""
        lease = schedule_leases.c
        mine = sa.delete(schedule_leases).where(lease.model == self._model, lease.holder == self.holder)
        with contextlib.suppress(ModelyardError), self._ledger.transaction() as transaction:
            transaction.connection.execute(mine)


def lost(model: str) -> LockedError:
    """What a process says that is not the holder any more."""
    return LockedError(
        "another process has taken over what is due for this model, so this one stops",
        where=model,
        cure="Look at that one; this one was not heard of for too long",
    )


def _holds(until: float, now: float, length_s: float) -> bool:
    """Whether a lease still counts. One that would end far later than any lease can is from a clock that was put back."""
    return now <= until <= now + _SKEW * length_s
