"""Somebody who may write the file of a ledger, and whom no trigger stops."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

__all__ = ["behind_triggers", "forge"]


@contextlib.contextmanager
def behind_triggers(database: Path, *, put_back: bool = True) -> Iterator[sqlite3.Connection]:
    """A connection for a block, without the triggers; after it they are as they were, unless they are not put back."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, sql in triggers if put_back else []:
            connection.execute(sql)


def forge(database: Path, statement: str) -> None:
    """Change the tables so that nothing but their content tells."""
    with behind_triggers(database) as connection:
        connection.execute(statement)
