"""Scores that go to a file: parts wait in a folder beside it, and the file appears whole when the last one is there."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from modelyard.core import DataError, ModelyardError, digest_file, exclusive_lock, remove_directory
from modelyard.core.files import atomic_file
from modelyard.serving.batch.journal import Ground, Journal, Part
from modelyard.serving.batch.scoring import ScoredPiece
from modelyard.serving.batch.sources import PARQUET

__all__ = ["FileTarget"]

_SUFFIXES = (*PARQUET, ".csv", ".jsonl", ".ndjson")
_COPY_BYTES = 1 << 20


class FileTarget:
    """A result in a file, its quarantine beside it; implements :class:`~modelyard.serving.batch.run.Target`.

    The folder ``.<name>.unfinished`` holds the parts and their journal until the file is published. A part counts once
    its line in the journal is on the disk; what a killed process has left of another is written again.

    Parameters
    ----------
    destination
        ``.parquet``, ``.csv`` or ``.jsonl``.
    source
        What is scored; it must not be the destination.

    Raises
    ------
    DataError
        If the destination has another suffix, or is the source or a folder.
    """

    def __init__(self, destination: Path, source: Path | str) -> None:
        _check(destination, source)
        self.destination = destination
        self.form = destination.suffix.lower()
        self.quarantine = str(destination.with_name(f"{destination.name}.quarantine.parquet"))
        self._folder = destination.with_name(f".{destination.name}.unfinished")
        self._journal = Journal(self._folder / "journal.jsonl")
        self._parts: list[Part] = []

    @property
    def name(self) -> str:
        """The file."""
        return str(self.destination)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Path]:
        """Keep others away for the block; gives the folder in which the source's rows may wait.

        What is done stays when the block is broken off, unless it is nothing.

        Raises
        ------
        LockedError
            If another process writes the same file.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with exclusive_lock(self._folder / "lock"):
                waiting = self._folder / "source"
                shutil.rmtree(waiting, ignore_errors=True)  # of a process that was killed
                try:
                    yield waiting
                finally:
                    shutil.rmtree(waiting, ignore_errors=True)
                    if not self._journal.read()[1]:
                        remove_directory(self._folder)
        except OSError as error:
            raise _unwritable(self.destination, error) from error

    def begin(self, ground: Ground, *, resume: bool) -> tuple[list[Part], str]:
        """The parts that are done on this ground, and why others do not count."""
        stored, parts = self._journal.read()
        differs = stored.differs(ground) if stored else ""
        if stored is None or differs or not resume:
            parts = []
        self._parts = self._whole(parts)
        for path in self._folder.glob("*-*.*"):
            if int(path.name[5:11]) >= len(self._parts):
                path.unlink()
        self._journal.begin(ground, self._parts)
        return list(self._parts), differs

    def write(self, part: Part, piece: ScoredPiece) -> None:
        """Put a part on the disk, then into the journal."""
        paths = [self._path("part", part.number)]
        with _flushed(paths[0]) as stream:
            _write(stream, piece.good, self.form, is_first=part.number == 0)
        if len(piece.bad) or part.number == 0:
            paths.append(self._path("away", part.number))
            with _flushed(paths[1]) as stream:
                _write(stream, piece.bad, ".parquet", is_first=True)
        done = Part.from_dict({**part.to_dict(), "digests": {path.name: digest_file(path) for path in paths}})
        self._journal.add(done)
        self._parts.append(done)

    def publish(self, *, has_quarantine: bool) -> None:
        """Join the parts; the file appears whole, an earlier quarantine goes if there is none now."""
        quarantine = Path(self.quarantine)
        if has_quarantine:
            self._join(quarantine, "away")
        self._join(self.destination, "part")
        if not has_quarantine:
            quarantine.unlink(missing_ok=True)
        self.forget()

    def forget(self) -> None:
        """The parts count for nothing; their folder goes when the block of :meth:`opened` ends."""
        self._journal.remove()

    def _join(self, target: Path, kind: str) -> None:
        paths = [path for part in self._parts if (path := self._path(kind, part.number)).exists()]
        with atomic_file(target) as temporary:
            if target.suffix.lower() in PARQUET:
                _join_parquet(paths, temporary)
                return
            with temporary.open("wb") as stream:
                for path in paths:
                    with path.open("rb") as piece:
                        shutil.copyfileobj(piece, stream, _COPY_BYTES)

    def _path(self, kind: str, number: int) -> Path:
        """Both kinds have four letters."""
        return self._folder / f"{kind}-{number:06d}{self.form if kind == 'part' else '.parquet'}"

    def _whole(self, parts: list[Part]) -> list[Part]:
        """The first parts whose files are what they were."""
        whole = []
        for number, part in enumerate(parts):
            files = {name: self._folder / name for name in part.digests}
            if part.number != number or not all(path.is_file() for path in files.values()):
                break
            if any(digest_file(path) != part.digests[name] for name, path in files.items()):
                break
            whole.append(part)
        return whole


def _check(destination: Path, source: Path | str) -> None:
    """The destination is writable in a known format and is not the source."""
    if destination.suffix.lower() not in _SUFFIXES:
        raise DataError(
            "the result cannot be written in this format",
            where=str(destination),
            got=destination.suffix or "no suffix",
            cure=f"Use one of {', '.join(_SUFFIXES)}",
        )
    same = isinstance(source, Path) and source.exists() and destination.exists() and source.samefile(destination)
    if destination.is_dir() or same:
        raise DataError(
            "the result would overwrite the source or a folder",
            where=str(destination),
            cure="Give another file for the result",
        )


@contextlib.contextmanager
def _flushed(path: Path) -> Iterator[IO[bytes]]:
    """A new file whose bytes are on the disk when the block ends."""
    with path.open("wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def _write(stream: IO[bytes], frame: pl.DataFrame, form: str, *, is_first: bool) -> None:
    """A part in the format of the result; only the first has a header."""
    if form in PARQUET:
        table = frame.to_arrow()
        with pq.ParquetWriter(stream, table.schema, compression="zstd") as writer:
            writer.write_table(table)
    elif form == ".csv":
        frame.write_csv(stream, include_header=is_first)
    elif len(frame):
        frame.write_ndjson(stream)


def _join_parquet(paths: list[Path], target: Path) -> None:
    """One file of all parts, a part in memory at a time; the first one sets the types."""
    schema: pa.Schema = pq.read_schema(paths[0])
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for path in paths:
            writer.write_table(pq.read_table(path).cast(schema))


def _unwritable(path: Path, error: OSError) -> ModelyardError:
    return ModelyardError(
        "the result cannot be written",
        where=str(path),
        got=error.strerror or str(error),
        cure="Free some space or fix the permissions, then run the command again; it goes on where it was",
    )
