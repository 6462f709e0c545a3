"""Two versions side by side: columns, rows by content, and how far each column's values have moved."""

import dataclasses

import numpy as np
import polars as pl

from modelyard.core import Record
from modelyard.data.schema import Column, Schema
from modelyard.data.table import Table
from modelyard.data.version import DatasetVersion, open_version, version_record, version_records
from modelyard.store import Workspace

__all__ = ["ColumnShift", "TypeChange", "VersionDiff", "changed_source", "diff_versions"]


@dataclasses.dataclass(frozen=True)
class TypeChange(Record):
    """A column whose kind or stored type differs: both as ``kind (type)``."""

    column: str
    before: str
    after: str


@dataclasses.dataclass(frozen=True)
class ColumnShift(Record):
    """How far a column's values have moved.

    Parameters
    ----------
    column
        Its name.
    shift
        The largest difference in the share of rows between the versions, from 0 to 1, among known values: over all
        thresholds for numbers and dates (Kolmogorov-Smirnov's statistic; Massey 1951, JASA 46), over all sets of values
        for others (total variation; Levin and Peres, Markov Chains and Mixing Times, section 4.1). None if a version
        knows no value or the type differs.
    missing_before, missing_after
        Shares of missing values.
    """

    column: str
    shift: float | None
    missing_before: float
    missing_after: float


@dataclasses.dataclass(frozen=True)
class VersionDiff(Record):
    """What differs between two versions.

    Parameters
    ----------
    before, after
        Ids of the versions.
    rows_before, rows_after
        Numbers of rows.
    rows_added, rows_removed, rows_kept
        Rows by the hash of their content in the common columns; repeated rows count as often as they occur. All None if
        no column is common.
    columns_added, columns_removed
        Names, in the order of their tables.
    columns_reordered
        True if the common columns stand in another order.
    types
        Columns whose kind or type differs.
    shifts
        Every common column, the farthest moved first.
    """

    before: str
    after: str
    rows_before: int
    rows_after: int
    rows_added: int | None
    rows_removed: int | None
    rows_kept: int | None
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    columns_reordered: bool
    types: tuple[TypeChange, ...]
    shifts: tuple[ColumnShift, ...]

    @property
    def summary(self) -> str:
        """The difference in one sentence, for people."""
        parts = [f"{self.rows_before:,} rows became {self.rows_after:,}"]
        if self.rows_kept is not None:
            parts.append(f"{self.rows_added:,} are new, {self.rows_removed:,} are gone")
        if self.columns_added:
            parts.append(f"new columns: {', '.join(map(repr, self.columns_added[:5]))}")
        if self.columns_removed:
            parts.append(f"columns that are gone: {', '.join(map(repr, self.columns_removed[:5]))}")
        if self.types:
            parts.append(f"other types: {', '.join(repr(change.column) for change in self.types[:5])}")
        if self.rows_added == self.rows_removed == 0 and len(parts) == 2:
            parts.append("their order differs" if not self.columns_reordered else "the order of columns differs")
        return "; ".join(parts)


def diff_versions(before: str, after: str, workspace: Workspace) -> VersionDiff:
    """What differs between two stored versions.

    Whole versions are compared, sealed rows among them, since a change of the source is a fact about the whole table;
    only sizes and one figure a column come out, never a row and nothing about the target's relation to another column.

    Raises
    ------
    StateError
        If there is no such version.
    IntegrityError
        If stored bytes are not what was stored.
    """
    old, new = version_record(before, workspace), version_record(after, workspace)
    a, b = open_version(old.id, workspace).table, open_version(new.id, workspace).table
    common = [name for name in a.columns if name in b.columns]
    kept = _rows_in_both(a, b, common) if common else None
    return VersionDiff(
        before=old.id,
        after=new.id,
        rows_before=old.rows,
        rows_after=new.rows,
        rows_added=None if kept is None else new.rows - kept,
        rows_removed=None if kept is None else old.rows - kept,
        rows_kept=kept,
        columns_added=tuple(name for name in b.columns if name not in a.columns),
        columns_removed=tuple(name for name in a.columns if name not in b.columns),
        columns_reordered=common != [name for name in b.columns if name in a.columns],
        types=tuple(_type_changes(old.columns, new.columns, common)),
        shifts=tuple(sorted((_shift(a[name], b[name]) for name in common), key=_farthest)),
    )


def changed_source(previous: str | None, current: DatasetVersion, workspace: Workspace) -> VersionDiff | None:
    """What the source's content became since the version ``previous``; None if it is the same, or nothing was before."""
    if previous is None or previous == current.id:
        return None
    if previous not in {record.id for record in version_records(workspace)}:
        return None
    return diff_versions(previous, current.id, workspace)


def _rows_in_both(a: Table, b: Table, common: list[str]) -> int:
    """Rows that occur in both, each as often as in the version that has fewer of it."""
    as_text = [pl.col(name).cast(pl.String) for name in common if a.schema[name] != b.schema[name]]
    hashes = (table.with_columns(as_text).row_hashes(common) for table in (a, b))
    counts = [values.alias("row").value_counts(name="n") for values in hashes]
    both = counts[0].join(counts[1], on="row", how="inner")
    return int(both.select(pl.min_horizontal("n", "n_right")).to_series().sum())


def _type_changes(old: Schema, new: Schema, common: list[str]) -> list[TypeChange]:
    pairs = ((old.column(name), new.column(name)) for name in common)
    return [TypeChange(was.name, _said(was), _said(becomes)) for was, becomes in pairs if _said(was) != _said(becomes)]


def _said(column: Column) -> str:
    return f"{column.kind} ({column.dtype})"


def _shift(before: pl.Series, after: pl.Series) -> ColumnShift:
    known = before.drop_nulls(), after.drop_nulls()
    shift = None
    if len(known[0]) and len(known[1]) and before.dtype == after.dtype:
        ordered = before.dtype.is_numeric() or before.dtype.is_temporal()
        shift = _largest_gap(*known) if ordered else _total_variation(*known)
    return ColumnShift(
        before.name,
        None if shift is None else round(shift, 6),
        round(before.null_count() / len(before), 6),
        round(after.null_count() / len(after), 6),
    )


def _largest_gap(before: pl.Series, after: pl.Series) -> float:
    """Kolmogorov-Smirnov's statistic: the largest distance between the two cumulative shares."""
    a, b = (np.sort(values.to_physical().to_numpy()) for values in (before, after))
    places = np.concatenate([a, b])
    below = [np.searchsorted(values, places, side="right") / len(values) for values in (a, b)]
    return float(np.abs(below[0] - below[1]).max())


def _total_variation(before: pl.Series, after: pl.Series) -> float:
    """Half the sum of all differences between the shares of values."""
    shares = [values.value_counts(name="share", normalize=True) for values in (before, after)]
    both = shares[0].join(shares[1], on=before.name, how="full", coalesce=True).fill_null(0.0)
    return float((both["share"] - both["share_right"]).abs().sum() / 2)


def _farthest(shift: ColumnShift) -> tuple[float, str]:
    moved = abs(shift.missing_after - shift.missing_before)
    return -max(shift.shift or 0.0, moved), shift.column
