"""Folders of parts: the files of one table, with the columns that the names of their folders hold."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import polars as pl

from modelyard.core import DataError
from modelyard.data.readers.protocol import Certainty, Raw, Source
from modelyard.data.table import Table

__all__ = ["PART_SUFFIXES", "FolderReader", "is_part", "read_parts"]

PART_SUFFIXES = frozenset((".parquet", ".pq", ".csv", ".tsv"))
"""Endings of files that are parts of a table."""

_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"

ReadPart = Callable[[Source], Raw]


class FolderReader:
    """Reads all Parquet or delimited files below a folder as one table; notes their number and the partitions.

    Folders called ``year=2025`` give a column ``year`` (Apache Hive's layout). Names that begin with a dot or an
    underscore are left out, as Spark and Hive do.

    Parameters
    ----------
    read_part
        Reads one file.
    """

    name = "folder"
    reads = "folders of Parquet or CSV files, partitioned or not"
    takes_query = False

    def __init__(self, read_part: ReadPart) -> None:
        self._read_part = read_part

    def recognises(self, source: Source) -> Certainty:
        """By being a folder."""
        return Certainty.NAME if source.path is not None and source.path.is_dir() else Certainty.NO

    def state(self, source: Source) -> str:
        """Names, sizes and times of all parts."""
        parts = _parts(Path(source.location))
        seen = "".join(f"{part}|{part.stat().st_size}|{part.stat().st_mtime_ns}\n" for part in parts)
        return hashlib.sha256(seen.encode()).hexdigest()

    def read(self, source: Source) -> Raw:
        """The rows of all parts, in the order of their names.

        Raises
        ------
        DataError
            If there is no part, parts have different columns, or one cannot be read.
        """
        root = Path(source.location)
        parts = [(str(part.relative_to(root)), Source(str(part), scratch=source.scratch)) for part in _parts(root)]
        return read_parts(parts, source.location, self._read_part)


def is_part(name: str) -> bool:
    """True for the relative name of a file that belongs to the table.

    >>> [is_part(name) for name in ("year=2025/a.parquet", "_SUCCESS", "_tmp/a.parquet", "notes.md")]
    [True, False, False, False]
    """
    path = PurePosixPath(name)
    return path.suffix.lower() in PART_SUFFIXES and not any(step.startswith((".", "_")) for step in path.parts)


def _parts(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and is_part(path.relative_to(root).as_posix()))


def read_parts(parts: Sequence[tuple[str, Source]], where: str, read_part: ReadPart) -> Raw:
    """One table of parts: their relative names, and where each is read from.

    Raises
    ------
    DataError
        If there is no part, or parts have different columns, formats or partitions.
    """
    if not parts:
        raise DataError(
            "the folder holds no table",
            where=where,
            got=f"no file that ends in {', '.join(sorted(PART_SUFFIXES))}",
            cure="Name the folder that holds the parts, or one file",
        )
    _refuse_mixed_formats(parts, where)
    keys = tuple(_partitions(parts[0][0]))
    tables: list[Table] = []
    notes: dict[str, None] = {}
    for name, part in parts:
        raw = read_part(part)
        notes |= dict.fromkeys(raw.notes)
        tables.append(_with_partitions(raw.table, name, keys, where))
        _refuse_other_columns(tables[0], tables[-1], (parts[0][0], name), where)
    said = f"{len(parts):,} parts were read in the order of their names"
    partition_note = f"; folders give the columns {', '.join(map(repr, keys))}" if keys else ""
    return Raw(_joined(tables, [name for name, _ in parts], where), (said + partition_note, *notes))


def _refuse_mixed_formats(parts: Sequence[tuple[str, Source]], where: str) -> None:
    forms = {PurePosixPath(name).suffix.lower().replace(".pq", ".parquet") for name, _ in parts}
    if len(forms) > 1:
        raise DataError(
            "the folder holds files of different formats",
            where=where,
            got=", ".join(sorted(forms)),
            cure="Name one file, or keep the parts of one table in a folder of their own",
        )


def _partitions(name: str) -> dict[str, str | None]:
    """Column to value, from the folders ``key=value`` on the way to a part."""
    pairs = (step.split("=", 1) for step in PurePosixPath(name).parts[:-1] if "=" in step)
    return {key: None if value == _HIVE_NULL else unquote(value) for key, value in pairs}


def _with_partitions(table: Table, name: str, keys: tuple[str, ...], where: str) -> Table:
    """The part with its partition columns as text, unless the file holds them itself."""
    found = _partitions(name)
    if tuple(found) != keys:
        raise DataError(
            f"the part {name!r} lies in other partitions than the first part",
            where=where,
            got=", ".join(found) or "none",
            cure=f"Give every part the folders {'/'.join(f'{key}=…' for key in keys) or 'of the first: none'}",
        )
    new = {key: value for key, value in found.items() if key not in table.columns}
    return table.with_columns(pl.lit(value, dtype=pl.String).alias(key) for key, value in new.items())


def _refuse_other_columns(first: Table, other: Table, names: tuple[str, str], where: str) -> None:
    lacks = [name for name in first.columns if name not in other.columns]
    more = [name for name in other.columns if name not in first.columns]
    if lacks or more:
        differences = [f"lacks {_listed(lacks)}"] * bool(lacks) + [f"has {_listed(more)} more"] * bool(more)
        raise DataError(
            f"the part {names[1]!r} has other columns than {names[0]!r}",
            where=where,
            got=" and ".join(differences),
            cure="Give all parts the same columns, or move those of another table away",
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, list(names)[:5]))


def _joined(tables: list[Table], names: list[str], where: str) -> Table:
    """The parts below one another; number types are widened, other types have to agree."""
    columns = tables[0].columns
    for column in columns:
        known = [(name, table.schema[column]) for name, table in zip(names, tables, strict=True)]
        known = [(name, dtype) for name, dtype in known if dtype != pl.Null]
        other = next(((name, dtype) for name, dtype in known if _family(dtype) != _family(known[0][1])), None)
        if other is not None:
            raise DataError(
                "parts hold the same column in different types",
                where=where,
                got=f"column {column!r} is {known[0][1]} in {known[0][0]!r} and {other[1]} in {other[0]!r}",
                cure="Write the parts again alike",
            )
    return Table.stacked([table.reordered(columns) for table in tables])


def _family(dtype: pl.DataType) -> str:
    """Types of one family have a common type."""
    return "number" if dtype.is_numeric() else "date" if dtype in (pl.Date, pl.Datetime) else str(dtype)
