"""Tables from files and frames, in plain types, with notes on every decision the reader took."""

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from modelyard.core import DataError
from modelyard.data.delimited import decode, read_delimited
from modelyard.data.dtypes import plain_types

__all__ = ["SourceTable", "read_source", "read_table"]

_PARQUET_MARK = b"PAR1"
_FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "delimited",
    ".tsv": "delimited",
    ".txt": "delimited",
    ".data": "delimited",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


@dataclasses.dataclass(frozen=True)
class SourceTable:
    """A table as it was read.

    Parameters
    ----------
    frame
        The rows, in plain types; see :func:`modelyard.data.dtypes.plain_types`.
    notes
        What the reader decided: encoding, delimiter, values that became missing.
    """

    frame: pl.DataFrame
    notes: tuple[str, ...]


def read_table(source: Path | str | object) -> pl.DataFrame:
    """The rows of a file or a frame; :func:`read_source` without its notes."""
    return read_source(source).frame


def read_source(source: Path | str | object) -> SourceTable:
    """The rows of a CSV, JSON, JSONL or Parquet file, or of a pandas, Polars or Arrow frame.

    The format is taken from the file's ending, or from its first bytes if the ending says nothing. Delimiter and
    encoding of text are found.

    Raises
    ------
    DataError
        If there is no such file, it is a folder, empty, damaged or ragged, names occur twice, or it has no rows.
    """
    if isinstance(source, str | Path):
        frame, notes = _read_file(Path(source))
        where = str(source)
    else:
        frame, notes, where = _from_frame(source), (), "the frame given"
    if frame.width == 0 or frame.height == 0:
        raise DataError(
            "the table has no rows",
            where=where,
            got=f"{frame.height} rows, {frame.width} columns",
            cure="Export it again, with rows",
        )
    frame, more = plain_types(frame)
    return SourceTable(frame, (*notes, *more))


def _read_file(path: Path) -> tuple[pl.DataFrame, tuple[str, ...]]:
    where = str(path)
    if path.is_dir():
        inside = sorted(item.name for item in path.iterdir() if item.suffix.lower() in _FORMATS)
        raise DataError(
            "the source is a folder, not a file",
            where=where,
            cure=f"Name one file in it, such as {inside[0]}" if inside else "Name the file that holds the table",
        )
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError("there is no such file", where=where, cure=_similar_file(path)) from error
    except OSError as error:
        raise DataError(
            "the file cannot be read",
            where=where,
            got=error.strerror or str(error),
            cure="Check the path and its permissions",
        ) from error
    if not raw:
        raise DataError("the file is empty", where=where, cure="Export the table again, with a header line and rows")
    form = _FORMATS.get(path.suffix.lower()) or _sniff(raw, where)
    if form == "parquet":
        return _read_parquet(raw, where), ()
    if form == "delimited":
        return read_delimited(raw, where)
    text, encoding = decode(raw, where)
    notes = () if encoding == "utf-8" else (f"read as {encoding}, since it is not UTF-8",)
    return (_read_json(text, where) if form == "json" else _read_jsonl(text, where)), notes


def _similar_file(path: Path) -> str:
    """A cure that names a file with the same stem or ending, if the folder has one."""
    beside = sorted(item.name for item in path.parent.iterdir()) if path.parent.is_dir() else []
    same = [name for name in beside if Path(name).stem == path.stem or name.lower() == path.name.lower()]
    if same:
        return f"Did you mean {same[0]!r}?"
    return f"Check the path; it is looked up from {Path.cwd()}"


def _sniff(raw: bytes, where: str) -> str:
    """The format by the first bytes, for endings that say nothing."""
    if raw.startswith(_PARQUET_MARK):
        return "parquet"
    if raw.startswith((b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")):
        raise DataError(
            "the file's format is not supported",
            where=where,
            got="a workbook or a compressed file",
            cure="Save the table as CSV, JSON, JSONL or Parquet",
        )
    start = raw.lstrip()[:1]
    return {b"[": "json", b"{": "jsonl"}.get(start, "delimited")


def _read_parquet(raw: bytes, where: str) -> pl.DataFrame:
    if not (raw.startswith(_PARQUET_MARK) and raw.endswith(_PARQUET_MARK)):
        damage = "cut short" if raw.startswith(_PARQUET_MARK) else "not a Parquet file"
        raise DataError("the Parquet file is damaged", where=where, got=damage, cure="Copy or export it again")
    try:
        return pl.read_parquet(raw)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            "the Parquet file is damaged",
            where=where,
            got=str(error).splitlines()[0][:120],
            cure="Copy or export it again",
        ) from error


def _read_json(text: str, where: str) -> pl.DataFrame:
    """An array of records, one record per line after all, or a mapping of column name to values."""
    try:
        content = json.loads(text, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        if text.lstrip().startswith("{") and error.msg == "Extra data":
            return _read_jsonl(text, where)
        raise DataError(
            "the file is not valid JSON",
            where=where,
            got=f"line {error.lineno}: {error.msg}",
            cure="Export it again; a JSON table is an array of records",
        ) from error
    if isinstance(content, dict) and content and all(isinstance(cells, list) for cells in content.values()):
        lengths = {len(cells) for cells in content.values()}
        if len(lengths) > 1:
            raise DataError(
                "the columns have different lengths",
                where=where,
                got=str(sorted(lengths)),
                cure="Give every column one value per row",
            )
        return _from_records([dict(zip(content, cells, strict=True)) for cells in zip(*content.values(), strict=True)])
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise DataError(
            "the JSON is not a table",
            where=where,
            got=type(content).__name__,
            cure='Give an array of records: [{"age": 41, ...}, ...]',
        )
    return _from_records(content)


def _read_jsonl(text: str, where: str) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=_unique_keys)
        except json.JSONDecodeError as error:
            raise DataError(
                f"line {number} is not valid JSON",
                where=where,
                got=line[:80],
                cure="Mend that line; a JSONL table has one record per line",
            ) from error
        if not isinstance(row, dict):
            raise DataError(
                f"line {number} is not a record",
                where=where,
                got=line[:80],
                cure='Give one record per line: {"age": 41, ...}',
            )
        rows.append(row)
    return _from_records(rows)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]
    if twice:
        raise DataError(
            "column names occur more than once",
            got=", ".join(repr(name) for name in twice),
            cure="Give every column a name of its own",
        )
    return dict(pairs)


def _from_records(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Columns in order of first appearance; a column of mixed types becomes text, which the types decide upon."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame([_json_column(name, [row.get(name) for row in rows]) for name in names])


def _json_column(name: str, cells: list[Any]) -> pl.Series:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds & {dict, list}:
        raise DataError(
            "the cells of a column are not single values",
            where=f"column {name!r}",
            got="nested JSON",
            cure="Flatten it into plain columns, one value per cell, or leave it out",
        )
    if kinds <= {int, float} and float in kinds:
        return pl.Series(name, cells, dtype=pl.Float64, strict=False)
    if kinds == {int} and all(abs(cell) < 2**63 for cell in cells if cell is not None):
        return pl.Series(name, cells, dtype=pl.Int64)
    if kinds == {bool}:
        return pl.Series(name, cells, dtype=pl.Boolean)
    text = [cell if cell is None or isinstance(cell, str) else json.dumps(cell) for cell in cells]
    return pl.Series(name, text, dtype=pl.String)


def _from_frame(source: object) -> pl.DataFrame:
    """A frame of another library as Polars; a pandas index is left behind."""
    if isinstance(source, pl.DataFrame):
        return source
    if isinstance(source, pl.LazyFrame):
        return source.collect()
    import narwhals as nw

    native: Any = source
    try:
        frame = nw.from_native(native, eager_only=True)
    except (TypeError, ValueError, nw.exceptions.DuplicateError) as error:
        if "unique" in str(error) or "duplicate" in str(error).lower():
            raise _names_twice() from error
        raise DataError(
            "the source is neither a file nor a frame",
            got=type(source).__name__,
            cure="Give a path, or a pandas, Polars or Arrow frame",
        ) from error
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        raise _names_twice()
    return pl.DataFrame([pl.Series(str(name), frame[name].to_arrow()) for name in frame.columns])


def _names_twice() -> DataError:
    return DataError(
        "column names occur more than once", where="the frame given", cure="Give every column its own name"
    )
