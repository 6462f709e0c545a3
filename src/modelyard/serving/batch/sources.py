"""The rows of a batch: any source, piece by piece, with a digest that says whether it is still the same."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from modelyard.core import DataError, digest_bytes, digest_file
from modelyard.data import open_source
from modelyard.data.readers import Source, reader_for
from modelyard.data.table import SPOOL_CELLS, Table

__all__ = ["PARQUET", "Rows", "open_rows"]

PARQUET = (".parquet", ".pq")
"""Endings of Parquet files."""

_BUFFER_BYTES = 1 << 20


class Rows(Protocol):
    """The rows of a source.

    ``height`` is their number; ``digest`` is the same for the same rows; ``notes`` tell what the reader decided.
    """

    height: int
    digest: str
    notes: tuple[str, ...]

    def pieces(self, first: int, size: int) -> Iterator[pl.DataFrame]:
        """Pieces of ``size`` rows from row ``first`` on, the last one shorter; one without rows if there are none."""
        ...

    def require_unchanged(self) -> None:
        """Raise :class:`DataError` if the source is not what it was when it was opened."""
        ...


def open_rows(source: Path | str, query: str | None, scratch: Path) -> Rows:
    """The rows of a file, a folder of parts, objects or a query.

    A local Parquet file is read where it lies. Everything else goes through the readers of :mod:`modelyard.data`, which
    decide on types by the whole column; what is too large for memory waits in ``scratch``.

    Raises
    ------
    DataError, ConfigError, MissingExtraError
        As :func:`modelyard.data.open_source`.
    """
    if isinstance(source, Path) and not source.exists():
        raise DataError("there is no such file", where=str(source), cure="Check the path")
    seen = _Seen(source)
    if query is None and isinstance(source, Path) and source.suffix.lower() in PARQUET and source.is_file():
        return _ParquetRows(source, seen, digest_file(source))
    read = open_source(source, query=query, may_be_empty=True, scratch=scratch)
    digest = _digest(source, seen.state) or _digest_rows(read.table)
    if read.table.cells <= SPOOL_CELLS:
        return _FrameRows(read.frame, seen, digest, read.notes)
    path = scratch / "rows.parquet"
    read.table.write(path)
    return _ParquetRows(path, seen, digest, read.notes)


class _Seen:
    """The state in which a source was found: sizes and times, or what a storage says of its objects."""

    def __init__(self, source: Path | str) -> None:
        self._source = Source(str(source))
        self._reader = reader_for(self._source)
        self.state = self._reader.state(self._source)

    def require_same(self) -> None:
        """Raise :class:`DataError` if the source is in another state by now."""
        if self._reader.state(self._source) != self.state:
            raise DataError(
                "the source changed while it was read",
                where=self._source.location,
                cure="Wait until whoever writes it is done, then run the command again; nothing was written",
            )


def _digest(source: Path | str, state: str) -> str:
    """By the bytes of files, or what the storage says of its objects."""
    if isinstance(source, Path) and source.is_file():
        return digest_file(source)
    if isinstance(source, Path):
        parts = sorted(path for path in source.rglob("*") if path.is_file())
        said = "".join(f"{path.relative_to(source)}|{digest_file(path)}\n" for path in parts)
        return digest_bytes(said.encode())
    return digest_bytes(state.encode()) if state else ""


def _digest_rows(table: Table) -> str:
    """By the values, where a source cannot say whether it has changed."""
    state = hashlib.sha256(str(table.schema).encode())
    state.update(table.row_hashes(table.columns).to_numpy().tobytes())
    return state.hexdigest()


class _FrameRows:
    """Rows in memory."""

    def __init__(self, frame: pl.DataFrame, seen: _Seen, digest: str, notes: tuple[str, ...]) -> None:
        self._frame = frame
        self.require_unchanged = seen.require_same
        self.height = frame.height
        self.digest = digest
        self.notes = notes

    def pieces(self, first: int, size: int) -> Iterator[pl.DataFrame]:
        """See :class:`Rows`."""
        if not self.height:
            yield self._frame
        for start in range(first, self.height, size):
            yield self._frame.slice(start, size)


class _ParquetRows:
    """Rows in a Parquet file, of which a little more than one piece is in memory at a time."""

    def __init__(self, path: Path, seen: _Seen, digest: str, notes: tuple[str, ...] = ()) -> None:
        self._path = path
        self.require_unchanged = seen.require_same
        self.digest = digest
        self.notes = notes
        with self._opened() as file:
            self.height = int(file.metadata.num_rows)

    def pieces(self, first: int, size: int) -> Iterator[pl.DataFrame]:
        """See :class:`Rows`; damage in the middle of a file is found only when it is reached."""
        with self._opened() as file:
            if not self.height:
                yield pl.DataFrame(pl.from_arrow(file.schema_arrow.empty_table()))
            try:
                yield from _of_size(_batches(file, first, size), size)
            except (pa.ArrowException, OSError) as error:
                raise _damaged(self._path, error) from error

    def _opened(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self._path, buffer_size=_BUFFER_BYTES)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self._path, error) from error


def _batches(file: pq.ParquetFile, first: int, size: int) -> Iterator[pl.DataFrame]:
    """What the file gives from row ``first`` on; groups of rows before it are not read."""
    lengths = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
    group = 0
    while group < len(lengths) and first >= lengths[group]:
        first -= lengths[group]
        group += 1
    for batch in file.iter_batches(batch_size=size, row_groups=list(range(group, len(lengths)))):
        skipped = min(first, batch.num_rows)
        first -= skipped
        if skipped < batch.num_rows:
            yield pl.DataFrame(pl.from_arrow(batch.slice(skipped)))


def _of_size(batches: Iterator[pl.DataFrame], size: int) -> Iterator[pl.DataFrame]:
    """The same rows in pieces of one size, the last one shorter."""
    waiting: list[pl.DataFrame] = []
    for batch in batches:
        waiting.append(batch)
        while sum(map(len, waiting)) >= size:
            rows = pl.concat(waiting)
            yield rows.head(size)
            waiting = [rows.slice(size)] if len(rows) > size else []
    if waiting:
        yield pl.concat(waiting)


def _damaged(source: Path, error: Exception) -> DataError:
    return DataError(
        "the file is not valid Parquet", where=str(source), got=str(error).splitlines()[0][:120], cure="Write it again"
    )
