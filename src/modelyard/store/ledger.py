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
    StateError,
    canonical_json,
    system_clock,
    write_atomic,
)
from modelyard.store.chain import GENESIS, LedgerRow, Verification, check_chain, read_row, row_hash
from modelyard.store.database import damaged_pages, database_path, open_engine, translated_errors, writing
from modelyard.store.head import Head, HeadFile
from modelyard.store.tables import changed_triggers, ledger_table, metadata
from modelyard.store.watch import Watch

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
        last = _last_row(self.connection)
        if self._head is None:
            return last
        known = self._head.read()
        if known is None and last.sequence == 0:
            # Written before the first row is: from then on a head file that is missing was taken away.
            self._head.advance(last)
            return last
        problem = _contradiction(self.connection, last.sequence, known)
        if problem:
            raise IntegrityError(
                problem,
                where=str(self._head.path),
                cure="Restore ledger.db and ledger.head from a backup; "
                "without one, Ledger.renew_head notes the loss and goes on",
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
        ConfigError
            If the URL is malformed, or its driver is not installed.
        IntegrityError
            If the file is no database or is damaged.
        LockedError
            If it had to be made and another process holds the lock for more than 10 s.
        ModelyardError
            If the file or server cannot be reached.
        """
        ledger = cls(open_engine(location), clock)
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

    def append(self, actor: Actor, action: str, subject: str, details: Mapping[str, Any] | None = None) -> LedgerRow:
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
            # The rows are committed by now: a head that cannot be written stays old, which is harmless, and is said.
            try:
                self._head.advance(transaction.last)
            except ModelyardError as error:
                _LOG.warning("the head of the ledger was not updated: %s", error)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one moment of all tables and holds no write lock."""
        with translated_errors(self._reader), self._reader.begin() as connection:
            yield connection

    def rows(self, *, action: str | None = None, subject: str | None = None) -> tuple[LedgerRow, ...]:
        """Rows in order of sequence; only those with this action and subject, where given.

        Raises
        ------
        IntegrityError
            If a row cannot be read.
        """
        query = sa.select(ledger_table).order_by(ledger_table.c.sequence)
        if action is not None:
            query = query.where(ledger_table.c.action == action)
        if subject is not None:
            query = query.where(ledger_table.c.subject == subject)
        with self.reading() as connection:
            found = list(_stored(connection.execute(query)))
        return tuple(read_row(row) for row in found)

    def count(self, action: str, subject: str) -> int:
        """How many rows have this action and subject."""
        query = sa.select(sa.func.count()).where(ledger_table.c.action == action, ledger_table.c.subject == subject)
        with self.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def watch(self) -> Watch:
        """Says, often and cheaply, whether anything was committed."""
        return Watch(database_path(self._reader), self.length)

    def length(self) -> int:
        """How many rows there are."""
        with self.reading() as connection:
            return _last_row(connection).sequence

    def verify(self) -> Verification:
        """Follow the whole chain, compare with the head file, and look at the triggers and the pages of the file.

        A bad ledger is an answer, not an error; only one that cannot be reached raises (``LockedError`` and others).
        """
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

    def renew_head(self, actor: Actor, reason: str) -> LedgerRow:
        """Go on after the head file was lost, or contradicts the table, and no backup helps.

        The loss is not hidden: a row ``ledger.head_renewed`` says who went on, why, and what was wrong.

        Raises
        ------
        StateError
            If nothing is wrong with the head, or no reason is given.
        """
        problem = self._head_problem()
        if self._head is None or not problem or not reason.strip():
            what = "the head of the ledger needs no renewal" if not problem else "a reason is needed"
            raise StateError(what, where="ledger", cure="Run: modelyard ledger verify" if not problem else "Say why")
        with translated_errors(self._reader), self._writer.begin() as connection:
            transaction = LedgerTransaction(connection, self._clock, None)
            details = {"reason": reason.strip(), "problem": problem}
            row = transaction.append(actor, "ledger.head_renewed", "ledger", details)
        self._head.replace(Head(row.sequence, row.hash))
        return row

    def _head_problem(self) -> str:
        """What is wrong with the head file; ``""`` if nothing is."""
        try:
            head = self._head.read() if self._head else None
        except IntegrityError as error:
            return f"{error.what}: {error.got}"
        with self.reading() as connection:
            return _contradiction(connection, _last_row(connection).sequence, head)

    def _verify(self, connection: sa.Connection, head: Head | None) -> Verification:
        query = sa.select(ledger_table).order_by(ledger_table.c.sequence)
        chain = check_chain(_stored(connection.execute(query)))
        if not chain.ok:
            return chain
        problem = _contradiction(connection, chain.rows, head) if self._head else ""
        if problem:
            missing = chain.rows + 1 if head and head.sequence > chain.rows else None
            return Verification(ok=False, rows=chain.rows, first_bad_sequence=missing, problem=problem)
        changed = changed_triggers(connection)
        if changed:
            problem = f"triggers that keep rows from being changed are missing or altered: {', '.join(changed)}"
        problem = problem or damaged_pages(connection)
        return Verification(ok=not problem, rows=chain.rows, problem=problem)


def _stored(result: sa.Result[Any]) -> Iterator[dict[str, Any]]:
    """The rows of a result, each as a plain mapping by column."""
    names = list(result.keys())
    return (dict(zip(names, row, strict=True)) for row in result)


def _last_row(connection: sa.Connection) -> Head:
    """Sequence and hash of the last row of the table."""
    query = sa.select(ledger_table.c.sequence, ledger_table.c.hash).order_by(ledger_table.c.sequence.desc()).limit(1)
    found = connection.execute(query).one_or_none()
    return Head(found.sequence, found.hash) if found else Head(0, GENESIS)


def _contradiction(connection: sa.Connection, rows: int, head: Head | None) -> str:
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
