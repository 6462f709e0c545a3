"""The ledger: an append-only, hash-chained record of who did what, in the same transaction as the change."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from modelyard.core import (
    Actor,
    Clock,
    IntegrityError,
    ModelyardError,
    StateError,
    canonical_json,
    system_actor,
    system_clock,
)
from modelyard.core.files import atomic_file
from modelyard.store.chain import LedgerRow, Verification, check_chain, read_row
from modelyard.store.checkpoints import Notary
from modelyard.store.database import (
    begun,
    damaged_pages,
    database_path,
    is_lost,
    open_engine,
    reading,
    repeated,
    translated_errors,
    writing,
)
from modelyard.store.head import Head, HeadFile
from modelyard.store.schema import FOREIGN, HEAD, require_known, revision_of, stamp, upgrade
from modelyard.store.tables import changed_triggers, ledger_table, metadata
from modelyard.store.transaction import LedgerTransaction, contradiction, last_row
from modelyard.store.watch import Watch

__all__ = ["Ledger"]

_LOG = logging.getLogger(__name__)
_AT_ONCE = {"yield_per": 1_000}
"""Rows that are in memory at a time, however long the ledger is; more would not fit the processor's cache."""


class Ledger:
    """Who did what to what, and when: appended, never changed, readable by several processes at once.

    Rows are chained by SHA-256, so that an edit, a deletion or a swap of rows is found by :meth:`verify`; a head file (see
    :class:`modelyard.store.head.HeadFile`) shows that rows were cut off at the end, and signed checkpoints show it to those
    who do not trust this machine. Triggers refuse UPDATE and DELETE, and writers take turns: each waits up to 10 s for the
    other. A transaction of one ledger must not be opened inside another.

    Use :meth:`open`.
    """

    def __init__(self, engine: sa.Engine, clock: Clock, head: HeadFile | None, notary: Notary | None) -> None:
        self._reader = reading(engine)
        self._writer = writing(engine)
        self._clock = clock
        self._head = head
        self._notary = notary
        self._made: frozenset[str] = frozenset()

    @classmethod
    def open(
        cls,
        location: Path | str,
        *,
        clock: Clock = system_clock,
        head: Path | None = None,
        notary: Notary | None = None,
    ) -> Self:
        """Open a ledger, and make it if it is not there; one of an earlier release is brought to the form of this one.

        Parameters
        ----------
        location
            Path of an SQLite file, or any SQLAlchemy URL.
        clock
            Gives the time of the rows.
        head
            Where this machine remembers the last row of a server's ledger; beside an SQLite file it is kept anyway.
        notary
            Signs checkpoints, and has them kept outside of the database.

        Raises
        ------
        ConfigError
            If the URL is malformed, or its driver is not installed.
        StateError
            If a later release made the tables.
        MissingExtraError
            If an earlier one did, and Alembic is not installed.
        IntegrityError
            If the file is no database or is damaged.
        LockedError
            If it had to be made and another process holds the lock for more than 10 s, or a server cannot be reached.
        ModelyardError
            If the file cannot be read.
        """
        engine = open_engine(location)
        path = database_path(engine)
        remembers = HeadFile(path.with_suffix(".head")) if path else None
        if remembers is None and head is not None:
            remembers = HeadFile(head, is_one_of_many=True)
        ledger = cls(engine, clock, remembers, notary)
        ledger.create_tables()
        return ledger

    @property
    def where(self) -> str:
        """The file or server, without a password."""
        return self._reader.url.render_as_string()

    def create_tables(self) -> None:
        """Make the tables on ``metadata`` that are not there yet; several processes may do so at once."""
        wanted = frozenset(metadata.tables)
        if not wanted <= self._made:
            self._make_tables()
            self._made = wanted

    @repeated
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
        UndoneError
            If a server undid the block, or was lost before the commit; see :func:`modelyard.store.database.repeated`.
        StateError
            If a server was lost during the commit and does not come back, so that nobody knows what became of it.
        """
        with translated_errors(self._reader), begun(self._writer) as connection:
            transaction = LedgerTransaction(connection, self._clock, self._head)
            yield transaction
            self._commit(connection, transaction.last)
        if transaction.last:
            self._tell(transaction.last)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one moment of all tables and holds no write lock."""
        with translated_errors(self._reader), begun(self._reader) as connection:
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
            found = connection.execute(query).mappings().all()
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
            return last_row(connection).sequence

    def verify(self, beside: Callable[[sa.Connection], str] | None = None) -> Verification:
        """Follow the whole chain, compare with the head file and the checkpoints, and look at triggers and pages.

        A bad ledger is an answer, not an error; only one that cannot be reached raises (``LockedError`` and others).

        Parameters
        ----------
        beside
            Says in one sentence what is wrong with tables beside the ledger's, at the same moment; ``""`` if nothing is.
        """
        try:
            # The head is read first: rows that others append meanwhile can only make the table longer.
            head = self._head.read() if self._head else None
            attested = self._notary.attested() if self._notary else ()
            with self.reading() as connection:
                found = self._verify(connection, head)
                if found.ok and self._notary:
                    found = self._notary.confirm(found, attested, lambda sequence: _hash_of(connection, sequence))
                if found.ok and beside is not None:
                    found = found.unless(beside(connection))
                return found
        except IntegrityError as error:
            return Verification(ok=False, rows=0, problem=error.sentence)

    def export(self, path: Path) -> int:
        """Write all rows as JSON lines, whole or not at all, a row at a time; returns how many.

        Raises
        ------
        IntegrityError
            If a row cannot be read.
        ModelyardError
            If the disk is full or the folder cannot be written.
        """
        query = sa.select(ledger_table).order_by(ledger_table.c.sequence)
        count = 0
        with self.reading() as connection, atomic_file(path) as temporary, temporary.open("wb") as stream:
            for row in connection.execute(query, execution_options=_AT_ONCE).mappings():
                stream.write(canonical_json(read_row(row).to_dict()) + b"\n")
                count += 1
        return count

    def checkpoint(self) -> Head:
        """Sign the last row now, and have the signature kept where the project file says.

        Raises
        ------
        StateError
            If no checkpoints are asked for.
        ModelyardError
            If there is no key, or a place cannot be written to.
        """
        if self._notary is None:
            raise StateError(
                "no checkpoints are asked for", where="store.checkpoints", cure="Name a place: store.checkpoints.to"
            )
        with self.reading() as connection:
            last = last_row(connection)
        self._notary.sign(last)
        return last

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
        with translated_errors(self._reader), begun(self._writer) as connection:
            transaction = LedgerTransaction(connection, self._clock, None)
            details = {"reason": reason.strip(), "problem": problem}
            row = transaction.append(actor, "ledger.head_renewed", "ledger", details)
            self._commit(connection, transaction.last)
        self._head.replace(Head(row.sequence, row.hash))
        return row

    def _make_tables(self) -> None:
        with self.reading() as connection:
            _, is_whole = self._form(connection)
        if is_whole:
            return
        with self.transaction() as transaction:
            connection = transaction.connection
            revision, is_whole = self._form(connection)  # another process may have been faster
            if is_whole:
                return
            is_old = revision not in (None, FOREIGN, HEAD)
            if revision is not None and is_old:
                upgrade(connection, revision)
            metadata.create_all(connection)
            if revision is None:
                stamp(connection)
            elif is_old:
                transaction.append(system_actor(), "store.upgraded", "ledger", {"from": revision, "to": HEAD})

    def _form(self, connection: sa.Connection) -> tuple[str | None, bool]:
        """The revision of the tables, and whether all of them are there in the newest form."""
        revision = revision_of(connection)
        require_known(revision, self.where)
        present = set(sa.inspect(connection).get_table_names())
        return revision, set(metadata.tables) <= present and revision in (FOREIGN, HEAD)

    def _commit(self, connection: sa.Connection, last: Head | None) -> None:
        """Commit; if the server is lost meanwhile, find out whether it did."""
        try:
            connection.commit()
        except sa.exc.DBAPIError as error:
            if last is None or not is_lost(error):
                raise
            if not self._was_committed(last):
                raise

    def _was_committed(self, last: Head) -> bool:
        """Whether a row is there. The writer's turn is awaited, which a server gives back when it has ended the lost commit."""
        try:
            with begun(self._writer) as connection:
                return _hash_of(connection, last.sequence) == last.hash
        except sa.exc.DBAPIError as error:
            raise StateError(
                "the connection to the ledger was lost during the commit, so it is not known whether the change was made",
                where=self.where,
                got=f"row {last.sequence}",
                cure="When the server runs again, look before you repeat it: modelyard ledger",
            ) from error

    def _tell(self, last: Head) -> None:
        """Have the last row remembered outside of the database. The rows are committed by now: what fails here is only said."""
        try:
            if self._head:
                self._head.advance(last)
            if self._notary:
                self._notary.sign_if_due(last)
        except ModelyardError as error:
            _LOG.warning("the head of the ledger was not updated: %s", error)

    def _head_problem(self) -> str:
        """What is wrong with the head file; ``""`` if nothing is."""
        try:
            head = self._head.read() if self._head else None
        except IntegrityError as error:
            return f"{error.what}: {error.got}"
        with self.reading() as connection:
            return self._contradiction(connection, last_row(connection).sequence, head)

    def _contradiction(self, connection: sa.Connection, rows: int, head: Head | None) -> str:
        if self._head is None or (head is None and self._head.is_one_of_many):
            return ""
        return contradiction(connection, rows, head)

    def _verify(self, connection: sa.Connection, head: Head | None) -> Verification:
        columns = ("sequence", "at", "actor", "actor_source", "action", "subject", "details", "previous", "hash")
        query = sa.select(*(ledger_table.c[name] for name in columns)).order_by(ledger_table.c.sequence)
        chain = check_chain(connection.execute(query, execution_options=_AT_ONCE))
        if not chain.ok:
            return chain
        problem = self._contradiction(connection, chain.rows, head)
        if problem:
            missing = chain.rows + 1 if head and head.sequence > chain.rows else None
            return Verification(ok=False, rows=chain.rows, first_bad_sequence=missing, problem=problem)
        changed = changed_triggers(connection)
        if changed:
            return chain.unless(
                f"triggers that keep rows from being changed are missing or altered: {', '.join(changed)}"
            )
        return chain.unless(damaged_pages(connection))


def _hash_of(connection: sa.Connection, sequence: int) -> str | None:
    """The hash of a row; None if there is none of that number."""
    found: str | None = connection.execute(
        sa.select(ledger_table.c.hash).where(ledger_table.c.sequence == sequence)
    ).scalar_one_or_none()
    return found
