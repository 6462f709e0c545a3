"""A split as it is kept: two readable parts beside a record, and the digest of the sealed one."""

import dataclasses
import json

import polars as pl

from modelyard.core import Finding, IntegrityError, Record, StateError, digest_file, write_json_atomic
from modelyard.core.files import atomic_file
from modelyard.data.schema import Schema
from modelyard.data.splits.sealed_test import SealedTest
from modelyard.data.table import Table, TableLike
from modelyard.data.version import Dataset
from modelyard.store import Workspace

__all__ = ["Split", "SplitRecord", "is_stored", "load_split", "store_parts"]

_PROTOCOL = 1
_FILE = "split.json"


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


def is_stored(id: str, workspace: Workspace) -> bool:  # noqa: A002 - the field's name
    """True if a split of that id was kept to its end."""
    return (workspace.folder("splits", id) / _FILE).exists()


def load_split(id: str, workspace: Workspace, *, work: str = "") -> Split:  # noqa: A002 - the field's name
    """A split made before, its readable parts verified.

    Parameters
    ----------
    id
        Of the split.
    workspace
        Where it is kept.
    work
        The piece of work that may open the sealed part, if it can be taken up again; see
        :class:`~modelyard.data.splits.sealed_test.SealedTest`.

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
        SealedTest(record.test_digest, record.test_rows, workspace, record.test_content, work),
    )


def _damaged(where: str) -> IntegrityError:
    return IntegrityError(
        "a stored split is not what was stored",
        where=where,
        got="another digest",
        cure="Restore it from a backup, or delete its folder and run the command again",
    )
