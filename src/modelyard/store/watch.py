"""Whether anything was committed since the last look: for those who look several times a second."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from modelyard.core import IntegrityError

__all__ = ["Watch"]


class Watch:
    """Tells changes of a database apart from none.

    On SQLite this costs some microseconds: ``PRAGMA data_version`` on a connection of its own, which changes with each commit
    of any other connection. Elsewhere the ledger is asked for its length.

    Parameters
    ----------
    path
        The file of an SQLite database; None for a server.
    length
        Counts the rows of the ledger.
    """

    def __init__(self, path: Path | None, length: Callable[[], int]) -> None:
        self._length = length
        self._connection = None
        if path is not None:
            # Looks come from one thread at a time, though not always from the same one.
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._seen = -1

    def has_changed(self) -> bool:
        """True at the first look, and whenever something was committed since the last one.

        Raises
        ------
        ModelyardError
            If the database cannot be asked.
        """
        mark = self._length() if self._connection is None else self._version(self._connection)
        changed, self._seen = mark != self._seen, mark
        return changed

    @staticmethod
    def _version(connection: sqlite3.Connection) -> int:
        try:
            return int(connection.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error as error:
            raise IntegrityError(
                "the ledger cannot be asked", got=str(error), cure="Run: modelyard ledger verify"
            ) from error
