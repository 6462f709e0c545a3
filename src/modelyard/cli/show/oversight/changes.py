"""View of what differs between two versions."""

from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import counted, headline, link, plain_table, stack
from modelyard.oversight.change_page import said
from modelyard.oversight.changes import VersionChanges

__all__ = ["show_changes"]

_MOST = 25


def show_changes(found: VersionChanges, out: Path | None) -> RenderableType:
    """Figures first, then what differs, then who approved."""
    figures = plain_table(
        ("metric", "before", "after", ""),
        ((item.metric, _figure(item.before), _figure(item.after), item.verdict) for item in found.figures),
    )
    changes = plain_table(
        ("section", "what", "before", "after"),
        ((item.section, item.what, said(item.before), said(item.after)) for item in found.changes[:_MOST]),
    )
    rest = len(found.changes) - _MOST
    approved = ", ".join(f"{item.approver} ({item.reason})" for item in found.approvals) or "nobody yet"
    return stack(
        headline(f"{found.name}: version {found.before} → {found.after}", counted(len(found.changes), "difference")),
        figures if found.figures else None,
        changes if found.changes else None,
        Text(f"and {rest} more with --json or --out", style="dim") if rest > 0 else None,
        Text(f"approved by {approved}"),
        link("file", out) if out is not None else None,
    )


def _figure(value: tuple[float, float, float] | None) -> str:
    return "–" if value is None else f"{value[0]:.4f} [{value[1]:.4f}, {value[2]:.4f}]"
