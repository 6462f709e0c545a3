"""The split of a data set: planned from the problem, made once, kept as two readable parts and a sealed one."""

import dataclasses
import io
import json
from collections.abc import Mapping

import polars as pl

from modelyard.core import (
    Actor,
    DataError,
    Finding,
    IntegrityError,
    Record,
    StateError,
    digest_bytes,
    digest_json,
    write_atomic,
    write_json_atomic,
)
from modelyard.data.history import with_history
from modelyard.data.read import located, read_source
from modelyard.data.resolve import resolve
from modelyard.data.schema import ColumnKind, Schema, conform, infer_schema
from modelyard.data.splits.division import Division, divide
from modelyard.data.splits.sealed_test import SealedTest
from modelyard.data.splits.straddling import shared_groups, shared_rows, times_overlap, unseen_classes
from modelyard.data.splits.strategies import Part
from modelyard.data.version import Dataset, content_digest, parquet_bytes
from modelyard.problem import Problem, did_you_mean
from modelyard.store import Workspace

__all__ = ["Split", "SplitRecord", "load_split", "make_split", "store_parts"]

_PROTOCOL = 1
_FILE = "split.json"
_MADE = "split.made"
_ID_LENGTH = 12


@dataclasses.dataclass(frozen=True)
class SplitRecord(Record):
    """What was divided, how, and with which result.

    Parameters
    ----------
    id
        Digest of data set, plan, seed, task and target: equal plans give equal ids.
    dataset_id
        The data set version divided.
    strategy
        ``random``, ``stratified``, ``group``, ``time`` or ``column``.
    reason
        Why this strategy, in one sentence.
    train_rows, validation_rows, test_rows
        Sizes of the parts.
    seed
        The seed of the random draws, from the project file.
    left_out_rows
        Rows in no part, since they lie in a gap before a later one.
    test_digest
        SHA-256 of the sealed rows.
    findings
        What the split lets through; counts only, never rows.
    """

    id: str
    dataset_id: str
    strategy: str
    reason: str
    train_rows: int
    validation_rows: int
    test_rows: int
    seed: int
    test_digest: str
    findings: tuple[Finding, ...] = ()
    left_out_rows: int = 0


@dataclasses.dataclass(frozen=True)
class Split:
    """Two parts that may be looked at, and one that may not.

    Parameters
    ----------
    record
        How it was made.
    train, validation
        Plain data sets with one schema, inferred on the training part.
    test
        The sealed part.
    """

    record: SplitRecord
    train: Dataset
    validation: Dataset
    test: SealedTest

    @property
    def development(self) -> Dataset:
        """Training and validation rows together, in this order, for the last refit."""
        frame = pl.concat([self.train.frame, self.validation.frame])
        return Dataset(self.train.version_id, frame, self.train.schema)


def make_split(dataset: Dataset, problem: Problem, workspace: Workspace, actor: Actor) -> Split:
    """Divide a data set once; the same data set, plan, seed, task and target give the same split again.

    The strategy is the plan's; ``auto`` means by time if a time column is declared, else by group, else stratified
    (classes) or random (values). A test table of one's own (``data.test_source``) is sealed as it is, and only
    training and validation are divided. Kinds of columns are inferred on the training part and hold for all parts.

    Raises
    ------
    DataError
        If the target cannot be learnt, a column that the plan needs is absent or unfit, a part would be empty, or
        a class of a binary target is absent from the training part.
    """
    problem = resolve(problem, dataset.frame)
    own_test = _own_test(dataset, problem, workspace)
    id_ = _split_id(dataset, problem, own_test)
    if not (workspace.folder("splits", id_) / _FILE).exists():
        frame = _typed(dataset.frame, problem)
        division = divide(frame, problem, own_test)
        _store(id_, dataset, frame, division, problem, workspace)
    split = load_split(id_, workspace)
    if workspace.ledger.count(_MADE, id_) == 0:
        rows = {
            "train": split.record.train_rows,
            "validation": split.record.validation_rows,
            "test": split.record.test_rows,
        }
        details = {"dataset": dataset.version_id, "strategy": split.record.strategy, "rows": rows}
        workspace.ledger.append(actor, _MADE, id_, details)
    return split


def _split_id(dataset: Dataset, problem: Problem, own_test: pl.DataFrame | None) -> str:
    data = problem.data
    plan = {
        "dataset": dataset.version_id,
        "plan": problem.split.model_dump(mode="json"),
        "task": problem.task.value,
        "target": data.target,
        "columns": {"id": data.id, "time": data.time, "group": data.group, "types": data.types},
        "own_test": None if own_test is None else content_digest(own_test),
    }
    return digest_json(plan)[:_ID_LENGTH]


def _overrides(problem: Problem) -> Mapping[str, str]:
    """Kinds that are known before any row is looked at: the declared ones and the target's."""
    target = ColumnKind.CATEGORY if problem.task.is_classification else ColumnKind.NUMERIC
    return {**problem.data.types, problem.data.target: target.value}


def _typed(frame: pl.DataFrame, problem: Problem) -> pl.DataFrame:
    """The frame with declared columns stored as their kinds say; the target as text or as numbers."""
    known = _overrides(problem)
    some = conform(frame, infer_schema(frame.select(name for name in frame.columns if name in known), known))
    if not problem.task.is_classification:
        some = some.with_columns(pl.col(problem.data.target).cast(pl.Float64))
    return frame.with_columns(some.get_columns())


def _own_test(dataset: Dataset, problem: Problem, workspace: Workspace) -> pl.DataFrame | None:
    """The user's own test table, with the columns of the main one."""
    source = problem.data.test_source
    if source is None:
        return None
    frame = with_history(read_source(located(source, workspace.root)).frame, problem, workspace.root)
    missing = [name for name in dataset.frame.columns if name not in frame.columns]
    missing = [name for name in missing if name != problem.split.column]
    if missing:
        raise DataError(
            "the test table lacks columns of the main table",
            where=source,
            got=", ".join(map(repr, missing[:5])),
            cure=did_you_mean(missing[0], frame.columns),
        )
    if nulls := frame[problem.data.target].null_count():
        raise DataError(
            f"the target is missing in {nulls:,} of {frame.height:,} rows of the test table",
            where=source,
            cure="Exclude those rows, or join their labels first",
        )
    return frame.select(name for name in dataset.frame.columns if name in frame.columns)


def _store(
    id_: str, dataset: Dataset, frame: pl.DataFrame, division: Division, problem: Problem, workspace: Workspace
) -> None:
    """Give the parts their final types, seal the test part, and keep the rest."""
    schema = infer_schema(frame.filter(division.codes == Part.TRAIN), _overrides(problem))
    frame = conform(frame, schema)
    train, validation = (frame.filter(division.codes == part) for part in (Part.TRAIN, Part.VALIDATION))
    test = frame.filter(division.codes == Part.TEST)
    if division.own_test is not None:
        test = conform(_typed(division.own_test, problem), schema)
    _refuse_one_class(train[problem.data.target], problem, division.strategy)
    stored = Schema(
        tuple(
            dataclasses.replace(column, dtype=column.dtype if column.dtype == "Null" else str(frame[column.name].dtype))
            for column in schema.columns
        )
    )
    record = SplitRecord(
        id=id_,
        dataset_id=dataset.version_id,
        strategy=division.strategy,
        reason=division.reason,
        train_rows=train.height,
        validation_rows=validation.height,
        test_rows=test.height,
        seed=problem.split.seed,
        test_digest=workspace.objects.put_bytes(parquet_bytes(test)),
        findings=_findings(train, validation, test, stored, problem, division.strategy),
        left_out_rows=division.left_out,
    )
    store_parts(record, train, validation, stored, workspace)


def store_parts(
    record: SplitRecord, train: pl.DataFrame, validation: pl.DataFrame, schema: Schema, workspace: Workspace
) -> None:
    """Keep the readable parts and the record of a split whose test part is sealed already.

    ``split.json`` is written last, so that a split which was being stored when the process died does not count.
    """
    files = {"train.parquet": parquet_bytes(train), "validation.parquet": parquet_bytes(validation)}
    folder = workspace.folder("splits", record.id)
    for name, raw in files.items():
        write_atomic(folder / name, raw)
    write_json_atomic(
        folder / _FILE,
        {
            "protocol": _PROTOCOL,
            "record": record.to_dict(),
            "schema": schema.to_dict(),
            "files": {name: digest_bytes(raw) for name, raw in files.items()},
        },
    )


def _refuse_one_class(target: pl.Series, problem: Problem, strategy: str) -> None:
    if problem.task.is_classification and target.n_unique() < 2:
        raise DataError(
            "the training part holds one class only, so there is nothing to learn",
            where=f"target {problem.data.target!r}",
            got=f"{target[0]!r} in all {len(target):,} training rows of the {strategy} split",
            cure="Choose another strategy under split, or bring rows in which both classes occur in the training part",
        )


def _findings(
    train: pl.DataFrame, validation: pl.DataFrame, test: pl.DataFrame, schema: Schema, problem: Problem, strategy: str
) -> tuple[Finding, ...]:
    """All findings on what straddles; each looks at counts only."""
    data = problem.data
    compared = [
        column.name
        for column in schema.columns
        if column.kind is not ColumnKind.IDENTIFIER
        and column.name not in (data.id, problem.split.column)
        and column.name in test.columns
    ]
    findings = shared_rows(train, test, compared)
    own_test = data.test_source is not None
    if data.group is not None and (strategy != "group" or own_test):
        findings += shared_groups(train[data.group], test[data.group])
    if data.time is not None and (strategy != "time" or own_test):
        findings += times_overlap(train[data.time], test[data.time])
    if problem.task.is_classification:
        findings += unseen_classes(train[data.target], validation[data.target], "validation")
        findings += unseen_classes(train[data.target], test[data.target], "test")
    return findings


def load_split(id: str, workspace: Workspace) -> Split:  # noqa: A002 - the field's name
    """A split made before, its readable parts verified.

    Raises
    ------
    StateError
        If there is no split of that id.
    IntegrityError
        If a part is not what was stored.
    """
    folder = workspace.folder("splits", id)
    try:
        content = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StateError(
            "there is no split of this id", where="splits", got=repr(id), cure="Run `modelyard check` to make it"
        ) from error
    except ValueError as error:
        raise _damaged(str(folder / _FILE)) from error
    if content.get("protocol") != _PROTOCOL:
        raise IntegrityError(
            "the split was written by another version of modelyard",
            where=str(folder),
            got=f"protocol {content.get('protocol')}",
            cure="Upgrade modelyard, or make the split again",
        )
    record = SplitRecord.from_dict(content["record"])
    schema = Schema.from_dict(content["schema"])
    frames = {}
    for name, digest in content["files"].items():
        path = folder / name
        raw = path.read_bytes() if path.exists() else b""
        if digest_bytes(raw) != digest:
            raise _damaged(str(path))
        frames[name] = pl.read_parquet(io.BytesIO(raw))
    return Split(
        record,
        Dataset(record.dataset_id, frames["train.parquet"], schema),
        Dataset(record.dataset_id, frames["validation.parquet"], schema),
        SealedTest(record.test_digest, record.test_rows, workspace),
    )


def _damaged(where: str) -> IntegrityError:
    return IntegrityError(
        "a stored split is not what was stored",
        where=where,
        got="another digest",
        cure="Restore it from a backup, or delete its folder and run the command again",
    )
