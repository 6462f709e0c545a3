"""The writer: an answer leaves only after its record was handed to the operating system.

Records that arrive in one turn of the event loop go together in one write (group commit): there is no timer, so a quiet
server answers at once and a busy one writes few, larger pieces. A write ends in the system's page cache within
microseconds, far less than it takes to wake a thread, so it happens on the loop. One that takes long is the sign of a
disk in trouble: for a while a thread writes then, and the loop goes on with what needs no record.
"""

import asyncio
import contextlib
import dataclasses
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from modelyard.core import StateError
from modelyard.serving.prediction_log.segments import LogKind, SegmentWriter

__all__ = ["PredictionLog", "Told", "record_feedback"]

_SEGMENT_BYTES = 64 << 20
_PENDING_BYTES = 64 << 20
_SLOW_WRITE_S = 0.05
_CAUTION_S = 10.0
"""For so long after a slow write a thread writes."""

_BLANK_PAGE = b" " * 4_095 + b"\n"


Told = Callable[[StateError | None], None]
"""Is told once the operating system has the records, or why it has not."""


@dataclasses.dataclass(slots=True)
class _Batch:
    """Lines that go to the operating system in one piece, and those who wait for it."""

    loop: asyncio.AbstractEventLoop
    lines: list[bytes] = dataclasses.field(default_factory=list)
    waiting: list[Told] = dataclasses.field(default_factory=list)
    records: int = 0
    size: int = 0


class PredictionLog:
    """An append-only log of one kind of record.

    ``kill -9`` loses nothing that :meth:`write` or :meth:`append` has returned from: the records are in the operating
    system's hands then. A machine that loses power may lose what its system had not yet flushed.

    When the disk refuses records, the calls raise :class:`StateError`, nothing of them is kept, and the next
    call tries again: the log heals by itself when there is space.

    Parameters
    ----------
    folder
        Made if it is missing; several processes may share it.
    kind
        Predictions or feedback.
    columns
        Name to kind of the feature columns, so that readers get the types right.
    segment_bytes
        Size at which a segment is closed.
    max_pending_bytes
        Bytes that may wait while a write is under way; beyond it :meth:`write` refuses at once.

    Raises
    ------
    ModelyardError
        If the folder cannot be made or written to.
    """

    def __init__(
        self,
        folder: Path,
        kind: LogKind = LogKind.PREDICTIONS,
        *,
        columns: Mapping[str, str] | None = None,
        segment_bytes: int = _SEGMENT_BYTES,
        max_pending_bytes: int = _PENDING_BYTES,
    ) -> None:
        self.folder = folder
        self.kind = kind
        self._segments = SegmentWriter(folder, kind, segment_bytes=segment_bytes, columns=columns)
        self._segments_lock = threading.Lock()
        self._encoder = msgspec.json.Encoder()
        self._max_pending_bytes = max_pending_bytes
        self._pending: _Batch | None = None
        self._in_flight = False
        self._handed_over: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._cautious_until = 0.0
        self._closed = False
        self.records_written = 0
        self.bytes_written = 0
        self.writes_failed = 0
        self.is_failing = False

    @property
    def pending_bytes(self) -> int:
        """Bytes that wait for the write under way to end."""
        return self._pending.size if self._pending else 0

    async def write(self, records: Sequence[Any]) -> None:
        """Append records (structs or mappings) and return once the operating system has them all.

        Raises
        ------
        StateError
            If the disk refuses them, or too many bytes wait already. None of them is in the log then.
        """
        await _told(lambda told: self.hand_in(records, told))

    def hand_in(self, records: Sequence[Any], told: Told) -> None:
        """As :meth:`write`, for callers on the event loop who do not wait but want to be ``told``.

        Raises
        ------
        StateError
            If too many bytes wait already, or the log is closed.
        """
        self._refuse_if_closed()
        self._enqueue(self._encoder.encode_lines(records), len(records), told)

    def describe(self, columns: Mapping[str, str]) -> None:
        """Say that these are the feature columns from now on, since another model answers."""
        with self._segments_lock:
            self._segments.describe(columns)

    async def probe(self) -> None:
        """Try whether the log takes records, by writing a blank line of a page, which readers skip.

        Raises
        ------
        StateError
            If it does not.
        """
        self._refuse_if_closed()
        await _told(lambda told: self._enqueue(_BLANK_PAGE, 0, told))

    def append(self, records: Sequence[Any]) -> None:
        """Like :meth:`write`, for callers without an event loop; blocks until the operating system has the records.

        Raises
        ------
        StateError
            If the disk refuses them.
        """
        self._refuse_if_closed()
        lines = self._encoder.encode_lines(records)
        try:
            with self._segments_lock:
                self._segments.append(lines)
        except OSError as error:
            self._count(0, 0, error)
            raise _unavailable(self.folder, error) from error
        self._count(len(records), len(lines), None)

    async def drain(self) -> None:
        """Wait for what is pending, then close; further writes are refused."""
        self._closed = True
        while self._in_flight or self._pending:
            with contextlib.suppress(StateError):  # those who wait for the records are told
                await _told(lambda told: self._enqueue(b"", 0, told))
        self.close()

    def close(self) -> None:
        """End the writing thread and free the segment for compaction."""
        self._closed = True
        if self._thread is not None:
            self._handed_over.put(None)
            self._thread.join()
            self._thread = None
        with self._segments_lock:
            self._segments.close()

    def _enqueue(self, lines: bytes, count: int, told: Told) -> None:
        """Put lines into the next batch."""
        loop = asyncio.get_running_loop()
        batch = self._pending
        if batch is None or batch.loop is not loop:
            batch = self._pending = _Batch(loop)
            if not self._in_flight:
                loop.call_soon(self._hand_over)
        if batch.size + len(lines) > self._max_pending_bytes and batch.lines:
            self.writes_failed += 1
            raise StateError(
                "the log is too far behind",
                where=str(self.folder),
                got=f"{batch.size} bytes waiting",
                cure="Send the request again in a moment; the disk is slower than the requests",
            )
        batch.lines.append(lines)
        batch.waiting.append(told)
        batch.records += count
        batch.size += len(lines)

    def _hand_over(self) -> None:
        """Write the pending batch, or give it to the thread where the disk was slow; one write is under way at a time."""
        batch = self._pending
        if batch is None or self._in_flight:
            return
        self._pending = None
        if time.monotonic() >= self._cautious_until:
            self._settle(batch, self._written(batch))
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_batches, name=f"{self.kind}-log", daemon=True)
            self._thread.start()
        self._in_flight = True
        self._handed_over.put(batch)

    def _written(self, batch: _Batch) -> OSError | None:
        """Give a batch to the operating system, and take note if that takes long; what it says if it refuses."""
        started = time.monotonic()
        try:
            with self._segments_lock:
                self._segments.append(b"".join(batch.lines))
        except OSError as error:
            return error
        finally:
            ended = time.monotonic()
            if ended - started > _SLOW_WRITE_S:
                self._cautious_until = ended + _CAUTION_S
        return None

    def _write_batches(self) -> None:
        """The thread: one batch after another, until told to stop."""
        while (batch := self._handed_over.get()) is not None:
            failure = self._written(batch)
            with contextlib.suppress(RuntimeError):  # the loop is gone, and with it those who waited
                batch.loop.call_soon_threadsafe(self._settle, batch, failure)

    def _settle(self, batch: _Batch, failure: OSError | None) -> None:
        """Back on the loop: tell those who waited, and start the next write."""
        self._in_flight = False
        self._hand_over()
        self._count(batch.records, batch.size, failure)
        error = None if failure is None else _unavailable(self.folder, failure)
        for told in batch.waiting:
            told(error)

    def _count(self, records: int, size: int, failure: OSError | None) -> None:
        """Keep the figures that the metrics show."""
        self.is_failing = failure is not None
        if failure is None:
            self.records_written += records
            self.bytes_written += size
        else:
            self.writes_failed += 1

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise StateError(
                "the log is closed", where=str(self.folder), cure="The server is stopping; send the request again"
            )


def record_feedback(folder: Path, rows: Sequence[Mapping[str, Any]]) -> int:
    """Record labels that came by file: rows with ``id``, ``label`` and ``at``. Returns how many.

    Raises
    ------
    StateError
        If the disk refuses them; none is recorded then.
    """
    log = PredictionLog(folder, LogKind.FEEDBACK)
    try:
        log.append(rows)
    finally:
        log.close()
    return len(rows)


async def _told(hand_in: Callable[[Told], None]) -> None:
    """Hand something in and wait until one is told.

    Raises
    ------
    StateError
        What one is told, if it went wrong.
    """
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def told(error: StateError | None) -> None:
        if future.done():
            return  # who waited has gone
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)

    hand_in(told)
    await future


def _unavailable(folder: Path, error: OSError) -> StateError:
    """The refusal, with what the operating system said."""
    return StateError(
        "the prediction log takes no records, so no answer may leave",
        where=str(folder),
        got=error.strerror or str(error),
        cure="Free space on its disk; serving goes on by itself then",
    )
