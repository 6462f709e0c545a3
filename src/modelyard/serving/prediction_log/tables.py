"""The log as tables: reading segments, and compacting closed ones to Parquet.

A segment ``X.jsonl`` becomes ``X.parquet``, written under another name, flushed and renamed, before the segment is
removed. Whoever finds both reads the Parquet file only, so a crash at any point neither loses nor doubles a record,
and compaction may be run again at any time.
"""

import dataclasses
import io
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from modelyard.core import ModelyardError, Record, exclusive_lock, write_atomic
from modelyard.data import ColumnKind
from modelyard.data.dtypes import parse_moments
from modelyard.problem.address import is_url
from modelyard.serving.prediction_log.marks import is_shipped, mark_of
from modelyard.serving.prediction_log.segments import (
    LogKind,
    SegmentContent,
    TornLine,
    is_being_written,
    read_segment,
    segment_paths,
)
from modelyard.serving.roles import SHADOW, STABLE

__all__ = ["CompactionReport", "compact", "read_feedback", "read_gaps", "read_predictions", "torn_lines"]

_logger = logging.getLogger("modelyard.serving")


@dataclasses.dataclass(frozen=True)
class CompactionReport(Record):
    """What one compaction did.

    Parameters
    ----------
    segments
        Segments turned into Parquet files.
    rows
        Records in them.
    active
        Segments left alone because a process writes to them, or because their copy in a database is not whole.
    torn
        Lines left out because they were not whole records; their bytes are kept beside, as ``.torn``.
    """

    segments: int
    rows: int
    active: int
    torn: int


def read_predictions(folder: Path | str, *, shadows: bool = False) -> pl.DataFrame:
    """All predictions in the log, in the order of time; those of one request in its order.

    ``folder`` may be the address of a database that has a copy (``log.sink``); there, rows of one moment have no order. What a
    version said in shadow was no answer, so it is left out; with ``shadows`` it is all that there is, each under the ``id`` of
    the answer beside which it was given.

    Columns: ``id``, ``at`` (UTC), ``model``, ``version``, ``digest`` (of the package), ``latency_ms``, ``score``
    (probability of the positive or decided class, or the predicted value), ``label`` (null for regression), ``probabilities``
    (list in the order of the classes; null unless there are more than two), ``flags`` (list of ``column: rule``), and
    ``feature.<name>`` for each column of the contract: numbers, Booleans, moments
    (UTC, without a zone) or text, by its kind. ``role`` is ``stable``, or while a version is rolled out ``canary`` or
    ``baseline``.

    Torn lines are left out and reported to the log of the process; :func:`torn_lines` lists them.
    """
    table = _read(folder, LogKind.PREDICTIONS).sort("at", maintain_order=True)
    role = pl.col("role") if "role" in table.columns else pl.lit(None, pl.String)  # files of before there were roles
    table = table.with_columns(role.fill_null(STABLE).alias("role"))
    return table.filter((pl.col("role") == SHADOW) == shadows)


def read_feedback(folder: Path | str, *, every: bool = False) -> pl.DataFrame:
    """From the log's folder, or the address of its copy, the labels that came back: ``id`` of the prediction, ``label`` as text, ``at`` (UTC), one row an id.

    Where a label was sent more than once, the last counts: it is a correction. With ``every`` all of them are given, as they came.
    """
    frame = _read(folder, LogKind.FEEDBACK)
    return frame if every else frame.sort("at", maintain_order=True).unique("id", keep="last", maintain_order=True)


def read_gaps(folder: Path | str) -> pl.DataFrame:
    """Times in which answers left without a record (``on_full: answer``): ``at``, ``until``, and how many ``answers``."""
    return _read(folder, LogKind.GAPS).sort("at", maintain_order=True)


def torn_lines(folder: Path) -> tuple[TornLine, ...]:
    """Lines of uncompacted segments that are not whole records, of both kinds."""
    found: list[TornLine] = []
    for kind in LogKind:
        for path in segment_paths(folder, kind):
            content = _content(path)
            found.extend(content.torn if content and not _is_active(path) else ())
    return tuple(found)


def compact(folder: Path) -> CompactionReport:
    """Turn all closed segments into Parquet files, one each; those being written are left alone.

    Raises
    ------
    LockedError
        If another compaction of this folder is at work.
    ModelyardError
        If the disk is full; the segments are untouched then.
    """
    totals = {"segments": 0, "rows": 0, "active": 0, "torn": 0}
    if not folder.is_dir():
        return CompactionReport(**totals)
    with exclusive_lock(folder / ".compaction.lock"):
        for kind in LogKind:
            for path in segment_paths(folder, kind):
                if is_being_written(path) or not is_shipped(path):
                    totals["active"] += 1
                    continue
                rows, torn = _compact_one(path, kind)
                totals["segments"] += 1
                totals["rows"] += rows
                totals["torn"] += torn
    return CompactionReport(**totals)


def _compact_one(path: Path, kind: LogKind) -> tuple[int, int]:
    """Rows and torn lines of one segment, now in Parquet."""
    content = read_segment(path)
    if content.torn:
        write_atomic(path.with_suffix(".torn"), b"".join(line.raw for line in content.torn))
    target = path.with_suffix(".parquet")
    if content.records and not target.exists():
        buffer = io.BytesIO()
        _frame(kind, content).write_parquet(buffer)
        write_atomic(target, buffer.getvalue())
    path.unlink()
    mark_of(path).unlink(missing_ok=True)
    return len(content.records), len(content.torn)


def _read(folder: Path | str, kind: LogKind) -> pl.DataFrame:
    """Every part of one kind, one under the other."""
    if isinstance(folder, str) and is_url(folder):
        from modelyard.serving.prediction_log.sink import LogDatabase

        return _stack([_frame(kind, content) for content in LogDatabase(folder).content(kind)], kind)
    folder = Path(folder)
    stems = {path.stem: path for path in segment_paths(folder, kind)}
    stems.update({path.stem: path.with_suffix(".jsonl") for path in folder.glob(f"{kind.value}-*.parquet")})
    parts = [_read_part(stems[stem], kind) for stem in sorted(stems)]
    return _stack([part for part in parts if part is not None], kind)


def _read_part(path: Path, kind: LogKind) -> pl.DataFrame | None:
    """One part, from its Parquet file if there is one; compaction may replace the segment while we look."""
    parquet = path.with_suffix(".parquet")
    if not parquet.exists():
        content = _content(path)
        if content is not None:
            if content.torn and not _is_active(path):
                _logger.warning("%s: %d torn lines were left out", path, len(content.torn))
            return _frame(kind, content)
    return pl.read_parquet(parquet) if parquet.exists() else None


def _content(path: Path) -> SegmentContent | None:
    """The segment, or None if it is gone."""
    try:
        return read_segment(path)
    except FileNotFoundError:
        return None


def _is_active(path: Path) -> bool:
    """True if the segment is being written; its last line may simply not be finished."""
    try:
        return is_being_written(path)
    except FileNotFoundError:
        return False


def _frame(kind: LogKind, content: SegmentContent) -> pl.DataFrame:
    """Records as a typed table."""
    schema = _schema(kind)
    columns: dict[str, pl.Series] = {
        name: _series(name, [record.get(name) for record in content.records], dtype) for name, dtype in schema.items()
    }
    if kind is LogKind.PREDICTIONS:
        rows = [record.get("features") or {} for record in content.records]
        kinds: Mapping[str, str] = content.header.get("columns", {})
        for name in _names(kinds, rows):
            values = [row.get(name) for row in rows]
            columns[f"feature.{name}"] = _feature(f"feature.{name}", values, kinds.get(name, ""))
    return pl.DataFrame(columns)


def _schema(kind: LogKind) -> dict[str, Any]:
    """The fixed columns of a kind."""
    if kind is LogKind.GAPS:
        return {"at": pl.Datetime("us", "UTC"), "until": pl.Datetime("us", "UTC"), "answers": pl.Int64}
    if kind is LogKind.FEEDBACK:
        return {"id": pl.String, "label": pl.String, "at": pl.Datetime("us", "UTC")}
    return {
        "id": pl.String,
        "at": pl.Datetime("us", "UTC"),
        "model": pl.String,
        "version": pl.String,
        "digest": pl.String,
        "latency_ms": pl.Float64,
        "score": pl.Float64,
        "label": pl.String,
        "probabilities": pl.List(pl.Float64),
        "flags": pl.List(pl.String),
        "role": pl.String,
    }


def _series(name: str, values: Sequence[Any], dtype: Any) -> pl.Series:
    """A fixed column; times are ISO 8601 in the segment, labels may have come as numbers or booleans."""
    if isinstance(dtype, pl.Datetime):
        return pl.Series(name, values, dtype=pl.String).str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    if dtype == pl.String:
        return pl.Series(name, [_text(value) for value in values], dtype=pl.String)
    return pl.Series(name, values, dtype=dtype, strict=False)


def _names(kinds: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Columns of the contract in its order, then any other that was logged."""
    names = dict.fromkeys(kinds)
    for row in rows:
        names.update(dict.fromkeys(row))
    return list(names)


def _feature(name: str, values: Sequence[Any], kind: str) -> pl.Series:
    """A feature column in the type of its kind, if every value is of it; else text."""
    seen = {type(value) for value in values if value is not None}
    if kind == ColumnKind.DATE and seen <= {str}:
        return parse_moments(pl.Series(name, values, dtype=pl.String)).cast(pl.Datetime("us"))
    if kind == ColumnKind.BOOLEAN and seen <= {bool, int}:
        return pl.Series(name, [None if value is None else bool(value) for value in values], dtype=pl.Boolean)
    if kind == ColumnKind.NUMERIC and seen <= {int, float, bool}:
        return pl.Series(name, [None if value is None else float(value) for value in values], dtype=pl.Float64)
    if kind == "" and seen and seen <= {int, float}:
        return pl.Series(name, [None if value is None else float(value) for value in values], dtype=pl.Float64)
    if kind == "" and seen == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    return pl.Series(name, [_text(value) for value in values], dtype=pl.String)


def _text(value: Any) -> str | None:
    """A cell as text, written as Polars writes it when it casts."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _stack(parts: Sequence[pl.DataFrame], kind: LogKind) -> pl.DataFrame:
    """Parts one under the other; a column whose type changed between them becomes text."""
    if not parts:
        return pl.DataFrame(schema=_schema(kind))
    dtypes: dict[str, set[pl.DataType]] = {}
    for part in parts:
        for name, dtype in part.schema.items():
            dtypes.setdefault(name, set()).add(dtype)
    mixed = {name for name, kinds in dtypes.items() if len(kinds) > 1}
    same = [part.with_columns(pl.col(name).cast(pl.String) for name in part.columns if name in mixed) for part in parts]
    try:
        return pl.concat(same, how="diagonal")
    except pl.exceptions.PolarsError as error:
        raise ModelyardError(
            "the parts of the log do not fit together",
            got=str(error).splitlines()[0],
            cure="Move the odd part out of the log folder and report this",
        ) from error
