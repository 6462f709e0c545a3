"""The ledger: an append-only, hash-chained record of who did what, in the same transaction as the change."""

import contextlib
import datetime as dt
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from modelyard.core import (
    Actor,
    Clock,
    IntegrityError,
    LockedError,
    ModelyardError,
    canonical_json,
    system_clock,
    write_atomic,
)
from modelyard.store.chain import GENESIS, LedgerRow, Verification, check_chain, row_hash
from modelyard.store.database import database_path, open_engine, translated_errors, writing
from modelyard.store.head import Head, HeadFile
from modelyard.store.tables import ledger_table, metadata

__all__ = ["Ledger", "LedgerTransaction"]

_LOG = logging.getLogger(__name__)


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

    def append(
        self, actor: Actor, action: str, subject: str, details: Mapping[str, Any] | None = None
    ) -> LedgerRow:
        """Add the next row.

        Raises
        ------
        IntegrityError
            If rows were cut off or rewritten since the last commit.
        LockedError
            If another process added the same row first (only on databases without a write lock of our own).
        ValueError
            If ``details`` hold NaN or an infinity.
        """
        last = self.last or self._last_stored()
        values: dict[str, Any] = {
            "sequence": last.sequence + 1,
            "at": self._clock().astimezone(dt.UTC).isoformat(),
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
            self.connection.execute(ledger_table.insert().values(stored))
        except sa.exc.IntegrityError as error:
            raise LockedError(
                "another process wrote to the ledger at the same time",
                got=str(error.orig),
                cure="Run the command again; nothing was changed",
            ) from error
        self.last = Head(values["sequence"], values["hash"])
        return LedgerRow.from_dict(values)

    def _last_stored(self) -> Head:
        """The last row of the table, checked against the head file."""
        table = ledger_table.c
        query = sa.select(table.sequence, table.hash).order_by(table.sequence.desc()).limit(1)
        found = self.connection.execute(query).one_or_none()
        last = Head(found.sequence, found.hash) if found else Head(0, GENESIS)
        problem = head_problem(self.connection, last.sequence, self._head) if self._head else ""
        if problem:
            raise IntegrityError(
                problem,
                where=str(self._head.path) if self._head else "",
                cure="Restore ledger.db and its -wal file from a backup; run 'modelyard ledger verify'",
            )
        return last


class Ledger:
    """Who did what to what, and when: appended, never changed, readable by several processes at once.

    Rows are chained by SHA-256, so that an edit, a deletion or a swap of rows is found by :meth:`verify`; a head file
    beside an SQLite database (see :class:`modelyard.store.head.HeadFile`; **unsigned** in this version) shows that
    rows were cut off at the end. On SQLite, triggers refuse UPDATE and DELETE, and writers take turns: each waits up to
    10 s for the other. A transaction of one ledger must not be opened inside another.

    Use :meth:`open`.
    """

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._reader = engine
        self._writer = writing(engine)
        self._clock = clock
        path = database_path(engine)
        self._head = HeadFile(path.with_suffix(".head")) if path else None

    @classmethod
    def open(cls, location: Path | str, *, clock: Clock = system_clock) -> Self:
        """Open a ledger, and make it if it is not there.

        Parameters
        ----------
        location
            Path of an SQLite file, or any SQLAlchemy URL.
        clock
            Gives the time of the rows.

        Raises
        ------
        IntegrityError
            If the file is no database or is damaged.
        LockedError
            If it had to be made and another process holds the lock for more than 10 s.
        ModelyardError
            If the file or server cannot be reached.
        """
        engine = open_engine(location)
        path = database_path(engine)
        if path is not None:
            _make_parent(path)
        ledger = cls(engine, clock)
        ledger.create_tables()
        return ledger

    def create_tables(self) -> None:
        """Make the tables on ``metadata`` that are not there yet; several processes may do so at once."""
        with translated_errors(self._reader):
            with self._reader.connect() as connection:
                present = set(sa.inspect(connection).get_table_names())
            if set(metadata.tables) <= present:
                return
            with self._writer.begin() as connection:
                metadata.create_all(connection)
        if self._head and ledger_table.name not in present:
            self._head.advance(Head(0, GENESIS))

    def append(
        self, actor: Actor, action: str, subject: str, details: Mapping[str, Any] | None = None
    ) -> LedgerRow:
        """Add one row in a transaction of its own; see :meth:`LedgerTransaction.append`."""
        with self.transaction() as transaction:
            return transaction.append(actor, action, subject, details)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[LedgerTransaction]:
        """A block whose ledger rows and other changes are committed together; an error undoes all of them.

        Raises
        ------
        LockedError
            If another process keeps the write lock for more than 10 s.
        """
        with translated_errors(self._reader), self._writer.begin() as connection:
            transaction = LedgerTransaction(connection, self._clock, self._head)
            yield transaction
        if self._head and transaction.last:
            self._advance_head(transaction.last)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one moment of all tables and holds no write lock."""
        with translated_errors(self._reader), self._reader.begin() as connection:
            yield connection

    def rows(self, *, action: str | None = None, subject: str | None = None) -> tuple[LedgerRow, ...]:
        """Rows in order of sequence; only those with this action and subject, where given."""
        query = sa.select(ledger_table).order_by(ledger_table.c.sequence)
        if action is not None:
            query = query.where(ledger_table.c.action == action)
        if subject is not None:
            query = query.where(ledger_table.c.subject == subject)
        with self.reading() as connection:
            found = connection.execute(query).mappings().all()
        return tuple(_as_row(row) for row in found)

    def count(self, action: str, subject: str) -> int:
        """How many rows have this action and subject."""
        query = sa.select(sa.func.count()).where(
            ledger_table.c.action == action, ledger_table.c.subject == subject
        )
        with self.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def verify(self) -> Verification:
        """Follow the whole chain and compare it with the head file; nothing is raised for a bad ledger."""
        try:
            # The head is read first: rows that others append meanwhile can only make the table longer.
            head = self._head.read() if self._head else None
            with self.reading() as connection:
                return self._verify(connection, head)
        except IntegrityError as error:
            return Verification(ok=False, rows=0, problem=error.sentence)

    def export(self, path: Path) -> int:
        """Write all rows as JSON lines, whole or not at all; returns how many."""
        rows = self.rows()
        write_atomic(path, b"".join(canonical_json(row.to_dict()) + b"\n" for row in rows))
        return len(rows)

    def _verify(self, connection: sa.Connection, head: Head | None) -> Verification:
        query = sa.select(ledger_table).order_by(ledger_table.c.sequence)
        verification = check_chain(connection.execute(query).mappings())
        if not verification.ok or self._head is None:
            return verification
        problem = contradiction(connection, verification.rows, head)
        if problem:
            missing = verification.rows + 1 if head and head.sequence > verification.rows else None
            return Verification(ok=False, rows=verification.rows, first_bad_sequence=missing, problem=problem)
        return verification

    def _advance_head(self, head: Head) -> None:
        """The rows are committed by now: a head that cannot be written stays old, which is harmless, and is said."""
        if self._head is None:
            return
        try:
            self._head.advance(head)
        except (ModelyardError, OSError) as error:
            _LOG.warning("the head of the ledger was not updated: %s", error)


def contradiction(connection: sa.Connection, rows: int, head: Head | None) -> str:
    """How the table of ``rows`` rows contradicts its head file, in one sentence; ``""`` if it does not."""
    if head is None:
        return "the head file is missing, so a cut-off tail could go unnoticed" if rows else ""
    if head.sequence > rows:
        return f"the ledger was cut off: it had {head.sequence} rows, {rows} are left"
    if head.sequence == 0:
        return ""
    query = sa.select(ledger_table.c.hash).where(ledger_table.c.sequence == head.sequence)
    stored = connection.execute(query).scalar_one_or_none()
    if stored != head.hash:
        return f"row {head.sequence} is not the row that the head file remembers: the ledger was rewritten"
    return ""


def head_problem(connection: sa.Connection, last_sequence: int, head: HeadFile) -> str:
    """:func:`contradiction` with what the head file holds now."""
    return contradiction(connection, last_sequence, head.read())


def _as_row(values: Mapping[Any, Any]) -> LedgerRow:
    """A stored row as a record."""
    return LedgerRow.from_dict({**values, "details": json.loads(values["details"])})


def _make_parent(path: Path) -> None:
    """Make the folder of the database file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelyardError(
            "the folder of the ledger cannot be made",
            where=str(path.parent),
            got=error.strerror or str(error),
            cure="Fix the permissions, or choose another project folder",
        ) from error
