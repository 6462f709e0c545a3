"""JSON and JSON lines: records of fields, nested ones flattened."""

import itertools
import json
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from modelyard.core import DataError
from modelyard.data.readers.blocks import Blocks
from modelyard.data.readers.encoding import as_utf8, decode
from modelyard.data.readers.flattening import flatten
from modelyard.data.readers.protocol import FileReader, Raw, Source

__all__ = ["JsonLinesReader", "JsonReader"]

_LARGE_BYTES = 32_000_000
_BLOCK_LINES = 20_000


class JsonReader(FileReader):
    """Reads an array of records, or a record of columns; notes encoding and nested fields."""

    name = "json"
    reads = "JSON: .json"
    suffixes = frozenset((".json",))
    marks = (b"[",)

    def read(self, source: Source) -> Raw:
        """The rows of one file.

        Raises
        ------
        DataError
            If it is not JSON, no table, or names a field twice.
        """
        text, notes = _text(source)
        return _noted(_read_json(text, source.location), notes, source.location)


class JsonLinesReader(FileReader):
    """Reads one record per line; notes encoding and nested fields."""

    name = "jsonl"
    reads = "JSON lines: .jsonl, .ndjson"
    suffixes = frozenset((".jsonl", ".ndjson"))
    marks = (b"{",)

    def read(self, source: Source) -> Raw:
        """The rows of one file; those of a large one are read block by block, and wait in the source's scratch folder.

        Raises
        ------
        DataError
            If a line is not JSON, not a record, or names a field twice.
        """
        path, scratch = source.path, source.scratch
        if path is not None and scratch is not None and path.stat().st_size > _LARGE_BYTES:
            return _in_blocks(path, scratch / f"records-{secrets.token_hex(4)}", source.location)
        text, notes = _text(source)
        return _noted(list(_records(text.splitlines(), source.location)), notes, source.location)


def _text(source: Source) -> tuple[str, tuple[str, ...]]:
    text, encoding = decode(source.bytes(), source.location)
    return text, () if encoding == "utf-8" else (_encoding_note(encoding),)


def _encoding_note(encoding: str) -> str:
    return f"read as {encoding}, since it is not UTF-8"


def _noted(rows: list[dict[str, Any]], notes: tuple[str, ...], where: str) -> Raw:
    flat, more = flatten(rows, where)
    return Raw(_from_records(flat), (*notes, *more))


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique_keys)
    except RecursionError as error:
        raise DataError(
            "the JSON is nested too deeply", where=where, cure="Flatten it into plain columns, one value per cell"
        ) from error


def _read_json(text: str, where: str) -> list[dict[str, Any]]:
    """An array of records, one record per line after all, or a mapping of column name to values."""
    try:
        content = _parsed(text, where)
    except json.JSONDecodeError as error:
        if text.lstrip().startswith("{") and error.msg == "Extra data":
            return list(_records(text.splitlines(), where))
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
        return [dict(zip(content, cells, strict=True)) for cells in zip(*content.values(), strict=True)]
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise DataError(
            "the JSON is not a table",
            where=where,
            got=type(content).__name__,
            cure='Give an array of records: [{"age": 41, ...}, ...]',
        )
    return content


def _in_blocks(path: Path, folder: Path, where: str) -> Raw:
    """A file that is too large for memory; the types of its columns are known when its last line is read."""
    written, encoding = as_utf8(path, folder, where)
    notes = {} if encoding == "utf-8" else {_encoding_note(encoding): None}
    blocks = Blocks(folder, json.dumps)
    with written.open(encoding="utf-8-sig") as stream:
        records = _records(stream, where)
        while some := list(itertools.islice(records, _BLOCK_LINES)):
            flat, more = flatten(some, where)
            blocks.add(_from_records(flat))
            notes |= dict.fromkeys(more)
    return Raw(blocks.table(), tuple(notes))


def _records(lines: Iterable[str], where: str) -> Iterator[dict[str, Any]]:
    """One record a line; blank lines are left out."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = _parsed(line, where)
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
        yield row


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
    return pl.DataFrame([_column(name, [row.get(name) for row in rows]) for name in names])


def _column(name: str, cells: list[Any]) -> pl.Series:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {int, float} and float in kinds:
        return pl.Series(name, cells, dtype=pl.Float64, strict=False)
    if kinds == {int} and all(abs(cell) < 2**63 for cell in cells if cell is not None):
        return pl.Series(name, cells, dtype=pl.Int64)
    if kinds == {bool}:
        return pl.Series(name, cells, dtype=pl.Boolean)
    text = [cell if cell is None or isinstance(cell, str) else json.dumps(cell) for cell in cells]
    return pl.Series(name, text, dtype=pl.String)
