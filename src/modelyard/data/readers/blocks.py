"""Rows that come block by block and wait in files: their columns get one type once the last block is there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from modelyard.data.table import Table, spool

__all__ = ["Blocks"]


class Blocks:
    """Takes blocks of one table, each with the types that its own cells have, and gives the whole.

    Parameters
    ----------
    folder
        Made when the first block comes; the table is of use as long as its files are there.
    text
        How the reader writes a cell as text, for columns whose blocks have no common type.
    """

    def __init__(self, folder: Path, text: Callable[[Any], str]) -> None:
        self._folder = folder
        self._text = text
        self._files: list[Path] = []
        self._types: dict[str, dict[pl.DataType, None]] = {}

    def add(self, block: pl.DataFrame) -> None:
        """The next rows."""
        path = self._folder / f"{len(self._files)}.parquet"
        empty = [values.name for values in block.iter_columns() if values.null_count() == len(values)]
        block = block.with_columns(pl.lit(None).alias(name) for name in empty)  # they have no type to agree on
        spool(block.lazy(), path)
        self._files.append(path)
        for name, dtype in block.schema.items():
            self._types.setdefault(name, {})[dtype] = None

    def table(self) -> Table:
        """All rows in order; a block that lacks a column has nulls there."""
        types = {name: _common(list(kinds)) for name, kinds in self._types.items()}
        types = {name: dtype for name, dtype in types.items() if not _is_hollow(name, dtype, types)}
        parts = [self._part(path, types) for path in self._files]
        return Table(pl.concat(parts) if parts else pl.LazyFrame())

    def _part(self, path: Path, types: dict[str, pl.DataType]) -> pl.LazyFrame:
        rows = pl.scan_parquet(path, glob=False)
        own = rows.collect_schema()
        odd = [name for name, dtype in types.items() if dtype == pl.String and own.get(name) not in _TEXT]
        if odd:
            rows = self._written(path, odd)
        return rows.select(
            (pl.col(name) if name in own else pl.lit(None)).cast(dtype).alias(name) for name, dtype in types.items()
        )

    def _written(self, path: Path, names: list[str]) -> pl.LazyFrame:
        """The block with cells of these columns written as text, in a file of its own."""
        block = pl.read_parquet(path, glob=False)
        columns = [
            pl.Series(name, [None if cell is None else self._text(cell) for cell in block[name]], dtype=pl.String)
            for name in names
        ]
        target = path.with_name(f"text-{path.name}")
        spool(block.with_columns(columns).lazy(), target)
        return pl.scan_parquet(target, glob=False)


_TEXT = (None, pl.String, pl.Null)


def _common(kinds: list[pl.DataType]) -> pl.DataType:
    """The one type of several blocks: that of all but empty ones, numbers widened, else text."""
    known = [dtype for dtype in kinds if dtype != pl.Null]
    if len(known) <= 1:
        return known[0] if known else pl.Null()
    return pl.Float64() if all(dtype.is_numeric() for dtype in known) else pl.String()


def _is_hollow(name: str, dtype: pl.DataType, types: dict[str, pl.DataType]) -> bool:
    """True for a nested record that is missing wherever it was not taken apart: its fields say so."""
    return dtype == pl.Null and any(other.startswith(f"{name}.") for other in types)
