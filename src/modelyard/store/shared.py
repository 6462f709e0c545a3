"""Which ledger is a project's: the file of its own, or a database that several people share."""

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from modelyard.core import ConfigError, IntegrityError, Record, StateError, system_actor
from modelyard.store.checkpoints import notary_of
from modelyard.store.head import Head, HeadFile
from modelyard.store.ledger import Ledger
from modelyard.store.tables import ledger_table, metadata
from modelyard.store.transaction import LedgerTransaction, last_row

if TYPE_CHECKING:
    from modelyard.problem.sections import StorePlan

__all__ = ["STORE_VARIABLE", "Shared", "open_ledger", "share_ledger"]

STORE_VARIABLE = "MODELYARD_STORE"
_FILE = "ledger.db"
_HEAD = "ledger.head"
_KEPT = "ledger-before-sharing.db"
_AT_ONCE = 1_000
_OPENED = "test.opened"


@dataclasses.dataclass(frozen=True)
class Shared(Record):
    """What became of a project's own history when it came to a shared store.

    Parameters
    ----------
    rows
        Ledger rows of the project's own file.
    is_moved
        True if they went to the store, which was empty; False if the project joined a store with a history of its own.
    kept
        Where the file is kept.
    """

    rows: int
    is_moved: bool
    kept: str


def open_ledger(state: Path, plan: "StorePlan | None" = None) -> Ledger:
    """The ledger of a project.

    On a shared store each machine keeps a head file of its own: so it finds a server whose ledger was cut off since it was
    last here, and a project whose history suddenly lies somewhere else.

    Parameters
    ----------
    state
        The project's folder ``.modelyard``.
    plan
        What the project file says; ``MODELYARD_STORE`` says it for a machine, and wins.

    Raises
    ------
    StateError
        If the project has a history in its own file already.
    ConfigError
        If the address is not PostgreSQL's, or names a variable that is not set.
    ModelyardError
        As :meth:`Ledger.open` raises.
    """
    notary = notary_of(plan.checkpoints, state.parent) if plan and plan.checkpoints.to else None
    address = _address(plan)
    if not address:
        return Ledger.open(state / _FILE, notary=notary)
    if (state / _FILE).exists():
        raise StateError(
            "this project has a history of its own, and names a shared store",
            where=str(state / _FILE),
            got=_shown(address),
            cure=f"Run: modelyard ledger share; or take out store.address, or {STORE_VARIABLE}",
        )
    return Ledger.open(_server(address), head=state / _HEAD, notary=notary)


def share_ledger(state: Path, plan: "StorePlan") -> Shared:
    """Bring a project's own history to the shared store that its file names.

    An empty store takes the whole of it, row by row, so that the chain goes on; the registry's tables come along. A store
    that has a history is joined instead, if nothing in the project's own rests on it: no version, no token, no opening of
    a test part. The file is kept under another name, and a row in the store says what its last hash was.

    Raises
    ------
    StateError
        If no shared store is named, there is nothing to bring, or the two histories cannot become one.
    IntegrityError
        If the project's own history is damaged.
    """
    address = _address(plan)
    if address is None or not (state / _FILE).exists():
        what = "no shared store is named" if address is None else "there is no history to share"
        raise StateError(what, where="store.address", cure="Run: modelyard ledger verify")
    own = Ledger.open(state / _FILE)
    found = own.verify()
    if not found.ok:
        raise IntegrityError(found.problem, where=str(state / _FILE), cure="Restore it from a backup first")
    store = Ledger.open(_server(address))
    with own.reading() as connection, store.transaction() as transaction:
        last = last_row(connection)
        there = last_row(transaction.connection)
        if _hash_at(transaction.connection, last.sequence) == last.hash and last.sequence:
            is_moved = True  # by a call that was killed before it put the file away
        else:
            is_moved = there.sequence == 0
            _bring(connection, transaction, last, is_joining=not is_moved)
    if not is_moved:
        HeadFile(state / _HEAD).replace(transaction.last or there)
    _put_away(state)
    return Shared(last.sequence, is_moved, str(state / _KEPT))


def _bring(own: sa.Connection, transaction: LedgerTransaction, last: Head, *, is_joining: bool) -> None:
    details = {"rows": last.sequence, "hash": last.hash}
    if not is_joining:
        for table in metadata.sorted_tables:
            _copy(own, transaction.connection, table)
        transaction.append(system_actor(), "ledger.shared", "ledger", details)
        return
    opened = own.execute(sa.select(ledger_table.c.sequence).where(ledger_table.c.action == _OPENED).limit(1)).all()
    full = [table.name for table in _beside(own) if own.execute(sa.select(table).limit(1)).all()]
    if full or opened:
        raise StateError(
            "the store has a history, and so has this project; two chains cannot become one",
            where="store.address",
            got=", ".join(full) or "an opening of the test part",
            cure="Name an empty database, or begin the project anew beside the store",
        )
    transaction.append(system_actor(), "ledger.joined", "ledger", details)


def _copy(own: sa.Connection, store: sa.Connection, table: sa.Table) -> None:
    """All rows of a table, with their numbers."""
    if not sa.inspect(own).has_table(table.name):
        return
    result = own.execute(sa.select(table).order_by(*table.primary_key.columns)).mappings()
    for rows in result.partitions(_AT_ONCE):
        store.execute(table.insert(), [{str(key): value for key, value in row.items()} for row in rows])
    counted = table.autoincrement_column
    if counted is not None:
        highest = sa.select(sa.func.max(counted)).scalar_subquery()
        store.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table.name, counted.name), highest)))


def _beside(connection: sa.Connection) -> list[sa.Table]:
    """The tables beside the ledger that are there."""
    there = set(sa.inspect(connection).get_table_names())
    return [table for table in metadata.sorted_tables if table is not ledger_table and table.name in there]


def _hash_at(connection: sa.Connection, sequence: int) -> Any:
    return connection.execute(sa.select(ledger_table.c.hash).where(ledger_table.c.sequence == sequence)).scalar()


def _put_away(state: Path) -> None:
    """Keep the file under another name; the last connection that closed has emptied its write-ahead log into it."""
    for ending in ("-wal", "-shm"):
        (state / f"{_FILE}{ending}").unlink(missing_ok=True)
    (state / _FILE).rename(state / _KEPT)


def _address(plan: "StorePlan | None") -> str | None:
    return os.environ.get(STORE_VARIABLE) or (plan.address if plan else None)


def _server(address: str) -> str:
    """The whole address of a shared store, password and all.

    Raises
    ------
    ConfigError
        If it is not PostgreSQL's, or names a variable that is not set.
    """
    from modelyard.problem.address import fill_in, scheme_of

    if scheme_of(address) not in ("postgresql", "postgresql+psycopg"):
        raise ConfigError(
            "a shared store is a PostgreSQL database",
            where=STORE_VARIABLE,
            got=_shown(address),
            cure="Write postgresql+psycopg://user:${PASSWORD}@host/name, or take it out: the history then lies in a file",
        )
    filled, _ = fill_in(address)
    return filled.replace("postgresql://", "postgresql+psycopg://", 1)


def _shown(address: str) -> str:
    from modelyard.problem.address import without_password

    return without_password(address)
