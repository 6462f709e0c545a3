"""Erasure of what is recorded about one person: from the prediction log, its labels and its copy; the ledger stays whole."""

import dataclasses
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from modelyard.core import Actor, ConfigError, ModelyardError, Record, exclusive_lock, write_atomic
from modelyard.data import version_records
from modelyard.governance import Registry, require_permission
from modelyard.problem import Problem
from modelyard.serving import compact
from modelyard.serving.database import Database
from modelyard.serving.prediction_log import LogKind, LogPolicy, Privacy, agreed_policy, log_key, read_predictions
from modelyard.serving.prediction_log.segments import read_segment, segment_paths
from modelyard.store import Workspace

__all__ = ["ERASED", "Erasure", "Subject", "erase"]

ERASED = "erasure.done"

_PREDICTION_ID = "id"
_ELSEWHERE = "files and tables to which `modelyard score` wrote, backups, and whoever was given a copy"


@dataclasses.dataclass(frozen=True)
class Subject:
    """Whom it is about: the rows whose column ``key`` holds ``value``, or the one prediction of an ``id``.

    Parameters
    ----------
    key, value
        As they stand in the table.
    code
        What stands in the log in place of the value where the column is hashed; also the name of the subject in the ledger.
    """

    key: str
    value: str
    code: str

    def rows(self, column: str, dtype: pl.DataType) -> pl.Expr:
        """Which rows are about the subject."""
        cell = pl.col(column)
        if dtype.is_numeric():
            number = _number(self.value)
            return pl.lit(value=False) if number is None else cell.cast(pl.Float64) == number
        if dtype == pl.Boolean:
            return cell.cast(pl.String) == self.value.lower()
        return cell.cast(pl.String).is_in([self.value, self.code])

    def is_in(self, cells: Mapping[str, Any]) -> bool:
        """Whether a record's cells are the subject's."""
        if self.key not in cells or cells[self.key] is None:
            return False
        cell = cells[self.key]
        number = _number(self.value)
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            return number is not None and float(cell) == number
        return str(cell) in (self.value, self.code)


@dataclasses.dataclass(frozen=True)
class Erasure(Record):
    """What was erased, and what was not.

    Parameters
    ----------
    reference
        The subject, as the ledger names it: a keyed code, from which nobody can tell the value without the key.
    key
        The column.
    predictions, labels
        Records removed from the log.
    copied_predictions, copied_labels
        Rows removed from its copy in a database.
    files
        Files of the log that were written anew.
    beyond
        Where the subject's rows still are, or may be, and what to do there.
    """

    reference: str
    key: str
    predictions: int
    labels: int
    copied_predictions: int
    copied_labels: int
    files: int
    beyond: tuple[str, ...]


def erase(problem: Problem, workspace: Workspace, actor: Actor, key: str, value: str, reason: str) -> Erasure:
    """Remove a subject's rows from the prediction log, the labels that came back, and the log's copy.

    The ledger holds no rows, so its chain stays as it is; two rows are added that tell the subject's code, the reason and the
    counts. Whoever is interrupted runs it again.

    Parameters
    ----------
    key, value
        A column that the model knows and its value; or ``id`` and the id of one prediction.

    Raises
    ------
    NotPermittedError
        If the actor may not erase.
    ConfigError
        If key, value or reason are empty, or the reason names the subject.
    """
    require_permission(actor, "erase")
    if not key.strip() or not value.strip():
        raise ConfigError("a subject is a column and its value", where="--subject", cure="Give KEY=VALUE")
    if not reason.strip() or value in reason:
        what = "the reason must not name the subject" if reason.strip() else "a reason is needed"
        raise ConfigError(
            what, where="--reason", cure="Give the number of the request; it stays in the ledger for ever"
        )
    privacy = Privacy(LogPolicy(personal={key: "hash"}, key=log_key(workspace)), [key])
    subject = Subject(key, value, privacy.code(_number(value) if _number(value) is not None else value) or "")
    with workspace.lock():
        workspace.ledger.append(actor, "erasure.begun", subject.code, {"key": key, "reason": reason})
        found, ids = _erased(subject, problem, workspace)
        # Codes of ids let `modelyard trace` say of one that it was erased; without the key they say nothing.
        codes = sorted(str(privacy.code(id_)) for id_ in ids)
        details = {**found.to_dict(), "reason": reason, "ids": codes}
        workspace.ledger.append(actor, ERASED, subject.code, details)
    return found


def _erased(subject: Subject, problem: Problem, workspace: Workspace) -> tuple[Erasure, set[str]]:
    """What was erased, and the ids of the predictions."""
    folder = workspace.folder("predictions")
    compact(folder)
    if folder.is_dir():
        with exclusive_lock(folder / ".compaction.lock"):
            ids, predictions, files = _take_predictions(folder, subject)
            labels, more = _take(folder, LogKind.FEEDBACK, lambda schema: _of_ids(schema, ids))
    else:
        ids, predictions, files, labels, more = set(), 0, 0, 0, 0
    copied, copied_labels, refused = _take_copy(problem, workspace, subject, ids)
    erased = set(ids)
    beyond = (
        *_open_segments(folder, subject, ids),
        *refused,
        *_learnt_from(workspace, subject),
        *_golden(workspace, subject),
    )
    found = Erasure(
        subject.code, subject.key, predictions, labels, copied, copied_labels, files + more, (*beyond, _ELSEWHERE)
    )
    return found, erased


def _take_predictions(folder: Path, subject: Subject) -> tuple[set[str], int, int]:
    """Ids of the subject's predictions, how many there were, in how many files."""
    ids: set[str] = set()

    def mine(schema: pl.Schema) -> pl.Expr | None:
        column = _PREDICTION_ID if subject.key == _PREDICTION_ID else f"feature.{subject.key}"
        return subject.rows(column, schema[column]) if column in schema else None

    for path in folder.glob(f"{LogKind.PREDICTIONS.value}-*.parquet"):
        frame = pl.scan_parquet(path, glob=False)
        which = mine(frame.collect_schema())
        if which is not None:
            ids.update(frame.filter(which).select("id").collect()["id"])
    count, files = _take(folder, LogKind.PREDICTIONS, mine)
    return ids, count, files


def _take(folder: Path, kind: LogKind, which: Callable[[pl.Schema], pl.Expr | None]) -> tuple[int, int]:
    """Write files anew without the rows that ``which(schema)`` names; rows gone, and files."""
    rows = files = 0
    for path in sorted(folder.glob(f"{kind.value}-*.parquet")):
        frame = pl.read_parquet(path, glob=False)
        expression = which(frame.schema)
        kept = frame if expression is None else frame.filter(~expression.fill_null(value=False))
        if kept.height == frame.height:
            continue
        if kept.height:
            buffer = io.BytesIO()
            kept.write_parquet(buffer)
            write_atomic(path, buffer.getvalue())
        else:
            path.unlink()
        rows, files = rows + frame.height - kept.height, files + 1
    return rows, files


def _of_ids(schema: pl.Schema, ids: set[str]) -> pl.Expr | None:
    return pl.col("id").is_in(sorted(ids)) if ids and "id" in schema else None


def _take_copy(
    problem: Problem, workspace: Workspace, subject: Subject, ids: set[str]
) -> tuple[int, int, tuple[str, ...]]:
    """Rows removed from the log's copy; a database that cannot be reached is said."""
    address = agreed_policy(problem, workspace).sink
    if address is None:
        return 0, 0, ()
    column = _PREDICTION_ID if subject.key == _PREDICTION_ID else f"feature.{subject.key}"
    counts = []
    try:
        for shadows in (False, True):
            frame = read_predictions(address, shadows=shadows)
            if column in frame.columns:
                ids |= set(frame.filter(subject.rows(column, frame.schema[column]))["id"])
        with Database(address).transaction() as connection:
            for name in ("modelyard_predictions", "modelyard_feedback"):
                table = sa.table(name, sa.column("id"))
                counts.append(connection.execute(sa.delete(table).where(table.c.id.in_(sorted(ids)))).rowcount)
    except ModelyardError as error:
        return 0, 0, (f"the log's copy in {problem.log.sink}: {error.sentence} Run it again.",)
    return counts[0], counts[1], ()


def _open_segments(folder: Path, subject: Subject, ids: set[str]) -> Iterator[str]:
    """Segments that a server still writes, and torn lines, in which the subject is."""
    for kind in (LogKind.PREDICTIONS, LogKind.FEEDBACK):
        for path in segment_paths(folder, kind) if folder.is_dir() else ():
            records = read_segment(path).records
            mine = [
                item
                for item in records
                if item.get("id") in ids
                or (subject.key == _PREDICTION_ID and item.get("id") == subject.value)
                or subject.is_in(item.get("features") or {})
            ]
            ids.update(str(item.get("id")) for item in mine)
            if mine:
                yield f"{path.name}: {len(mine)} records, which a server still writes or has not copied; run it again later"
    for path in sorted(folder.glob("*.torn")):
        if subject.value.encode() in path.read_bytes():
            yield f"{path.name}: half a record that names the subject; remove the file"


def _learnt_from(workspace: Workspace, subject: Subject) -> Iterator[str]:
    """Stored data versions that hold the subject's rows: models have learnt from them, and their digests name them."""
    for record in version_records(workspace):
        try:
            frame = pl.scan_parquet(workspace.objects.verified(record.object_digest))
        except ModelyardError as error:
            yield f"data version {record.id}: {error.sentence}"
            continue
        schema = frame.collect_schema()
        if subject.key in schema:
            count = frame.filter(subject.rows(subject.key, schema[subject.key])).select(pl.len()).collect().item()
            if count:
                yield (
                    f"data version {record.id}: {count} rows; take them out of the source, train anew, and remove the version "
                    "when no model rests on it"
                )


def _golden(workspace: Workspace, subject: Subject) -> Iterator[str]:
    """Packages whose golden rows are the subject's."""
    registry = Registry(workspace)
    for version in registry.versions():
        try:
            golden = registry.package(version).read_json("golden.json")
        except ModelyardError as error:
            yield f"{version.subject}: {error.sentence}"
            continue
        if any(subject.is_in(row) for row in _mappings(golden)):
            yield f"{version.subject}: its golden rows; release a version that was trained without them"


def _mappings(content: Any) -> Iterator[Mapping[str, Any]]:
    """Every mapping within a JSON document."""
    if isinstance(content, Mapping):
        yield content
        for value in content.values():
            yield from _mappings(value)
    elif isinstance(content, list):
        for value in content:
            yield from _mappings(value)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
