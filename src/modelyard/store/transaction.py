"""A write transaction of the ledger: rows and changes beside them are committed together, or not at all."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from modelyard.core import Actor, Clock, IntegrityError, LockedError, canonical_json
from modelyard.store.chain import GENESIS, LedgerRow, row_hash
from modelyard.store.head import Head, HeadFile
from modelyard.store.tables import ledger_table

__all__ = ["LedgerTransaction", "contradiction", "last_row"]

_ADD = ledger_table.insert()


class LedgerTransaction:
    """A write transaction: ledger rows and changes of other tables are committed together, or not at all.

    Parameters
    ----------
    connection
        The SQLAlchemy connection on which other tables are changed.
    clock
        Gives the time of the rows.
    head
        The last row known outside the database, if any; a contradiction is found before anything is appended.
    """

    def __init__(self, connection: sa.Connection, clock: Clock, head: HeadFile | None) -> None:
        self.connection = connection
        self._clock = clock
        self._head = head
        self.last: Head | None = None

    def append(self, actor: Actor, action: str, subject: str, details: Mapping[str, Any] | None = None) -> LedgerRow:
        """Add the next row.

        Raises
        ------
        IntegrityError
            If rows were cut off or rewritten since the last commit, or the head file is gone.
        LockedError
            If another process added the same row first (only on databases without a write lock of our own).
        ValueError
            If ``details`` hold NaN or an infinity.
        """
        last = self.last or self._last_stored()
        at = self._clock().astimezone(dt.UTC)
        values: dict[str, Any] = {
            "sequence": last.sequence + 1,
            "at": at.isoformat(),
            "actor": actor.name,
            "actor_source": actor.source.value,
            "action": action,
            "subject": subject,
            "details": json.loads(canonical_json(dict(details or {}))),
            "previous": last.hash,
        }
        values["hash"] = row_hash(values)
        stored = {**values, "details": canonical_json(values["details"]).decode("utf-8")}
        try:
            self.connection.execute(_ADD, stored)
        except sa.exc.IntegrityError as error:
            raise LockedError(
                "another process wrote to the ledger at the same time",
                got=str(error.orig),
                cure="Run the command again; nothing was changed",
            ) from error
        self.last = Head(values["sequence"], values["hash"])
        return LedgerRow(**{**values, "at": at})

    def _last_stored(self) -> Head:
        """The last row of the table, checked against the head file."""
        last = last_row(self.connection)
        if self._head is None:
            return last
        known = self._head.read()
        if known is None and (last.sequence == 0 or self._head.is_one_of_many):
            # Written before the first row is: from then on a head file that is missing was taken away.
            self._head.advance(last)
            return last
        problem = contradiction(self.connection, last.sequence, known)
        if problem:
            raise IntegrityError(
                problem,
                where=str(self._head.path),
                cure="Restore the ledger and ledger.head from a backup; without one, note the loss and go on: "
                'modelyard ledger renew --reason "..."',
            )
        return last


def last_row(connection: sa.Connection) -> Head:
    """Sequence and hash of the last row of the table."""
    query = sa.select(ledger_table.c.sequence, ledger_table.c.hash).order_by(ledger_table.c.sequence.desc()).limit(1)
    found = connection.execute(query).one_or_none()
    return Head(found.sequence, found.hash) if found else Head(0, GENESIS)


def contradiction(connection: sa.Connection, rows: int, head: Head | None) -> str:
    """How the table of ``rows`` rows contradicts its head file, in one sentence; ``""`` if it does not."""
    if head is None:
        return "the head file is missing, so a cut-off tail could go unnoticed" if rows else ""
    if head.sequence > rows:
        return f"the ledger was cut off: it had {head.sequence} rows, {rows} are left"
    if head.sequence == 0:
        return ""
    query = sa.select(ledger_table.c.hash).where(ledger_table.c.sequence == head.sequence)
    if connection.execute(query).scalar_one_or_none() != head.hash:
        return f"row {head.sequence} is not the row that the head file remembers: the ledger was rewritten"
    return ""
