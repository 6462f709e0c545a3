"""Copying the log to a database: segments stay the first place, and what they hold arrives there once.

The place up to which a segment was copied is kept in the database, in the very transactions that bring its records: a
shipper that is killed goes on where the last committed one ended. A database that is down is asked again, later and
later; meanwhile the segments grow.
"""

import contextlib
import fcntl
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from modelyard.core import ModelyardError
from modelyard.serving.prediction_log.marks import LOCK_NAME, mark_of
from modelyard.serving.prediction_log.segments import LogKind, is_being_written, segment_paths
from modelyard.serving.prediction_log.sink import LogDatabase, Slice

__all__ = ["Shipper"]

_SLICE_BYTES = 4 << 20
_LONGEST_PAUSE_S = 30.0
_STOP_PATIENCE_S = 10.0

_logger = logging.getLogger("modelyard.serving")


class Shipper:
    """Copies a log folder; of several processes on it one does, and another takes over when that one ends.

    Parameters
    ----------
    folder
        Of the segments.
    database
        Gets the copy.
    pause_s
        Seconds between two looks.
    """

    def __init__(self, folder: Path, database: LogDatabase, *, pause_s: float = 1.0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._database = database
        self._pause_s = pause_s
        self._lock: IO[str] = (folder / LOCK_NAME).open("a+")
        self._positions: dict[str, int] | None = None
        self._thread: threading.Thread | None = None
        self._ends = threading.Event()
        self.records_shipped = 0
        self.failures = 0
        self.backlog_bytes = 0

    def start(self) -> None:
        """Copy in a thread until :meth:`close`."""
        self._thread = threading.Thread(target=self._run, name="log-shipper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Copy what is left, once, and end; what a database that is down does not take is taken at the next start."""
        self._ends.set()
        if self._thread is not None:
            self._thread.join(_STOP_PATIENCE_S)
            if self._thread.is_alive():
                return  # a database that does not answer; the thread ends with the process
        self._lock.close()

    def ship(self) -> int:
        """Copy what there is now; says how many records. Does nothing while another process copies this folder.

        Raises
        ------
        StateError
            If the database cannot be reached or does not take the records.
        """
        before = self.records_shipped
        try:
            if self._is_ours():
                for kind in LogKind:
                    for path in segment_paths(self._folder, kind):
                        if not mark_of(path).exists():
                            self._ship_segment(path, kind)
        except ModelyardError:
            self._positions = None  # the database knows better what it has taken
            raise
        finally:
            self.backlog_bytes = self._backlog()
        return self.records_shipped - before

    def _run(self) -> None:
        """The thread: again and again, with longer pauses while the database is down, and once more in the end."""
        pause = self._pause_s
        while True:
            is_last = self._ends.is_set()
            try:
                self.ship()
                pause = self._pause_s
            except (ModelyardError, OSError) as error:
                self.failures += 1
                _logger.warning("the log was not copied: %s", error, extra={"backlog_bytes": self.backlog_bytes})
                pause = min(2 * pause, _LONGEST_PAUSE_S)
            if is_last:
                return
            self._ends.wait(pause)

    def _is_ours(self) -> bool:
        """True if this process is the one that copies; the kernel frees the lock when it dies."""
        if self._positions is None:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self._positions = self._database.positions()
        return True

    def _ship_segment(self, path: Path, kind: LogKind) -> None:
        positions = self._positions if self._positions is not None else {}
        is_closed = not is_being_written(path)  # asked before its end is read
        with path.open("rb") as stream:
            for part in _slices(stream, path.stem, kind, positions.get(path.stem, 0)):
                self._database.take(part)
                positions[path.stem] = part.end
                self.records_shipped += len(part.records)
        if is_closed:
            mark_of(path).touch()

    def _backlog(self) -> int:
        """Bytes of segments that were not copied yet; where another process copies, those it has not finished."""
        waiting = 0
        for kind in LogKind:
            for path in segment_paths(self._folder, kind):
                with contextlib.suppress(FileNotFoundError):
                    if not mark_of(path).exists():
                        waiting += path.stat().st_size - (self._positions or {}).get(path.stem, 0)
        return waiting


def _slices(stream: IO[bytes], segment: str, kind: LogKind, start: int) -> Iterator[Slice]:
    """Whole lines from a place on, some megabytes at a time; a line without its end is not whole yet, or torn."""
    stream.seek(start)
    while lines := list(_whole(stream, _SLICE_BYTES)):
        end = start + sum(map(len, lines))
        decoded = [record for line in lines if (record := _decoded(line)) is not None]
        header = next((record for record in decoded if "protocol" in record), {})
        yield Slice(segment, kind, start, end, header, [record for record in decoded if "protocol" not in record])
        start = end
        stream.seek(start)


def _whole(stream: IO[bytes], most: int) -> Iterator[bytes]:
    taken = 0
    while taken < most and (line := stream.readline()).endswith(b"\n"):
        taken += len(line)
        yield line


def _decoded(line: bytes) -> dict[str, object] | None:
    """The record of a line; None for a blank or damaged one. PostgreSQL has no place for the character zero."""
    try:
        record = msgspec.json.decode(line.replace(b"\\u0000", b"\\ufffd"))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return record if isinstance(record, dict) else None
