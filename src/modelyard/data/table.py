"""A table that need not fit into memory: its columns are read when they are asked for, one or a few at a time."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

__all__ = ["SPOOL_CELLS", "ColumnStore", "Table", "TableLike", "spool"]

SPOOL_CELLS = 16_000_000
"""Cells above which the columns of a new table wait in files rather than in memory: some 130 to 260 MB."""

_GROUP_ROWS = 250_000

_HELD_CELLS = 2_000_000
"""Up to so many cells all columns are read with the first: one alone costs as much as a look at the names of all."""


class Table:
    """Rows that lie in memory or in a file; nothing is read before it is asked for.

    Parameters
    ----------
    rows
        A frame, or a lazy one over a file that stays where it is as long as the table is in use.
    """

    def __init__(self, rows: pl.LazyFrame | pl.DataFrame) -> None:
        self.rows = rows.lazy()
        self._held = rows if isinstance(rows, pl.DataFrame) else None
        self._last: pl.Series | None = None

    @staticmethod
    def of(rows: "TableLike") -> "Table":
        """The rows as a table, whatever holds them."""
        return rows if isinstance(rows, Table) else Table(rows)

    @staticmethod
    def stacked(tables: Sequence["Table"]) -> "Table":
        """Tables of the same columns below one another; number types are widened."""
        return Table(pl.concat([table.rows for table in tables], how="vertical_relaxed"))

    @functools.cached_property
    def schema(self) -> pl.Schema:
        """Names and stored types."""
        return self.rows.collect_schema()

    @property
    def columns(self) -> list[str]:
        """The column names, in order."""
        return self.schema.names()

    @functools.cached_property
    def height(self) -> int:
        """Number of rows."""
        return int(self.rows.select(pl.len()).collect().item())

    @property
    def cells(self) -> int:
        """Rows times columns."""
        return self.height * len(self.columns)

    def __getitem__(self, name: str) -> pl.Series:
        """One column; the last one that was asked for is kept, since many look at a column twice."""
        if self._last is None or self._last.name != name:
            self._last = self._column(name)
        return self._last

    def _column(self, name: str) -> pl.Series:
        if self._held is None and self.cells <= _HELD_CELLS:
            self._held = self.rows.collect()
        return self.select([name]).to_series() if self._held is None else self._held[name]

    def select(self, names: Sequence[str]) -> pl.DataFrame:
        """A few columns."""
        return self.rows.select(list(names)).collect()

    def with_columns(self, *expressions: Any) -> "Table":
        """The table with columns that are worked out when they are read."""
        return Table(self.rows.with_columns(*expressions))

    def reordered(self, names: Sequence[str]) -> "Table":
        """The columns ``names``, in this order."""
        return Table(self.rows.select(list(names)))

    def renamed(self, names: Sequence[str]) -> "Table":
        """The columns under other names, in order."""
        return Table(self.rows.rename(dict(zip(self.columns, names, strict=True))))

    def frame(self) -> pl.DataFrame:
        """All rows, in memory."""
        return self.rows.collect()

    def row_hashes(self, names: Sequence[str]) -> pl.Series:
        """A number for each row that equal rows share, over the columns ``names``; a few rows are read at a time."""
        some = self.rows.select(list(names))
        starts = range(0, max(self.height, 1), _GROUP_ROWS)
        return pl.concat([some.slice(start, _GROUP_ROWS).collect().hash_rows(seed=0) for start in starts])

    def write(self, path: Path) -> None:
        """Write a Parquet file, group of rows by group of rows."""
        self.rows.sink_parquet(path, compression="zstd", statistics=False, row_group_size=_GROUP_ROWS)


class _Spooled(Table):
    """Columns that lie in a file each: one of them is read without a look at the others."""

    def __init__(self, files: Sequence[Path]) -> None:
        super().__init__(pl.concat([pl.scan_parquet(path, glob=False) for path in files], how="horizontal"))
        self._files = dict(zip(self.columns, files, strict=True))

    def _column(self, name: str) -> pl.Series:
        return pl.read_parquet(self._files[name], glob=False).to_series()


TableLike = Table | pl.DataFrame
"""What gives columns by name, knows their names, and how many rows there are."""


def spool(rows: pl.LazyFrame, path: Path) -> None:
    """Write rows to a file in which they wait, packed quickly rather than well, group by group."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.sink_parquet(path, compression="lz4", statistics=False, row_group_size=_GROUP_ROWS)


class ColumnStore:
    """Takes the columns of a new table one after the other; the same columns give the same table wherever they wait.

    Parameters
    ----------
    folder
        An empty folder in which each column waits in a file of its own; None keeps them in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._columns: list[pl.Series] = []
        self._files: list[Path] = []

    def add(self, values: pl.Series) -> None:
        """The next column; all have equally many rows."""
        if self._folder is None:
            self._columns.append(values)
            return
        path = self._folder / f"{len(self._files)}.parquet"
        spool(values.to_frame().lazy(), path)
        self._files.append(path)

    def table(self) -> Table:
        """The columns side by side."""
        if self._folder is None:
            return Table(pl.DataFrame(self._columns))
        return _Spooled(self._files)
