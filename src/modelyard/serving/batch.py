"""Batch scoring: a file in, a file out, bad rows set aside with their reasons."""

import contextlib
import dataclasses
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Protocol, TypeGuard

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from modelyard.conformal import level_name
from modelyard.core import DataError, ModelyardError, Progress, ProgressEvent, Record, StateError, silent
from modelyard.data import read_source
from modelyard.packaging import Scorer
from modelyard.problem import Task
from modelyard.problem.address import is_url

__all__ = ["BatchReport", "score_file"]

_CHUNK_ROWS = 50_000
_PARQUET = (".parquet", ".pq")
_SUFFIXES = (*_PARQUET, ".csv", ".jsonl", ".ndjson")


@dataclasses.dataclass(frozen=True)
class BatchReport(Record):
    """What one batch did.

    Parameters
    ----------
    source, destination
        The table, as it was named, and the file of scores.
    quarantine
        File with the rows that were not scored; None if all were.
    rows, scored, quarantined, flagged
        Rows read, scored, set aside, and scored although a value is unlike the training data.
    seconds
        Time taken.
    model, version, digest
        What scored them.
    """

    source: str
    destination: str
    quarantine: str | None
    rows: int
    scored: int
    quarantined: int
    flagged: int
    seconds: float
    model: str
    version: str
    digest: str


def score_file(
    scorer: Scorer,
    source: Path | str,
    destination: Path,
    *,
    query: str | None = None,
    progress: Progress = silent,
    chunk_rows: int = _CHUNK_ROWS,
    prepare: Callable[[pl.DataFrame], pl.DataFrame] | None = None,
    uncertainty: bool = False,
) -> BatchReport:
    """Score every row of a table with the package's scorer.

    The result has the columns of the source and ``prediction_score``, ``prediction_label``, ``prediction_flags`` (text; null
    if nothing was flagged), and for more than two classes ``prediction_probability.<class>``. Rows that break the
    contract are left out and written to ``<destination>.quarantine.parquet`` with ``row`` (from 0), ``reasons`` and the
    row itself as JSON. Both files appear whole or not at all; existing ones are replaced. A local Parquet file is read in pieces; everything else whole.

    A table without rows gives a result without rows, with all its columns: a night in which nothing happened is no
    fault. Columns that are missing from it are one all the same.

    Parameters
    ----------
    source
        A path or an address, as for :func:`~modelyard.data.read_source`.
    destination
        ``.parquet``, ``.csv`` or ``.jsonl``.
    query
        What is asked of a database.
    chunk_rows
        Rows scored and written at a time.
    prepare
        Adds the columns that the source lacks, such as features from event tables, to each piece.
    uncertainty
        Say how sure each prediction is: ``prediction_low`` and ``prediction_high`` (values), or ``prediction_set``, the
        classes that cannot be ruled out as a JSON list; and ``prediction_quantile.<level>`` for each level of the package.

    Raises
    ------
    StateError
        If the package cannot say how sure it is, and is asked to.
    DataError
        If the source cannot be read, lacks a column that training always had, or the destination has another suffix.
    ModelyardError
        If the result cannot be written; nothing is changed then.
    """
    started = time.perf_counter()
    source = source if isinstance(source, str) and is_url(source) else Path(source)
    _check_paths(source, destination)
    if uncertainty and scorer.conformal is None:
        raise StateError(
            "this package does not say how sure it is",
            where=f"{scorer.name} {scorer.version}",
            cure="Set evaluation.coverage or evaluation.quantiles in the project file, evaluate and package again",
        )
    before = _state(source)
    quarantine = destination.with_name(f"{destination.name}.quarantine.parquet")
    counts = {"rows": 0, "scored": 0, "quarantined": 0, "flagged": 0}
    with _whole_file(destination) as result, _whole_file(quarantine) as aside:
        total = _count_rows(source)
        for chunk in _chunks(source, query, chunk_rows):
            scored = _score_chunk(scorer, prepare(chunk) if prepare else chunk, counts["rows"], uncertainty=uncertainty)
            result.write(scored.good)
            aside.write(scored.bad)
            counts["rows"] += len(chunk)
            counts["scored"] += len(scored.good)
            counts["quarantined"] += len(scored.bad)
            counts["flagged"] += scored.flagged
            progress(ProgressEvent("score", counts["rows"], total or counts["rows"], f"{counts['scored']:,} scored"))
        if _state(source) != before:
            raise DataError(
                "the source changed while it was read",
                where=str(source),
                cure="Wait until whoever writes it is done, then run the command again; nothing was written",
            )
        if not counts["quarantined"]:
            aside.discard()
    return BatchReport(
        source=str(source),
        destination=str(destination),
        quarantine=str(quarantine) if counts["quarantined"] else None,
        seconds=round(time.perf_counter() - started, 3),
        model=scorer.name,
        version=scorer.version,
        digest=scorer.digest,
        **counts,
    )


@dataclasses.dataclass(frozen=True)
class _Scored:
    """One piece: rows with predictions, rows set aside, and how many of the former are flagged."""

    good: pl.DataFrame
    bad: pl.DataFrame
    flagged: int


def _score_chunk(scorer: Scorer, chunk: pl.DataFrame, first: int, *, uncertainty: bool) -> _Scored:
    """Check and score one piece, whose first row has the number ``first`` in the file."""
    violations = scorer.contract.check_frame(chunk)
    _refuse_missing_columns(violations)
    chunk = chunk.with_row_index("__row", offset=0)
    reasons = _by_row(violations.filter("rejects"), with_values=True)
    flags = _by_row(violations.filter(~pl.col("rejects") & pl.col("row").is_not_null()), with_values=False)
    whole = "; ".join(f"{name}: missing" for name in violations.filter(pl.col("row").is_null())["column"])
    bad = chunk.join(reasons, left_on="__row", right_on="row", how="inner", maintain_order="left")
    good = chunk.join(reasons, left_on="__row", right_on="row", how="anti", maintain_order="left")
    good = good.join(flags, left_on="__row", right_on="row", how="left", maintain_order="left")
    marks = good["reasons"]
    good = good.drop("__row", "reasons")
    predicted = good.with_columns(
        *_predictions(scorer, good, uncertainty=uncertainty),
        _flags(marks, whole).alias("prediction_flags"),
    )
    return _Scored(predicted, _set_aside(bad, first), len(good) if whole else len(marks) - marks.null_count())


def _predictions(scorer: Scorer, rows: pl.DataFrame, *, uncertainty: bool) -> list[pl.Series]:
    """Score, label and, for several classes, probabilities, as columns; how sure they are, if asked."""
    is_classifier = scorer.task is not Task.REGRESSION
    label_type = pl.String if is_classifier else pl.Float64
    width = len(scorer.classes) if scorer.task is Task.MULTICLASS else 0
    scores: npt.NDArray[np.float64] = np.empty((0, width) if width else 0)
    labels: list[str | float] = []
    if len(rows):
        scores = scorer.score_frame(scorer.contract.conformed(rows))
        labels = scorer.decide(scores)
    top = scores.max(axis=1, initial=0.0) if width else scores
    columns = [pl.Series("prediction_score", top, dtype=pl.Float64)]
    columns += [
        pl.Series(f"prediction_probability.{name}", scores[:, number], dtype=pl.Float64)
        for number, name in enumerate(scorer.classes if width else ())
    ]
    texts = [str(label) for label in labels] if is_classifier else labels
    columns.append(pl.Series("prediction_label", texts, dtype=label_type))
    return [*columns, *_regions(scorer, scores)] if uncertainty else columns


def _regions(scorer: Scorer, scores: npt.NDArray[np.float64]) -> list[pl.Series]:
    """Ends of intervals, sets of classes as JSON lists, quantiles: a column each."""
    said, columns = scorer.describe(scores), []
    if "prediction_interval" in said:
        pairs = (("prediction_low", 0), ("prediction_high", 1))
        ends = said["prediction_interval"]
        columns += [pl.Series(name, [end[place] for end in ends], dtype=pl.Float64) for name, place in pairs]
    if "prediction_set" in said:
        sets = [json.dumps(names, ensure_ascii=False) for names in said["prediction_set"]]
        columns.append(pl.Series("prediction_set", sets, dtype=pl.String))
    rule = scorer.conformal.quantiles if scorer.conformal else None
    for level in map(level_name, rule.levels if rule else ()):
        values = [row[level] for row in said["prediction_quantiles"]]
        columns.append(pl.Series(f"prediction_quantile.{level}", values, dtype=pl.Float64))
    return columns


def _refuse_missing_columns(violations: pl.DataFrame) -> None:
    """A column that is absent from the whole file, though training always had it, is a mistake of the file."""
    absent = violations.filter(pl.col("row").is_null() & pl.col("rejects"))
    if len(absent):
        first = absent.row(0, named=True)
        names = ", ".join(map(repr, absent["column"]))
        raise DataError(
            f"columns that the model needs are not there: {names}",
            got=first["got"],
            cure="Name the columns as they were called in training",
        )


def _by_row(violations: pl.DataFrame, *, with_values: bool) -> pl.DataFrame:
    """One line of text a row: what its violations are."""
    text = pl.format("{}: {}", "column", "rule")
    if with_values:
        text = pl.format("{}: {} (got {}, expected {})", "column", "rule", "got", "expected")
    return (
        violations.select(pl.col("row").cast(pl.UInt32), text.alias("reasons"))
        .group_by("row", maintain_order=True)
        .agg(pl.col("reasons").str.join("; "))
    )


def _flags(marks: pl.Series, whole: str) -> pl.Series:
    """Flags by row, with those that hold for the whole file."""
    if not whole:
        return marks
    return pl.Series([f"{whole}; {text}" if text else whole for text in marks], dtype=pl.String)


def _set_aside(bad: pl.DataFrame, first: int) -> pl.DataFrame:
    """The quarantine's columns: number in the file, reasons, and the row as JSON."""
    cells = bad.drop("__row", "reasons")
    return pl.DataFrame(
        {
            "row": bad["__row"].cast(pl.Int64) + first,
            "reasons": bad["reasons"].cast(pl.String),
            "record": pl.Series(cells.write_ndjson().splitlines() if len(cells) else [], dtype=pl.String),
        }
    )


# --- reading ------------------------------------------------------------------------------------------------------


def _check_paths(source: Path | str, destination: Path) -> None:
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
    if isinstance(source, Path) and not source.exists():
        raise DataError("there is no such file", where=str(source), cure="Check the path")


def _count_rows(source: Path | str) -> int:
    """The rows of a Parquet file by its footer; 0 where it is not known beforehand."""
    return _open_parquet(source).metadata.num_rows if _is_parquet(source) else 0


def _chunks(source: Path | str, query: str | None, chunk_rows: int) -> Iterator[pl.DataFrame]:
    """The rows of a table, piece by piece; at least one piece, so that an empty result has its columns."""
    if query is None and _is_parquet(source):
        file = _open_parquet(source)
        pieces = _pieces(file, source, chunk_rows)
        empty = pl.DataFrame(pl.from_arrow(file.schema_arrow.empty_table()))
    else:
        table = read_source(source, query=query, may_be_empty=True).frame
        pieces, empty = (piece for piece in table.iter_slices(chunk_rows)), table.clear()
    first = next(pieces, empty)
    yield first
    yield from pieces


def _pieces(file: pq.ParquetFile, source: Path, chunk_rows: int) -> Iterator[pl.DataFrame]:
    """The pieces of a Parquet file; damage in its middle is found only when it is reached."""
    try:
        for batch in file.iter_batches(batch_size=chunk_rows):
            yield pl.DataFrame(pl.from_arrow(batch))
    except (pa.ArrowException, OSError) as error:
        raise _damaged(source, error) from error


def _state(source: Path | str) -> str:
    """What changes when a file changes; addresses are watched by their readers."""
    if isinstance(source, str) or source.is_dir():
        return ""
    seen = source.stat()
    return f"{seen.st_size}.{seen.st_mtime_ns}.{seen.st_ino}"


def _is_parquet(source: Path | str) -> TypeGuard[Path]:
    return isinstance(source, Path) and source.suffix.lower() in _PARQUET and source.is_file()


def _open_parquet(source: Path) -> pq.ParquetFile:
    """A Parquet file, or a clear refusal."""
    try:
        return pq.ParquetFile(source)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(source, error) from error


def _damaged(source: Path, error: Exception) -> DataError:
    return DataError(
        "the file is not valid Parquet", where=str(source), got=str(error).splitlines()[0][:120], cure="Write it again"
    )


# --- writing ------------------------------------------------------------------------------------------------------


class _Sink(Protocol):
    """Takes pieces of one table."""

    def write(self, frame: pl.DataFrame) -> None: ...
    def discard(self) -> None: ...


class _TextSink:
    """CSV or JSON lines."""

    def __init__(self, stream: IO[bytes], suffix: str) -> None:
        self._stream = stream
        self._is_csv = suffix == ".csv"
        self._is_first = True
        self.is_discarded = False

    def write(self, frame: pl.DataFrame) -> None:
        if self._is_csv:
            frame.write_csv(self._stream, include_header=self._is_first)
        elif len(frame):
            frame.write_ndjson(self._stream)
        self._is_first = False

    def discard(self) -> None:
        self.is_discarded = True

    def close(self) -> None:
        """Nothing is pending."""


class _ParquetSink:
    """Parquet; the first piece sets the types."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._writer: pq.ParquetWriter | None = None
        self._schema: pa.Schema | None = None
        self.is_discarded = False

    def write(self, frame: pl.DataFrame) -> None:
        table = frame.to_arrow()
        if self._writer is None:
            self._schema = table.schema
            self._writer = pq.ParquetWriter(self._stream, self._schema, compression="zstd")
        self._writer.write_table(table.cast(self._schema))

    def discard(self) -> None:
        self.is_discarded = True

    def close(self) -> None:
        """Write the footer."""
        if self._writer is not None:
            self._writer.close()


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[_Sink]:
    """A file written under another name and published when the block ends well; a discarded one removes the old."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _unwritable(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            sink = _ParquetSink(stream) if path.suffix.lower() in _PARQUET else _TextSink(stream, path.suffix.lower())
            try:
                yield sink
            except BaseException:
                with contextlib.suppress(OSError, pa.ArrowException):  # else the writer closes when it is collected
                    sink.close()
                raise
            sink.close()
            stream.flush()
            os.fsync(stream.fileno())
        if sink.is_discarded:
            path.unlink(missing_ok=True)
        else:
            temporary.chmod(0o644)
            temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> ModelyardError:
    return ModelyardError(
        "the result cannot be written",
        where=str(path),
        got=error.strerror or str(error),
        cure="Free some space or fix the permissions, then run the command again; nothing was changed",
    )
