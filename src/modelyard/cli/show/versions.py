"""Views of versions: all of them, one, and two side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import counted, facts, headline, hint, plain_table, stack

if TYPE_CHECKING:
    from modelyard.data import ColumnShift, DatasetVersion, VersionDiff

__all__ = ["show_diff", "show_version", "show_versions"]

_MOST_SHIFTS = 15
_BAR_CELLS = 10


def show_versions(records: "Sequence[DatasetVersion]", current: str | None) -> RenderableType:
    """One line for each version, the oldest first; the one that was read last is marked."""
    table = plain_table(
        ("version", "stored", "rows", "columns", "source", ""),
        (
            (
                record.id,
                f"{record.created_at:%Y-%m-%d %H:%M}",
                f"{record.rows:,}",
                f"{len(record.columns.columns)}",
                record.source,
                "← current" if record.id == current else "",
            )
            for record in records
        ),
        numeric=(2, 3),
    )
    ids = [record.id for record in records[-2:]]
    more = hint(f"modelyard data diff {ids[0]} {ids[1]}") if len(ids) == 2 else None
    return stack(headline(f"{counted(len(records), 'version')} of the data."), table if records else None, more)


def show_version(record: "DatasetVersion") -> RenderableType:
    """A version's origin, what its reader decided, and its columns."""
    columns = plain_table(
        ("column", "kind", "type", "missing"),
        ((item.name, str(item.kind), item.dtype, "yes" if item.nullable else "") for item in record.columns.columns),
    )
    return stack(
        headline(f"Version {record.id}", counted(record.rows, "row")),
        facts(
            (
                ("source", record.source),
                ("stored", f"{record.created_at:%Y-%m-%d %H:%M:%S}"),
                ("content", record.digest),
                ("size", f"{record.bytes / 1e6:,.1f} MB"),
                *(("note", note) for note in record.notes),
            )
        ),
        columns,
    )


def show_diff(diff: "VersionDiff") -> RenderableType:
    """Rows, columns and types that differ, and the columns that have moved farthest."""
    moved = [shift for shift in diff.shifts if _moved(shift)]
    shifts = plain_table(
        ("column", "moved", "", "missing before", "after"),
        (
            (shift.column, _share(shift.shift), _bar(shift), _share(shift.missing_before), _share(shift.missing_after))
            for shift in moved[:_MOST_SHIFTS]
        ),
        numeric=(1, 3, 4),
    )
    rest = len(moved) - _MOST_SHIFTS
    return stack(
        headline(f"{diff.before} → {diff.after}", f"{diff.rows_before:,} → {diff.rows_after:,} rows"),
        facts(tuple(_facts(diff))),
        shifts if moved else Text("No column has moved.", style="green"),
        Text(f"and {rest} more with --json", style="dim") if rest > 0 else None,
        Text("moved: the largest difference in the share of rows, over all thresholds or sets of values", style="dim"),
    )


def _facts(diff: "VersionDiff") -> list[tuple[str, str]]:
    rows = (
        "no common column to compare by"
        if diff.rows_kept is None
        else f"{diff.rows_added:,} new, {diff.rows_removed:,} gone, {diff.rows_kept:,} kept"
    )
    lines = [("rows", rows)]
    if diff.columns_added:
        lines.append(("new columns", ", ".join(diff.columns_added)))
    if diff.columns_removed:
        lines.append(("gone columns", ", ".join(diff.columns_removed)))
    if diff.columns_reordered:
        lines.append(("order", "common columns stand in another order"))
    return lines + [("type", f"{change.column}: {change.before} → {change.after}") for change in diff.types]


def _moved(shift: "ColumnShift") -> bool:
    return bool(shift.shift) or shift.missing_before != shift.missing_after


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _bar(shift: "ColumnShift") -> str:
    return "█" * round((shift.shift or 0.0) * _BAR_CELLS)
