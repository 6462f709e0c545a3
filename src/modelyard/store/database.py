"""How the database is opened and spoken to: write-ahead log, honest locks, clear errors."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from modelyard.core import ConfigError, IntegrityError, LockedError, ModelyardError

__all__ = ["BUSY_TIMEOUT_S", "damaged_pages", "database_path", "open_engine", "translated_errors", "writing"]

BUSY_TIMEOUT_S = 10.0
_WRITES = "modelyard_writes"
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def open_engine(location: Path | str) -> sa.Engine:
    """An engine for a file (SQLite), whose folder is made, or any SQLAlchemy URL. Nothing is opened yet.

    Connections are not pooled: a pooled one would be shared by accident with forked worker processes.
    On SQLite a transaction of :func:`writing` begins with BEGIN IMMEDIATE, so that what it reads first is what it
    changes; others only read and wait for nobody.

    Raises
    ------
    ConfigError
        If the URL is malformed, its driver is not installed, or it is SQLite in memory, which no second process
        could read.
    ModelyardError
        If the folder of the file cannot be made.
    """
    url = _url(location)
    try:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
    except (sa.exc.NoSuchModuleError, ImportError) as error:
        raise ConfigError(
            "the driver of the ledger's database is not installed",
            where=url.render_as_string(),
            got=str(error),
            cure="Install the driver's package, or keep the ledger in a file",
        ) from error
    if engine.dialect.name == "sqlite":
        _make_folder(database_path(engine))
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def writing(engine: sa.Engine) -> sa.Engine:
    """The same engine, whose transactions take the write lock at once."""
    return engine.execution_options(**{_WRITES: True})


def database_path(engine: sa.Engine) -> Path | None:
    """The file of an SQLite database; None for a server."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        return Path(engine.url.database)
    return None


def damaged_pages(connection: sa.Connection) -> str:
    """What SQLite finds wrong with the pages of the file, in one sentence; ``""`` if nothing, or on a server."""
    if connection.dialect.name != "sqlite":
        return ""
    found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    return "" if found == "ok" else f"pages of the file are damaged: {' '.join(found.split())}"


def _url(location: Path | str) -> sa.URL:
    if isinstance(location, Path) or "://" not in location:
        return sa.URL.create("sqlite", database=str(location))
    try:
        url = sa.make_url(location)
    except sa.exc.ArgumentError as error:
        # The address may hold a password, so only its scheme is shown.
        raise ConfigError(
            "the ledger's address is malformed",
            got=f"{location.split('://', 1)[0]}://…",
            cure="Give a file, or driver://user@host/database",
        ) from error
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ConfigError("the ledger must outlive the process", got=location, cure="Give the path of a file")
    return url


def _make_folder(path: Path | None) -> None:
    """Make the folder of the database file."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelyardError(
            "the folder of the ledger cannot be made",
            where=str(path.parent),
            got=error.strerror or str(error),
            cure="Fix the permissions, or choose another project folder",
        ) from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Settings of each connection; the transaction's beginning is ours (see ``_begin_sqlite``)."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # The head file is flushed to disk after a commit; the commit itself must have got there before.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextlib.contextmanager
def translated_errors(engine: sa.Engine) -> Iterator[None]:
    """Turn the driver's errors of the block into ours; broken constraints pass through untouched.

    Raises
    ------
    LockedError
        If another process held the write lock for longer than 10 s.
    IntegrityError
        If the file is no database, its pages are damaged, or its tables are not those that modelyard made.
    ModelyardError
        For a full disk, missing permissions and whatever else the database says.
    """
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except sa.exc.DBAPIError as error:
        raise _translation(error, engine.url.render_as_string()) from error


def _translation(error: sa.exc.DBAPIError, where: str) -> ModelyardError:
    """The error of ours that says what the driver's means."""
    said = str(error.orig)
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # the primary code is in the low byte
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LockedError(
            f"another process has been writing to the ledger for more than {BUSY_TIMEOUT_S:.0f} s",
            where=where,
            got=said,
            cure="Wait until it ends, then run this command again; nothing was changed",
        )
    # Text that is no text, and tables that lack a column, carry no code of their own.
    if code in _DAMAGED or (isinstance(error.orig, sqlite3.Error) and code in (0, sqlite3.SQLITE_ERROR)):
        return IntegrityError(
            "the ledger is damaged",
            where=where,
            got=said,
            cure="Restore the file from a backup; do not delete it, it is the record of what was done",
        )
    return ModelyardError(
        "the ledger could not be used",
        where=where,
        got=said.splitlines()[0] if said else type(error).__name__,
        cure="Free some space, or fix the permissions or the address; nothing was changed",
    )
