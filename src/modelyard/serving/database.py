"""Databases that take rows from serving: PostgreSQL and SQLite, whose transactions hold tables and rows alike."""

import contextlib
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from modelyard.core import ConfigError, MissingExtraError, StateError
from modelyard.problem.address import fill_in, holds_password, without_password

__all__ = ["Database"]

_CONNECT_TIMEOUT_S = 15
_DIALECTS = ("postgresql", "sqlite")


class Database:
    """A database by its address; nothing is opened before the first transaction.

    Parameters
    ----------
    address
        Such as ``postgresql+psycopg://ann:${PASSWORD}@host/shop`` or ``sqlite:///shop.db``.

    Raises
    ------
    ConfigError
        If the address holds a password, names a variable that is not set, or another kind of database.
    MissingExtraError
        If the driver is not installed.
    """

    def __init__(self, address: str) -> None:
        self.address = without_password(address)
        if holds_password(address):
            raise ConfigError(
                "the address holds a password",
                where=self.address,
                cure="Write ${NAME} in its place, and set the environment variable NAME",
            )
        filled, self._secrets = fill_in(address)
        self._engine = _engine(filled, self.address)

    @property
    def is_postgresql(self) -> bool:
        """True for PostgreSQL, False for SQLite."""
        return self._engine.dialect.name == "postgresql"

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A transaction that is committed if the block ends well, and leaves no trace otherwise.

        Raises
        ------
        StateError
            If the database cannot be reached or refuses what it is told; no secret of the address is shown.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except (sa.exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            for secret in self._secrets:
                reason = reason.replace(secret, "…")
        else:
            return
        # Raised outside of the handler, so that no traceback shows what the driver was given.
        raise StateError(
            "the database does not take the rows",
            where=self.address,
            got=reason[:160],
            cure="See that it runs, and that the login may make tables; what it has taken is kept",
        )

    def has_table(self, connection: sa.Connection, name: str) -> bool:
        """Whether there is a table or a view of that name."""
        return bool(sa.inspect(connection).has_table(name))


def _engine(address: str, shown: str) -> sa.Engine:
    try:
        url = sa.make_url(address)
        dialect = url.get_backend_name()
    except sa.exc.ArgumentError:
        dialect = ""
    if dialect not in _DIALECTS:
        raise ConfigError(
            "rows go to PostgreSQL or SQLite",
            where=shown,
            got=dialect or "no address of a database",
            cure="Write postgresql+psycopg://user:${PASSWORD}@host/name or sqlite:///file.db, or score to a file",
        )
    patience = {"connect_timeout": _CONNECT_TIMEOUT_S} if dialect == "postgresql" else {}
    try:
        engine = sa.create_engine(url, connect_args=patience, poolclass=sa.NullPool)
    except ImportError as error:
        raise MissingExtraError(
            error.name or "psycopg", extra="postgresql", needed_for="writing to this database"
        ) from error
    if dialect == "sqlite":
        sa.event.listen(engine, "connect", _leave_transactions_to_us)
        sa.event.listen(engine, "begin", _begin)
    return engine


def _leave_transactions_to_us(connection: Any, _record: Any) -> None:
    """Python's driver would commit before it makes a table."""
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
