"""Rows found again: by their id, or by their content; and changed as decided."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.data.corrections.records import CorrectionLine, Verdict
from modelyard.data.schema import category_text
from modelyard.data.splits.content import row_digests

__all__ = ["Change", "Changes", "find_rows"]


@dataclasses.dataclass(frozen=True)
class Change:
    """A line, and the row of a table that it is about."""

    row: int
    line: CorrectionLine


def find_rows(frame: pl.DataFrame, lines: Iterable[CorrectionLine], key: str | None) -> list[Change]:
    """The rows that lines are about, if they still have the value that was looked at.

    By id where one is declared and given; of several rows of one id, the one of that content. Else by content: the
    row at the position that the line names, if it is that row, else the first row of that content. Rows of equal
    content are interchangeable, so it does not matter which of them is taken; none is taken twice.

    Parameters
    ----------
    frame
        Rows that may be looked at.
    lines
        Decisions.
    key
        The declared id column, if any.
    """
    search = _Search(frame, tuple(lines), key)
    taken: set[tuple[int, str]] = set()
    changes = []
    for line in search.lines:
        for row in search.candidates(line):
            if (row, line.column) not in taken and search.has_value(row, line):
                taken.add((row, line.column))
                changes.append(Change(row, line))
                break
    return changes


class _Search:
    """A table with what is needed to find rows again, each index made when it is first asked for."""

    def __init__(self, frame: pl.DataFrame, lines: Sequence[CorrectionLine], key: str | None) -> None:
        self.lines = lines
        self._frame = frame
        self._keyed = key is not None and key in frame.columns
        self._texts: dict[str, pl.Series] = {}
        self._by_key = self._rows_by_key(key) if self._keyed and key is not None else {}
        self._hinted = self._digests_at_hints()
        self._by_digest: dict[str, list[int]] | None = None

    def candidates(self, line: CorrectionLine) -> list[int]:
        """Rows that the line may be about, the likeliest first."""
        if line.key and self._keyed:
            rows = self._by_key.get(line.key, [])
            if len(rows) < 2 or not line.digest:
                return rows
            of_content = set(self._rows_of(line.digest))
            return [row for row in rows if row in of_content]
        if not line.digest:
            return []
        if line.position is not None and self._hinted.get(line.position) == line.digest:
            return [line.position, *(self._rows_of(line.digest) if self._by_digest is not None else ())]
        return self._rows_of(line.digest)

    def has_value(self, row: int, line: CorrectionLine) -> bool:
        """True if the row still has what was looked at; a decision on a whole row asks for nothing."""
        if not line.column:
            return True
        if line.column not in self._frame.columns:
            return False
        if line.column not in self._texts:
            self._texts[line.column] = category_text(self._frame[line.column]).cast(pl.String)
        return _same(self._texts[line.column][row], line.given)

    def _rows_by_key(self, key: str) -> dict[str, list[int]]:
        wanted = {line.key for line in self.lines if line.key}
        names = category_text(self._frame[key]).cast(pl.String)
        places = names.is_in(list(wanted)).fill_null(value=False).arg_true()
        found: dict[str, list[int]] = {}
        for row, name in zip(places.to_list(), names[places].to_list(), strict=True):
            found.setdefault(name, []).append(row)
        return found

    def _digests_at_hints(self) -> Mapping[int, str]:
        """The digests of the rows at the positions that lines name."""
        height = self._frame.height
        places = {line.position for line in self.lines if line.position is not None and 0 <= line.position < height}
        rows = sorted(places)
        return dict(zip(rows, row_digests(self._frame[rows]), strict=True)) if rows else {}

    def _rows_of(self, digest: str) -> list[int]:
        if self._by_digest is None:
            wanted = {line.digest for line in self.lines}
            self._by_digest = {}
            for row, name in enumerate(row_digests(self._frame)):
                if name in wanted:
                    self._by_digest.setdefault(name, []).append(row)
        return self._by_digest.get(digest, [])


def _same(text: str | None, given: str) -> bool:
    """True for equal text, and for equal numbers however they are written."""
    if text is None or text == given:
        return text == given
    try:
        return float(text) == float(given)
    except ValueError:
        return False


@dataclasses.dataclass(frozen=True)
class Changes:
    """What a table of some height becomes."""

    changes: Sequence[Change]

    def applied_to(self, frame: pl.DataFrame, places: npt.NDArray[np.int64] | None = None) -> pl.DataFrame:
        """The table with labels and missing values as decided; rows to be left out are still there.

        Parameters
        ----------
        places
            Where the rows that the changes speak of lie in ``frame``; they are ``frame``'s own rows by default.
        """
        for column in sorted({change.line.column for change in self.changes if change.line.column}):
            values = frame[column]
            for verdict in (Verdict.LABEL, Verdict.MISSING):
                some = [item for item in self.changes if item.line.column == column and item.line.verdict is verdict]
                if some:
                    rows = np.array([item.row for item in some], dtype=np.int64)
                    texts = [item.line.becomes for item in some] if verdict is Verdict.LABEL else None
                    values = _with_cells(values, rows if places is None else places[rows], texts)
            frame = frame.with_columns(values)
        return frame

    def kept(self, height: int) -> npt.NDArray[np.bool_]:
        """Which of the rows stay."""
        kept = np.ones(height, dtype=bool)
        kept[[change.row for change in self.changes if change.line.verdict is Verdict.LEFT_OUT]] = False
        return kept


def _with_cells(values: pl.Series, rows: npt.NDArray[np.int64], texts: Sequence[str] | None) -> pl.Series:
    """A column with other values in some rows, in its own type; a number with a fraction makes it Float64."""
    if texts is None:
        return values.clone().scatter(rows.tolist(), None)
    new = pl.Series("new", texts, dtype=pl.String)
    if values.dtype == pl.Boolean:
        new = new.str.to_lowercase() == "true"
    elif values.dtype.is_numeric():
        new = new.cast(pl.Float64)
        if values.dtype.is_integer() and (new == new.round(0)).all():
            new = new.cast(values.dtype)
        else:
            values = values.cast(pl.Float64)
    return values.clone().scatter(rows.tolist(), new)
