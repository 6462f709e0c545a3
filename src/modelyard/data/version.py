"""Versions of a data set: named by the digest of their content, kept once, never changed."""

import dataclasses
import datetime as dt
import hashlib
import json
import sys

import numpy as np
import polars as pl

from modelyard.core import (
    Clock,
    IntegrityError,
    Record,
    StateError,
    canonical_json,
    system_clock,
    write_json_atomic,
)
from modelyard.data.dtypes import plain_types
from modelyard.data.schema import Schema, infer_schema
from modelyard.data.table import Table, TableLike
from modelyard.store import Workspace

__all__ = [
    "Dataset",
    "DatasetVersion",
    "StoredDataset",
    "content_digest",
    "is_version",
    "load_version",
    "open_version",
    "store_version",
    "version_record",
    "version_records",
]

_FILE = "dataset.json"
_ID_LENGTH = 12
_HASHED_ROWS = 100_000


@dataclasses.dataclass(frozen=True)
class DatasetVersion(Record):
    """One data set that entered, by its content.

    Parameters
    ----------
    id
        The first 12 hexadecimal digits of ``digest``.
    digest
        SHA-256 of the logical content: names, types, values and row order; not of the file's bytes.
    source
        Where it came from, as the user wrote it.
    rows
        Number of rows.
    columns
        Kinds and stored types, inferred on the whole table; a split infers them again on its training part.
    created_at
        When this content was first stored.
    bytes
        Size of the stored Parquet file.
    object_digest
        The Parquet file's name in the object store.
    notes
        What the reader decided: encoding, delimiter, values that became missing.
    parent
        The version that it was corrected from; ``""`` if it came as it is.
    """

    id: str
    digest: str
    source: str
    rows: int
    columns: Schema
    created_at: dt.datetime
    bytes: int
    object_digest: str = ""
    notes: tuple[str, ...] = ()
    parent: str = ""


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Rows that may be looked at, with what their columns are.

    Parameters
    ----------
    version_id
        The data set version they come from.
    frame
        The rows, in the source's order.
    schema
        Kinds and stored types of the frame's columns.
    """

    version_id: str
    frame: pl.DataFrame
    schema: Schema

    @property
    def table(self) -> Table:
        """The rows as a table, as :class:`StoredDataset` has it."""
        return Table(self.frame)


@dataclasses.dataclass(frozen=True)
class StoredDataset:
    """The rows of a stored version, which are read a few columns at a time.

    Parameters
    ----------
    version_id
        The data set version.
    table
        The rows, in the source's order.
    """

    version_id: str
    table: Table


def content_digest(rows: TableLike) -> str:
    """SHA-256 of a table's names, types, values and row order, whatever file it came from.

    >>> content_digest(pl.DataFrame({"a": [1, None]})) == content_digest(pl.DataFrame({"a": [1, 0]}))
    False
    """
    state = hashlib.sha256()
    state.update(canonical_json([[name, str(dtype)] for name, dtype in rows.schema.items()]))
    state.update(rows.height.to_bytes(8, "little"))
    for name in rows.columns:
        values = rows[name]
        state.update(np.packbits(values.is_not_null().to_numpy()).tobytes())
        _hash_values(state, values)
    return state.hexdigest()


def _hash_values(state: "hashlib._Hash", values: pl.Series) -> None:
    """Feed a column's values, with nulls as zero or nothing; their places are in the mask."""
    if values.dtype == pl.String:
        text = values.fill_null("")
        state.update(text.str.len_bytes().to_numpy().astype("<u4").tobytes())
        for start in range(0, len(text), _HASHED_ROWS):
            state.update("".join(text.slice(start, _HASHED_ROWS).to_list()).encode("utf-8"))
        return
    numbers = values.to_physical()
    if numbers.dtype == pl.Boolean:
        numbers = numbers.cast(pl.UInt8)
    array = numbers.fill_null(0).to_numpy()
    state.update((array if sys.byteorder == "little" else array.byteswap()).tobytes())


def store_version(
    rows: TableLike,
    source: str,
    workspace: Workspace,
    *,
    notes: tuple[str, ...] = (),
    parent: str = "",
    clock: Clock = system_clock,
) -> DatasetVersion:
    """Keep a table as a version; the same content gives the same version, whenever and from wherever it comes.

    Parameters
    ----------
    rows
        A frame, whose types are made plain first; or a table in plain types, as
        :func:`modelyard.data.read.open_source` gives it.
    source
        Where they came from, for people.
    workspace
        Holds the Parquet file in its object store, and the record under ``datasets``.
    notes
        What the reader decided; see :func:`modelyard.data.read_source`.
    parent
        The version that it was corrected from.
    clock
        Gives the moment of storing.
    """
    if isinstance(rows, pl.DataFrame):
        rows, more = plain_types(rows)
        notes = (*notes, *more)
    table = Table.of(rows)
    digest = content_digest(table)
    if is_version(digest[:_ID_LENGTH], workspace):
        return version_record(digest[:_ID_LENGTH], workspace)
    stored = workspace.objects.put_by(table.write)
    record = DatasetVersion(
        id=digest[:_ID_LENGTH],
        digest=digest,
        source=source,
        rows=table.height,
        columns=infer_schema(table),
        created_at=clock(),
        bytes=workspace.objects.path(stored).stat().st_size,
        object_digest=stored,
        notes=notes,
        parent=parent,
    )
    write_json_atomic(workspace.folder("datasets", record.id) / _FILE, record.to_dict())
    return record


def is_version(id: str, workspace: Workspace) -> bool:  # noqa: A002 - the field's name
    """True if a version of that id is stored."""
    return (workspace.folder("datasets", id) / _FILE).exists()


def version_record(id: str, workspace: Workspace) -> DatasetVersion:  # noqa: A002 - the field's name
    """The record of a stored version, without its rows; the first digits of an id are enough if they are one's own.

    Raises
    ------
    StateError
        If there is no version of that id.
    IntegrityError
        If the record is damaged.
    """
    path = workspace.folder("datasets", id) / _FILE
    begins = [] if path.exists() else list(workspace.folder("datasets").glob(f"{id}*/{_FILE}"))
    path = begins[0] if len(begins) == 1 else path
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StateError(
            "there is no data set version of this id",
            where="datasets",
            got=repr(id),
            cure="Run `modelyard check` to store the data again",
        ) from error
    except ValueError as error:
        raise IntegrityError(
            "the record of a data set version is damaged",
            where=str(path),
            cure="Restore it from a backup, or delete its folder and run the command again",
        ) from error
    return DatasetVersion.from_dict(content)


def version_records(workspace: Workspace) -> tuple[DatasetVersion, ...]:
    """The records of all stored versions, the oldest first.

    Raises
    ------
    IntegrityError
        If a record is damaged.
    """
    ids = sorted(path.parent.name for path in workspace.folder("datasets").glob(f"*/{_FILE}"))
    return tuple(sorted((version_record(id_, workspace) for id_ in ids), key=lambda record: record.created_at))


def load_version(id: str, workspace: Workspace) -> Dataset:  # noqa: A002 - the field's name
    """The whole table of a stored version, verified, in memory.

    Raises
    ------
    StateError
        If there is no version of that id.
    IntegrityError
        If the stored bytes are not those that were stored.
    """
    record = version_record(id, workspace)
    return Dataset(record.id, open_version(id, workspace).table.frame(), record.columns)


def open_version(id: str, workspace: Workspace) -> StoredDataset:  # noqa: A002 - the field's name
    """The table of a stored version, verified, to be read a few columns at a time.

    Raises
    ------
    StateError, IntegrityError
        As :func:`load_version`.
    """
    record = version_record(id, workspace)
    return StoredDataset(record.id, Table(pl.scan_parquet(workspace.objects.verified(record.object_digest))))
