"""The writer: an answer leaves only after its record was handed to the operating system.

Records that arrive while a write is under way go together in the next one (group commit): there is no timer, so a
quiet server answers at once and a busy one writes few, larger pieces. The writing itself happens in a thread of its
own, so a slow disk does not stop the event loop.
"""

import asyncio
import contextlib
import dataclasses
import queue
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from modelyard.core import StateError
from modelyard.serving.prediction_log.segments import LogKind, SegmentWriter

__all__ = ["PredictionLog", "record_feedback"]

_SEGMENT_BYTES = 64 << 20
_PENDING_BYTES = 64 << 20
_BLANK_PAGE = b" " * 4_095 + b"\n"


@dataclasses.dataclass(slots=True)
class _Batch:
    """Lines that go to the operating system in one piece, and those who wait for it."""

    loop: asyncio.AbstractEventLoop
    lines: list[bytes] = dataclasses.field(default_factory=list)
    waiting: list[asyncio.Future[None]] = dataclasses.field(default_factory=list)
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
        self._refuse_if_closed()
        await self._enqueue(self._encoder.encode_lines(records), len(records))

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
        await self._enqueue(_BLANK_PAGE, 0)

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
                await self._enqueue(b"", 0)
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

    async def _enqueue(self, lines: bytes, count: int) -> None:
        """Put lines into the next batch and wait for its write."""
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
        future: asyncio.Future[None] = loop.create_future()
        batch.lines.append(lines)
        batch.waiting.append(future)
        batch.size += len(lines)
        await future
        self.records_written += count

    def _hand_over(self) -> None:
        """Give the pending batch to the thread, unless one is under way."""
        batch = self._pending
        if batch is None or self._in_flight:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_batches, name=f"{self.kind}-log", daemon=True)
            self._thread.start()
        self._pending = None
        self._in_flight = True
        self._handed_over.put(batch)

    def _write_batches(self) -> None:
        """The thread: one batch after another, until told to stop."""
        while (batch := self._handed_over.get()) is not None:
            failure: OSError | None = None
            try:
                with self._segments_lock:
                    self._segments.append(b"".join(batch.lines))
            except OSError as error:
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop is gone, and with it those who waited
                batch.loop.call_soon_threadsafe(self._settle, batch, failure)

    def _settle(self, batch: _Batch, failure: OSError | None) -> None:
        """Back on the loop: tell those who waited, and start the next write."""
        self._in_flight = False
        self._hand_over()
        self._count(0, batch.size, failure)
        for future in batch.waiting:
            if future.done():
                continue
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(_unavailable(self.folder, failure))

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


def _unavailable(folder: Path, error: OSError) -> StateError:
    """The refusal, with what the operating system said."""
    return StateError(
        "the prediction log takes no records, so no answer may leave",
        where=str(folder),
        got=error.strerror or str(error),
        cure="Free space on its disk; serving goes on by itself then",
    )
