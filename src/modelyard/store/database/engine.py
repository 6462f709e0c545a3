"""How the database is opened: write-ahead log on SQLite, and one writer at a time on SQLite and PostgreSQL."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from modelyard.core import ConfigError, MissingExtraError, ModelyardError
from modelyard.store.database import errors

__all__ = ["damaged_pages", "database_path", "open_engine", "reading", "writing"]

_WRITES = "modelyard_writes"
_TURN = 0x6D6F64656C79  # "modely": the advisory lock that writers of a server take in turn
_CONNECT_TIMEOUT_S = 10
_SILENCE_MS = 15_000
"""After this a server that does not acknowledge what was sent counts as gone."""


def open_engine(location: Path | str) -> sa.Engine:
    """An engine for a file (SQLite), whose folder is made, or any SQLAlchemy URL. Nothing is opened yet.

    Connections are not pooled: a pooled one would be shared by accident with forked worker processes.
    On SQLite a transaction of :func:`writing` begins with BEGIN IMMEDIATE, so that what it reads first is what it
    changes; others only read and wait for nobody. On PostgreSQL it takes an advisory lock first, for the same reason:
    each of its statements sees what the writer before has committed, and no two writers can stand in each other's way.

    Raises
    ------
    ConfigError
        If the URL is malformed, its driver is not installed, or it is SQLite in memory, which no second process
        could read.
    MissingExtraError
        If it is PostgreSQL's, and psycopg is not installed.
    ModelyardError
        If the folder of the file cannot be made.
    """
    url = _url(location)
    is_server = url.get_backend_name() == "postgresql"
    patience = {"connect_timeout": _CONNECT_TIMEOUT_S, "tcp_user_timeout": _SILENCE_MS} if is_server else {}
    try:
        engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=patience)
    except (sa.exc.NoSuchModuleError, ImportError) as error:
        if is_server:
            raise MissingExtraError("psycopg", extra="postgresql", needed_for="a shared store") from error
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
    elif is_server:
        sa.event.listen(engine, "begin", _take_turn)
    return engine


def reading(engine: sa.Engine) -> sa.Engine:
    """The same engine, whose transactions each see one moment of all tables."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine


def writing(engine: sa.Engine) -> sa.Engine:
    """The same engine, whose transactions take the write lock at once."""
    if engine.dialect.name == "postgresql":
        # Once the lock is held, a statement must see what the writer before has committed.
        return engine.execution_options(**{_WRITES: True}, isolation_level="READ COMMITTED")
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
    cursor.execute(f"PRAGMA busy_timeout = {int(errors.BUSY_TIMEOUT_S * 1000)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # The head file is flushed to disk after a commit; the commit itself must have got there before.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _take_turn(connection: sa.Connection) -> None:
    """The first statement of a writing transaction on a server; the lock is freed with the transaction, however it ends."""
    if connection.get_execution_options().get(_WRITES, False):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(errors.BUSY_TIMEOUT_S * 1000)}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TURN})")
