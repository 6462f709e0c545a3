"""A reviewed sheet: the audit's list of suspects with somebody's word in the last column."""

import csv
import io
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from modelyard.core import DataError
from modelyard.data.corrections.records import CorrectionLine, Verdict
from modelyard.data.readers.encoding import decode
from modelyard.data.schema import category_text
from modelyard.data.splits import Split
from modelyard.problem import Problem, did_you_mean

__all__ = ["read_sheet"]

_LABEL, _VERDICT = "reviewed_label", "verdict"
_WORDS = ("error", "legitimate", "leave out")


def read_sheet(path: Path, raw: bytes, split: Split, problem: Problem) -> tuple[CorrectionLine, ...]:
    """The decisions of a sheet such as ``label_suspects.csv`` or ``outliers.csv``; lines without a word are left out.

    In ``reviewed_label`` stands the right label; the given one confirms it. In ``verdict`` stands ``legitimate``,
    ``error`` (the value becomes missing; an error in the target leaves the row out) or ``leave out``.

    Raises
    ------
    DataError
        If it is no such sheet, holds no decision, or decides what cannot be: a class that training does not know, a
        column that is not there, an unknown word. The sentence names the line.
    """
    text, _ = decode(raw, str(path))
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    _require_columns(path, reader.fieldnames or ())
    lines = []
    for cells in reader:
        where = f"{path}, line {reader.line_num}"
        row = {str(name): str(value or "") for name, value in cells.items() if name is not None}
        lines += list(_decisions(row, split, problem, where))
    if not lines:
        raise DataError(
            "the sheet holds no decision",
            where=str(path),
            cure=f"Fill the column {_LABEL} or {_VERDICT}, line by line; lines left empty are not decided",
        )
    return tuple(lines)


def _require_columns(path: Path, names: object) -> None:
    present = set(names) if isinstance(names, list) else set()
    missing = [name for name in ("given",) if name not in present]
    if not present & {_LABEL, _VERDICT}:
        missing.append(f"{_LABEL} or {_VERDICT}")
    if not present & {"key", "digest"}:
        missing.append("key or digest")
    if missing:
        raise DataError(
            "this is no reviewed sheet of the audit",
            where=str(path),
            got=f"no column {', '.join(missing)}",
            cure="Start from label_suspects.csv or outliers.csv, which `modelyard audit` writes",
        )


def _decisions(row: Mapping[str, str], split: Split, problem: Problem, where: str) -> Iterator[CorrectionLine]:
    target = problem.data.target
    column = row.get("column", target).strip()
    if column and column not in split.train.frame.columns:
        cure = did_you_mean(column, split.train.frame.columns)
        raise DataError("the table has no such column", where=where, got=repr(column), cure=cure)

    def line(verdict: Verdict, becomes: str = "") -> CorrectionLine:
        place = row.get("position", "").strip()
        position = int(place) if place.isdecimal() else None
        return CorrectionLine(
            row.get("key", ""), position, row.get("digest", "").strip(), column, row["given"], verdict, becomes
        )

    if label := row.get(_LABEL, "").strip():
        if column != target:
            raise DataError("only the target has labels", where=where, got=repr(column), cure="Use the column verdict")
        right = _checked_label(label, split, problem, where)
        yield line(Verdict.CONFIRMED) if right == row["given"] else line(Verdict.LABEL, right)
    word = row.get(_VERDICT, "").strip().lower().replace("_", " ")
    if word in ("error", "leave out"):
        whole = word == "leave out" or column in ("", target)
        yield line(Verdict.LEFT_OUT if whole else Verdict.MISSING)
    elif word == "legitimate":
        yield line(Verdict.CONFIRMED)
    elif word:
        raise DataError("there is no such verdict", where=where, got=repr(word), cure=did_you_mean(word, _WORDS))


def _checked_label(label: str, split: Split, problem: Problem, where: str) -> str:
    """A label as it is written in the table; one that is no class, or no number, is a slip of the reviewer."""
    target = split.train.frame[problem.data.target]
    if problem.task.is_classification:
        classes = {str(name).strip(): str(name) for name in category_text(target).unique().sort()}
        if label not in classes:
            cure = did_you_mean(label, classes)
            raise DataError("the training part has no such class", where=where, got=repr(label), cure=cure)
        return classes[label]
    try:
        number = float(label)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        cure = "Write it with a point, without marks between thousands"
        raise DataError("the label is no number", where=where, got=repr(label), cure=cure)
    return str(category_text(pl.Series([number]))[0])
