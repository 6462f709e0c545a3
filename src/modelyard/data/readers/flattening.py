"""Nested JSON made flat by one rule: records become columns with dotted names, lists become text."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from modelyard.core import DataError

__all__ = ["flatten"]

_DEEPEST = 16


def flatten(rows: Sequence[Mapping[str, Any]], where: str) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Rows of single values, and a note on what was flattened.

    A field that holds a record becomes one column for each of its fields, named ``outer.inner``, at any depth to
    16; a list, or a record deeper than that, becomes its JSON text, so that nothing is lost. An empty record is
    missing.

    Raises
    ------
    DataError
        If two fields of a row come to the same name.

    >>> flatten([{"id": 1, "home": {"city": "Ulm", "tags": ["a", "b"]}}], "a test")[0]
    [{'id': 1, 'home.city': 'Ulm', 'home.tags': '["a", "b"]'}]
    """
    if not any(isinstance(cell, dict | list) for row in rows for cell in row.values()):
        return [dict(row) for row in rows], ()
    records: dict[str, None] = {}
    lists: dict[str, None] = {}
    flat = [_flat_row(row, where, records, lists) for row in rows]
    outer = {name[:place] for name in records for place, letter in enumerate(name) if letter == "."}
    for name in outer:  # where a whole record is missing, its fields say so
        if all(row.get(name) is None for row in flat):
            for row in flat:
                row.pop(name, None)
    notes = []
    if records:
        notes.append(f"nested fields became columns with dotted names: {_few(records)}")
    if lists:
        notes.append(f"lists became their JSON text: {_few(lists)}")
    return flat, tuple(notes)


def _few(names: Mapping[str, None]) -> str:
    shown = ", ".join(repr(name) for name in list(names)[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def _flat_row(row: Mapping[str, Any], where: str, records: dict[str, None], lists: dict[str, None]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value, kind in _fields(row, "", 1):
        if name in flat:
            raise DataError(
                "two fields come to the same column name",
                where=where,
                got=repr(name),
                cure="Rename one of them; a nested field is named outer.inner",
            )
        flat[name] = value
        if kind == "record":
            records[name] = None
        elif kind == "list":
            lists[name] = None
    return flat


def _fields(record: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any, str]]:
    """Dotted name, single value, and what it was before: a value, a field of a record, a list."""
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and not value:
            yield name, None, ""
        elif isinstance(value, dict) and depth < _DEEPEST:
            yield from _fields(value, f"{name}.", depth + 1)
        elif isinstance(value, dict | list):
            yield name, json.dumps(value, ensure_ascii=False), "list"
        else:
            yield name, value, "record" if prefix else ""
