"""What a reader is: it knows its sources, tells whether one has changed, and gives rows with notes."""

import dataclasses
import enum
import hashlib
from pathlib import Path
from typing import Protocol

from modelyard.core import DataError
from modelyard.data.table import Table, TableLike
from modelyard.problem.address import is_url, scheme_of

__all__ = ["Certainty", "FileReader", "Raw", "Reader", "Source"]

_HEAD_BYTES = 512


class Certainty(enum.IntEnum):
    """How sure a reader is that a source is its own; the surest reader gets it."""

    NO = 0
    FALLBACK = 1
    CONTENT = 2
    NAME = 3


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a table comes from.

    Parameters
    ----------
    location
        A path or an address, as it is shown. It holds names of environment variables, never a password.
    query
        What is asked of a database.
    sheet
        The sheet of a workbook; None lets the reader choose.
    content
        The bytes, if they were fetched already; None for a local file that is still on the disk.
    scratch
        A folder for what is too large for memory while it is read; None keeps everything in memory.
    fetched
        A local copy of what lies elsewhere, if it was made already.
    """

    location: str
    query: str | None = None
    sheet: str | None = None
    content: bytes | None = None
    scratch: Path | None = None
    fetched: Path | None = None

    @property
    def scheme(self) -> str:
        """What stands before ``://``; ``""`` for a local path or for bytes that were fetched."""
        return "" if self.content is not None or self.fetched is not None else scheme_of(self.location)

    @property
    def path(self) -> Path | None:
        """The local path; None for an address and for bytes that were fetched."""
        if self.fetched is not None:
            return self.fetched
        return None if self.content is not None or is_url(self.location) else Path(self.location)

    @property
    def suffix(self) -> str:
        """The ending of the name, in lower case."""
        return Path(self.location).suffix.lower()

    def head(self) -> bytes:
        """The first bytes; none if it is a folder or cannot be read."""
        if self.content is not None:
            return self.content[:_HEAD_BYTES]
        if self.path is None or not self.path.is_file():
            return b""
        with self.path.open("rb") as file:
            return file.read(_HEAD_BYTES)

    def bytes(self) -> bytes:
        """All bytes of a file.

        Raises
        ------
        DataError
            If the file cannot be read.
        """
        if self.content is not None:
            return self.content
        try:
            return (self.fetched or Path(self.location)).read_bytes()
        except OSError as error:
            raise DataError(
                "the file cannot be read",
                where=self.location,
                got=error.strerror or str(error),
                cure="Check the path and its permissions",
            ) from error


@dataclasses.dataclass(frozen=True)
class Raw:
    """Rows as a reader gives them: types not yet made plain.

    Parameters
    ----------
    rows
        In memory, or in a file that stays where it is until they have been taken.
    notes
        What was decided on the way: encoding, delimiter, sheet, order.
    """

    rows: TableLike
    notes: tuple[str, ...] = ()

    @property
    def table(self) -> Table:
        """The rows, to be taken a column at a time."""
        return Table.of(self.rows)


class Reader(Protocol):
    """One kind of source. Register another under the entry points ``modelyard.readers``; its class takes no argument."""

    name: str
    """Short name, such as ``parquet``."""
    reads: str
    """What it reads, for people: endings or schemes."""
    takes_query: bool
    """True if its sources need ``data.query``."""

    def recognises(self, source: Source) -> Certainty:
        """How surely the source is this reader's: by its name, by its first bytes, or because nobody else takes it."""
        ...

    def state(self, source: Source) -> str:
        """What changes when the source changes: sizes and times. ``""`` if one reading sees one state by itself.

        It is asked for before and after :meth:`read`; if the two differ, the rows are thrown away.
        """
        ...

    def read(self, source: Source) -> Raw:
        """The rows, and notes on every decision.

        Raises
        ------
        DataError
            If the source is absent, damaged or no table.
        MissingExtraError
            If a package is needed that is not installed.
        """
        ...


class FileReader:
    """What readers of one file have in common: known by its ending, else by its first bytes."""

    takes_query = False
    suffixes: frozenset[str] = frozenset()
    marks: tuple[bytes, ...] = ()

    def recognises(self, source: Source) -> Certainty:
        """By the ending; by the first bytes if they are a mark of this format."""
        if source.scheme or (source.path is not None and source.path.is_dir()):
            return Certainty.NO
        if source.suffix in self.suffixes:
            return Certainty.NAME
        return Certainty.CONTENT if self.marks and source.head().startswith(self.marks) else Certainty.NO

    def state(self, source: Source) -> str:
        """Size, time of change and place on the disk; the digest of bytes that were fetched."""
        if source.path is None:
            return hashlib.sha256(source.bytes()).hexdigest()
        try:
            seen = source.path.stat()
        except OSError:
            return "absent"
        return f"{seen.st_size}.{seen.st_mtime_ns}.{seen.st_ino}"
