"""What a driver's error means: one of ours, with its cure."""

import contextlib
import re
import sqlite3
from collections.abc import Iterator

import sqlalchemy as sa

from modelyard.core import IntegrityError, LockedError, ModelyardError, UndoneError

__all__ = ["BUSY_TIMEOUT_S", "is_lost", "translated_errors"]

BUSY_TIMEOUT_S = 10.0
"""Seconds that one writer waits for another."""

_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)

# SQLSTATEs of PostgreSQL, see the appendix "Error Codes" of its manual.
_LOCK_NOT_AVAILABLE = "55P03"
_UNDONE = ("40001", "40P01")
_DIFFERENT_TABLES = ("42P01", "42703", "42804")
_LOST = re.compile(r"08...|57P0.")


@contextlib.contextmanager
def translated_errors(engine: sa.Engine) -> Iterator[None]:
    """Turn the driver's errors of the block into ours; broken constraints pass through untouched.

    Raises
    ------
    LockedError
        If another process held the write lock for longer than 10 s.
    UndoneError
        If a server undid the transaction for the sake of others, or the connection to it broke before the commit.
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


def is_lost(error: sa.exc.DBAPIError) -> bool:
    """Whether the connection to a server broke, or none came about."""
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(error.orig, sqlite3.Error):
        return False
    is_silent = state is None and isinstance(error, sa.exc.OperationalError)
    return bool(error.connection_invalidated or is_silent or _LOST.fullmatch(state or ""))


def _translation(error: sa.exc.DBAPIError, where: str) -> ModelyardError:
    """The error of ours that says what the driver's means."""
    said = str(error.orig)
    first = said.strip().partition("\n")[0] or type(error).__name__
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # the primary code is in the low byte
    state = getattr(error.orig, "sqlstate", None)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or state == _LOCK_NOT_AVAILABLE:
        return LockedError(
            f"another process has been writing to the ledger for more than {BUSY_TIMEOUT_S:.0f} s",
            where=where,
            got=first,
            cure="Wait until it ends, then run this command again; nothing was changed",
        )
    # Text that is no text, and tables that lack a column, carry no code of their own.
    is_odd = isinstance(error.orig, sqlite3.Error) and code in (0, sqlite3.SQLITE_ERROR)
    if code in _DAMAGED or is_odd or state in _DIFFERENT_TABLES:
        return IntegrityError(
            "the ledger is damaged",
            where=where,
            got=first,
            cure="Restore it from a backup; do not delete it, it is the record of what was done",
        )
    if state in _UNDONE or is_lost(error):
        return UndoneError(
            "the connection to the ledger was lost" if is_lost(error) else "the database undid the change",
            where=where,
            got=first,
            cure="See that the server runs, then run the command again; nothing was changed",
        )
    return ModelyardError(
        "the ledger could not be used",
        where=where,
        got=first,
        cure="Free some space, or fix the permissions or the address; nothing was changed",
    )
