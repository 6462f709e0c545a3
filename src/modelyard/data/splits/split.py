"""The split of a data set: planned from the problem, made once, kept as two readable parts and a sealed one."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import polars as pl

from modelyard.core import (
    Actor,
    DataError,
    Finding,
    IntegrityError,
    Record,
    StateError,
    digest_file,
    digest_json,
    write_json_atomic,
)
from modelyard.core.files import atomic_file
from modelyard.data.history import with_history
from modelyard.data.read import located, read_source
from modelyard.data.resolve import resolve
from modelyard.data.schema import Column, ColumnKind, Schema, conform_column, infer_column
from modelyard.data.splits.content import rows_digest
from modelyard.data.splits.division import Division, divide
from modelyard.data.splits.near_copies import near_rows, near_texts
from modelyard.data.splits.sealed_test import SealedTest
from modelyard.data.splits.straddling import shared_groups, shared_rows, times_overlap, unseen_classes
from modelyard.data.splits.strategies import Codes, Part
from modelyard.data.table import SPOOL_CELLS, ColumnStore, Table, TableLike
from modelyard.data.version import Dataset, StoredDataset, content_digest
from modelyard.problem import Problem, did_you_mean
from modelyard.store import Workspace

__all__ = [
    "Split",
    "SplitRecord",
    "divided_rows",
    "load_split",
    "make_split",
    "refuse_one_class",
    "store_parts",
]

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
        SHA-256 of the sealed rows as they are stored.
    test_content
        Digest of their content, by which the ledger's openings are counted; ``""`` if sealed before there was one.
    findings
        What the split lets through; counts only, never rows.
    base, corrections
        The split that corrections were applied to, and their ids; empty if there was none.
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
    test_content: str = ""
    base: str = ""
    corrections: tuple[str, ...] = ()


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


def make_split(dataset: Dataset | StoredDataset, problem: Problem, workspace: Workspace, actor: Actor) -> Split:
    """Divide a data set once; the same data set, plan, seed, task and target give the same split again.

    The strategy is the plan's; ``auto`` means by time if a time column is declared, else by group, else stratified
    (classes) or random (values). A test table of one's own (``data.test_source``) is sealed as it is, and only
    training and validation are divided. Kinds of columns are inferred on the training part and hold for all parts.
    Columns are taken one at a time, so that a table that does not fit into memory can be divided.

    Raises
    ------
    DataError
        If the target cannot be learnt, a column that the plan needs is absent or unfit, a part would be empty, or
        a class of a binary target is absent from the training part.
    """
    problem = resolve(problem, dataset.table)
    own_table = _own_table(problem, workspace)
    own_test = _own_test(own_table, dataset.table, problem, workspace)
    id_ = _split_id(dataset.version_id, problem, own_test)
    if not (workspace.folder("splits", id_) / _FILE).exists():
        division = divide(_dividing_columns(dataset.table, problem), problem, own_test)
        content = rows_digest(own_table) if own_table is not None else ""
        _store(id_, dataset, division, problem, workspace, content)
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


def divided_rows(dataset: Dataset | StoredDataset, problem: Problem, workspace: Workspace) -> Codes:
    """The part of every row of a data set, as :func:`make_split` has it."""
    own_test = _own_test(_own_table(problem, workspace), dataset.table, problem, workspace)
    return divide(_dividing_columns(dataset.table, problem), problem, own_test).codes


def _split_id(dataset_id: str, problem: Problem, own_test: pl.DataFrame | None) -> str:
    data = problem.data
    plan = {
        "dataset": dataset_id,
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


def _typed(values: pl.Series, problem: Problem) -> pl.Series:
    """A declared column stored as its kind says; the target as text or as numbers; others as they are."""
    kind = _overrides(problem).get(values.name)
    if kind is None:
        return values
    values = conform_column(values, infer_column(values, kind))
    is_number = values.name == problem.data.target and not problem.task.is_classification
    return values.cast(pl.Float64) if is_number else values


def _dividing_columns(table: Table, problem: Problem) -> pl.DataFrame:
    """What the strategies look at, and nothing else."""
    names = dict.fromkeys((problem.data.target, problem.data.time, problem.data.group, problem.split.column))
    return pl.DataFrame([_typed(table[name], problem) for name in names if name is not None])


def _own_table(problem: Problem, workspace: Workspace) -> pl.DataFrame | None:
    """The user's own test table as it comes; None if there is none."""
    data = problem.data
    if data.test_source is None:
        return None
    return read_source(located(data.test_source, workspace.root), query=data.test_query).frame


def _own_test(own: pl.DataFrame | None, table: Table, problem: Problem, workspace: Workspace) -> pl.DataFrame | None:
    """The user's own test table, with the columns of the main one."""
    if own is None:
        return None
    source = problem.data.test_source or ""
    frame = with_history(own, problem, workspace.root)
    missing = [name for name in table.columns if name not in frame.columns]
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
    return frame.select(name for name in table.columns if name in frame.columns)


def _store(
    id_: str,
    dataset: Dataset | StoredDataset,
    division: Division,
    problem: Problem,
    workspace: Workspace,
    content: str,
) -> None:
    """Give the parts their final types, seal the test part, and keep the rest.

    ``content`` is the digest of the user's own test table as it came; ``""`` if there is none.
    """
    with workspace.scratch() as scratch:
        folder = scratch if dataset.table.cells > SPOOL_CELLS else None
        schema, (train, validation, test) = _parts(dataset.table, division, problem, folder)
        refuse_one_class(train[problem.data.target], problem, division.strategy)
        record = SplitRecord(
            id=id_,
            dataset_id=dataset.version_id,
            strategy=division.strategy,
            reason=division.reason,
            train_rows=train.height,
            validation_rows=validation.height,
            test_rows=test.height,
            seed=problem.split.seed,
            test_digest=workspace.objects.put_by(test.write),
            test_content=content or rows_digest(test.frame()),
            findings=_findings(train, validation, test, schema, problem, division.strategy),
            left_out_rows=division.left_out,
        )
        store_parts(record, train, validation, schema, workspace)


def _parts(
    table: Table, division: Division, problem: Problem, folder: Path | None
) -> tuple[Schema, tuple[Table, Table, Table]]:
    """Training, validation and test rows in their final types, and their schema; one column is in memory at a time."""
    known = _overrides(problem)
    stores = [ColumnStore(folder and folder / part.name) for part in Part]
    members = [pl.Series(division.codes == part) for part in Part]
    columns: list[Column] = []
    for name in table.columns:
        values = _typed(table[name], problem)
        column = infer_column(values.filter(members[Part.TRAIN]), known.get(name))
        values = conform_column(values, column)
        for store, member in zip(stores, members, strict=True):
            store.add(values.filter(member))
        columns.append(column if column.dtype == "Null" else dataclasses.replace(column, dtype=str(values.dtype)))
    train, validation, test = (store.table() for store in stores)
    if division.own_test is not None:
        typed = (_typed(division.own_test[name], problem) for name in division.own_test.columns)
        test = Table(pl.DataFrame([conform_column(values, column) for values, column in _paired(typed, columns)]))
    return Schema(tuple(columns)), (train, validation, test)


def _paired(series: Iterable[pl.Series], columns: list[Column]) -> Iterator[tuple[pl.Series, Column]]:
    """Each column of rows with what it is, by name."""
    by_name = {column.name: column for column in columns}
    return ((values, by_name[values.name]) for values in series)


def store_parts(
    record: SplitRecord, train: TableLike, validation: TableLike, schema: Schema, workspace: Workspace
) -> None:
    """Keep the readable parts and the record of a split whose test part is sealed already.

    ``split.json`` is written last, so that a split which was being stored when the process died does not count.
    """
    folder = workspace.folder("splits", record.id)
    files = {"train.parquet": train, "validation.parquet": validation}
    for name, rows in files.items():
        with atomic_file(folder / name) as path:
            Table.of(rows).write(path)
    write_json_atomic(
        folder / _FILE,
        {
            "protocol": _PROTOCOL,
            "record": record.to_dict(),
            "schema": schema.to_dict(),
            "files": {name: digest_file(folder / name) for name in files},
        },
    )


def refuse_one_class(target: pl.Series, problem: Problem, strategy: str) -> None:
    """Refuse a training part in which a class is all alone.

    Raises
    ------
    DataError
        If there is nothing to tell apart.
    """
    if problem.task.is_classification and target.n_unique() < 2:
        raise DataError(
            "the training part holds one class only, so there is nothing to learn",
            where=f"target {problem.data.target!r}",
            got=f"{target[0]!r} in all {len(target):,} training rows of the {strategy} split",
            cure="Choose another strategy under split, or bring rows in which both classes occur in the training part",
        )


def _findings(
    train: Table, validation: Table, test: Table, schema: Schema, problem: Problem, strategy: str
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
    findings = shared_rows(train, test, compared) + _near_copies(train, test, schema, problem, compared)
    own_test = data.test_source is not None
    if data.group is not None and (strategy != "group" or own_test):
        findings += shared_groups(train[data.group], test[data.group])
    if data.time is not None and (strategy != "time" or own_test):
        findings += times_overlap(train[data.time], test[data.time])
    if problem.task.is_classification:
        findings += unseen_classes(train[data.target], validation[data.target], "validation")
        findings += unseen_classes(train[data.target], test[data.target], "test")
    return findings


def _near_copies(
    train: Table, test: Table, schema: Schema, problem: Problem, compared: list[str]
) -> tuple[Finding, ...]:
    """Findings on rows and texts that nearly repeat; what orders rows or is asked for says nothing about them."""
    about = [name for name in compared if name not in (problem.data.target, problem.data.time)]
    texts = [name for name in about if schema.column(name).kind is ColumnKind.TEXT]
    findings = near_rows(train, test, [name for name in about if name not in texts])
    return findings + tuple(finding for name in texts for finding in near_texts(train[name], test[name]))


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
        if not path.exists() or digest_file(path) != digest:
            raise _damaged(str(path))
        frames[name] = pl.read_parquet(path)
    return Split(
        record,
        Dataset(record.dataset_id, frames["train.parquet"], schema),
        Dataset(record.dataset_id, frames["validation.parquet"], schema),
        SealedTest(record.test_digest, record.test_rows, workspace, record.test_content),
    )


def _damaged(where: str) -> IntegrityError:
    return IntegrityError(
        "a stored split is not what was stored",
        where=where,
        got="another digest",
        cure="Restore it from a backup, or delete its folder and run the command again",
    )
