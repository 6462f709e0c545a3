"""The journal of a batch: on which ground it stands, and which parts are done."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from modelyard.core import IntegrityError, Record

__all__ = ["Ground", "Journal", "Part", "totals"]

PROTOCOL = 1
"""Raised when parts of an older journal could not be continued; the batch begins anew then."""


@dataclasses.dataclass(frozen=True)
class Ground(Record):
    """What all parts have in common; half-done work is continued only on the same ground.

    Parameters
    ----------
    source, query
        As they were named.
    rows
        Digest of the source.
    package
        Digest of the package.
    history
        Digest of the tables that are joined to the rows; ``""`` if there are none.
    chunk_rows, uncertainty, form
        How it is scored and written.
    modelyard
        Version of the software.
    protocol
        Of the journal.
    """

    source: str
    query: str | None
    rows: str
    package: str
    history: str
    chunk_rows: int
    uncertainty: bool
    form: str
    modelyard: str
    protocol: int = PROTOCOL

    def differs(self, other: "Ground") -> str:
        """What is different, in words; empty if nothing is."""
        words = {
            "rows": "the source's content",
            "history": "a table that is joined",
            "chunk_rows": "the size of the parts",
        }
        mine, theirs = self.to_dict(), other.to_dict()
        return ", ".join(words.get(name, f"the {name}") for name in mine if mine[name] != theirs[name])


@dataclasses.dataclass(frozen=True)
class Part(Record):
    """A part that is done.

    Parameters
    ----------
    number
        From 0.
    rows, scored, quarantined, flagged
        As in :class:`~modelyard.serving.BatchReport`.
    digests
        Of the part's files, by name; empty where a database keeps the part.
    """

    number: int
    rows: int
    scored: int
    quarantined: int
    flagged: int
    digests: dict[str, str] = dataclasses.field(default_factory=dict)


def totals(parts: list[Part]) -> dict[str, int]:
    """The parts' counts, added up."""
    return {name: sum(getattr(part, name) for part in parts) for name in ("rows", "scored", "quarantined", "flagged")}


class Journal:
    """A file of JSON lines: the ground, then a line for each part, in order; a line that was cut short does not count.

    Parameters
    ----------
    path
        Need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[Ground | None, list[Part]]:
        """What was written; no ground if there is none, or one of another version."""
        lines = self._lines()
        try:
            ground = Ground.from_dict(lines[0]) if lines else None
            parts = [Part.from_dict(line) for line in lines[1:]]
        except IntegrityError:
            return None, []
        return ground, parts

    def begin(self, ground: Ground, parts: list[Part]) -> None:
        """Write the journal as it is from here on."""
        self._path.write_bytes(_line(ground) + b"".join(map(_line, parts)))
        with self._path.open("rb+") as stream:
            os.fsync(stream.fileno())

    def add(self, part: Part) -> None:
        """One part more; it is on the disk when this returns."""
        with self._path.open("ab") as stream:
            stream.write(_line(part))
            stream.flush()
            os.fsync(stream.fileno())

    def remove(self) -> None:
        """Nothing is done any more."""
        self._path.unlink(missing_ok=True)

    def _lines(self) -> list[dict[str, Any]]:
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return []
        whole = raw[: raw.rfind(b"\n") + 1].splitlines()
        found: list[dict[str, Any]] = []
        for line in whole:
            try:
                found.append(json.loads(line))
            except ValueError:
                break
        return found


def _line(record: Ground | Part) -> bytes:
    return json.dumps(record.to_dict()).encode() + b"\n"
