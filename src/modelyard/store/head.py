"""The head file: the last sequence and hash, kept beside the database so that a cut-off tail is found."""

import contextlib
import dataclasses
import json
from pathlib import Path

from modelyard.core import IntegrityError, Record, exclusive_lock, write_json_atomic

__all__ = ["Head", "HeadFile"]


@dataclasses.dataclass(frozen=True)
class Head(Record):
    """The last row as it was when the file was written.

    Parameters
    ----------
    sequence, hash
        Of that row; 0 and 64 zeros for a ledger that has none yet.
    """

    sequence: int
    hash: str


class HeadFile:
    """The file that remembers the last row; rewritten after each commit.

    A chain of hashes alone cannot show that its last rows were cut off: what is left is a whole chain. The head file
    remembers how long it was. It may be older than the table (a process died between commit and write), never newer.
    It is not signed: somebody who cuts the table and rewrites this file as well is found by checkpoints only.

    Parameters
    ----------
    path
        Where it is kept: ``ledger.head`` beside ``ledger.db``.
    is_one_of_many
        True for a ledger on a server: each machine has its own head, and one that comes new begins with the row it finds.
    """

    def __init__(self, path: Path, *, is_one_of_many: bool = False) -> None:
        self.path = path
        self.is_one_of_many = is_one_of_many

    def read(self) -> Head | None:
        """What was last written; None if there is no file.

        Raises
        ------
        IntegrityError
            If the file is not a head file, or cannot be read.
        """
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:
            raise self._unreadable(str(error)) from error
        sequence, digest = (content.get(name) for name in ("sequence", "hash")) if isinstance(content, dict) else (0, 0)
        if type(sequence) is not int or sequence < 0 or not isinstance(digest, str):
            raise self._unreadable("no number and hash of a row")
        return Head(sequence, digest)

    def advance(self, head: Head) -> None:
        """Write ``head`` unless a later one is there; processes that do so at once take turns.

        Raises
        ------
        IntegrityError
            If the file that is there is not a head file.
        ModelyardError
            If it cannot be written.
        """
        with self._turn():
            known = self.read()
            if known is None or known.sequence < head.sequence:
                write_json_atomic(self.path, head.to_dict())

    def replace(self, head: Head) -> None:
        """Write ``head`` whatever is there."""
        with self._turn():
            write_json_atomic(self.path, head.to_dict())

    def _turn(self) -> contextlib.AbstractContextManager[None]:
        return exclusive_lock(self.path.with_name(f"{self.path.name}.lock"), wait=True)

    def _unreadable(self, got: str) -> IntegrityError:
        return IntegrityError(
            "the head of the ledger cannot be read",
            where=str(self.path),
            got=got,
            cure="Restore the file from a backup; without one, note the loss and go on: "
            'modelyard ledger renew --reason "..."',
        )
