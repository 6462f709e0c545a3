"""Segments: append-only JSON-lines files that survive a killed process and a full disk.

A segment has one writer, which holds an advisory lock on it until it closes it or dies (the kernel frees the lock
then). Its first line says what it holds; every further line is one record. A process never appends to a segment of
another one, so only a last line can be torn.
"""

import contextlib
import dataclasses
import enum
import errno
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from modelyard.core import ModelyardError, new_id

__all__ = [
    "LogKind",
    "SegmentContent",
    "SegmentWriter",
    "TornLine",
    "is_being_written",
    "read_segment",
    "segment_paths",
]

_PROTOCOL = 1


class LogKind(enum.StrEnum):
    """What a segment holds; the first part of its file name."""

    PREDICTIONS = "predictions"
    FEEDBACK = "feedback"
    GAPS = "gaps"


@dataclasses.dataclass(frozen=True)
class TornLine:
    """A line that is not a whole record: the process died in the middle of a write, or the disk damaged it.

    Parameters
    ----------
    path
        The segment.
    line
        Its number, from 1.
    raw
        The bytes found.
    """

    path: Path
    line: int
    raw: bytes


@dataclasses.dataclass(frozen=True)
class SegmentContent:
    """A segment as read: its header, the whole records in order, and the torn lines left out."""

    header: Mapping[str, Any]
    records: tuple[dict[str, Any], ...]
    torn: tuple[TornLine, ...]


class SegmentWriter:
    """Appends whole lines to segments of one kind, and starts a new segment when one is large enough.

    Not safe for use by several threads at once; its owner sees to that.

    Parameters
    ----------
    folder
        Made if it is missing.
    kind
        What is written.
    segment_bytes
        A segment that has reached this size is closed before the next append.
    columns
        Name to kind of the feature columns, kept in the header so that readers get the types right.

    Raises
    ------
    ModelyardError
        If the folder cannot be made or written to.
    """

    def __init__(
        self, folder: Path, kind: LogKind, *, segment_bytes: int, columns: Mapping[str, str] | None = None
    ) -> None:
        self._folder = folder
        self._kind = kind
        self._segment_bytes = segment_bytes
        self._header = {"protocol": _PROTOCOL, "kind": kind.value, "columns": dict(columns or {})}
        self._handle: int | None = None
        self._size = 0
        _make_folder(folder)

    def describe(self, columns: Mapping[str, str]) -> None:
        """Let the next segments say that these are the feature columns; the present one is closed if it says otherwise."""
        if self._header["columns"] != dict(columns):
            self.close()
            self._header = {**self._header, "columns": dict(columns)}

    def append(self, lines: bytes) -> None:
        """Hand ``lines`` (whole lines, each ended by a newline) to the operating system, all of them or none.

        If the disk refuses the bytes, what was written of them is cut off again and the segment stays usable.

        Raises
        ------
        OSError
            If the bytes could not be written; nothing of them is in the log then.
        """
        if self._size >= self._segment_bytes:
            self.close()
        handle = self._handle if self._handle is not None else self._open()
        try:
            write_all(handle, lines)
        except OSError:
            self._cut_back(handle)
            raise
        self._size += len(lines)

    def close(self) -> None:
        """Close the present segment and free it for compaction; the next append starts another one."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
            self._size = 0

    def _open(self) -> int:
        """A new segment with its header, locked before readers can see it."""
        name = f"{self._kind.value}-{new_id()}.jsonl"
        hidden = self._folder / f".{name}"
        handle = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            header = msgspec.json.encode(self._header) + b"\n"
            write_all(handle, header)
            hidden.rename(self._folder / name)
        except OSError:
            os.close(handle)
            with contextlib.suppress(OSError):
                hidden.unlink()
            raise
        self._handle = handle
        self._size = len(header)
        return handle

    def _cut_back(self, handle: int) -> None:
        """Undo a write that came only in part; a segment that cannot be cut is left and never appended to again."""
        try:
            os.ftruncate(handle, self._size)
        except OSError:
            self.close()


def write_all(handle: int, content: bytes) -> None:
    """Write every byte, in as many calls as it takes.

    Raises
    ------
    OSError
        If the operating system takes no more.
    """
    view = memoryview(content)
    while view:
        written = os.write(handle, view)
        if written == 0:
            raise OSError(errno.EIO, "the operating system took no bytes")
        view = view[written:]


def segment_paths(folder: Path, kind: LogKind) -> tuple[Path, ...]:
    """The JSON-lines segments of one kind, oldest first (to the millisecond); empty if the folder does not exist."""
    return tuple(sorted(folder.glob(f"{kind.value}-*.jsonl")))


def is_being_written(path: Path) -> bool:
    """True if a living process holds the segment open for writing."""
    with path.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def read_segment(path: Path) -> SegmentContent:
    """Read a segment, whole records only.

    Raises
    ------
    FileNotFoundError
        If it was compacted meanwhile.
    ModelyardError
        If it was written by a newer protocol.
    """
    header: dict[str, Any] = {}
    records: list[dict[str, Any]] = []
    torn: list[TornLine] = []
    for number, raw in enumerate(_lines(path), start=1):
        record = _decode(raw)
        if record is None:
            torn.append(TornLine(path, number, raw))
        elif "protocol" in record:
            header = _checked_header(record, path)
        else:
            records.append(record)
    return SegmentContent(header, tuple(records), tuple(torn))


def _lines(path: Path) -> Iterator[bytes]:
    """Lines that hold something, with their newline."""
    with path.open("rb") as stream:
        for raw in stream:
            if raw.strip():
                yield raw


def _decode(raw: bytes) -> dict[str, Any] | None:
    """The record of a line, or None if the line is torn; a line without its newline was never acknowledged."""
    if not raw.endswith(b"\n"):
        return None
    try:
        record = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return record if isinstance(record, dict) else None


def _checked_header(header: dict[str, Any], path: Path) -> dict[str, Any]:
    """The header, if this version can read what follows it."""
    if header["protocol"] != _PROTOCOL:
        raise ModelyardError(
            "the segment has another protocol",
            where=str(path),
            got=f"protocol {header['protocol']}, this version reads {_PROTOCOL}",
            cure="Read it with the version of modelyard that wrote it",
        )
    return header


def _make_folder(folder: Path) -> None:
    """The folder, writable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelyardError(
            "the log folder cannot be made",
            where=str(folder),
            got=error.strerror or str(error),
            cure="Choose another folder, or fix its permissions",
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ModelyardError(
            "the log folder cannot be written to",
            where=str(folder),
            cure="Choose another folder, or fix its permissions",
        )
