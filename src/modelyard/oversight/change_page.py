"""The change log as Markdown, for a merge request or a wiki."""

from collections.abc import Iterator
from typing import Any

from modelyard.oversight.changes import Change, FigureChange, VersionChanges

__all__ = ["markdown", "said"]

_LONGEST = 80


def markdown(found: VersionChanges) -> str:
    """The whole change log; sections in which nothing differs are left out."""
    return "\n".join(_lines(found)) + "\n"


def said(value: Any) -> str:
    """A value for people, in one cell."""
    if value is None:
        return "–"
    text = f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _lines(found: VersionChanges) -> Iterator[str]:
    yield f"# {found.name}: version {found.before} → {found.after}"
    yield ""
    yield f"{found.created[0]:%Y-%m-%d} `{found.digests[0][:12]}` → {found.created[1]:%Y-%m-%d} `{found.digests[1][:12]}`"
    yield from _figure_lines(found.figures)
    sections: dict[str, list[Change]] = {}
    for change in found.changes:
        sections.setdefault(change.section, []).append(change)
    for section, changes in sections.items():
        yield from ("", f"## {section.capitalize()}", "", "| what | before | after |", "|---|---|---|")
        yield from (f"| {_cell(item.what)} | {_cell(item.before)} | {_cell(item.after)} |" for item in changes)
    yield from ("", "## Approvals", "")
    for approval in found.approvals:
        terms = f" Conditions: {'; '.join(approval.conditions)}." if approval.conditions else ""
        yield f"- {approval.at:%Y-%m-%d} {approval.approver}: {approval.reason}.{terms}"
    if not found.approvals:
        yield "None yet."


def _figure_lines(figures: tuple[FigureChange, ...]) -> Iterator[str]:
    if figures:
        parts = " → ".join(figures[0].measured_on)
        yield from (
            "",
            "## Figures",
            "",
            f"Value [interval], measured on: {parts}. The rows are not the same ones.",
            "",
        )
        yield from ("| metric | before | after | |", "|---|---|---|---|")
    for item in figures:
        yield f"| {_cell(item.metric)} | {_figure(item.before)} | {_figure(item.after)} | {item.verdict} |"


def _figure(value: tuple[float, float, float] | None) -> str:
    return "–" if value is None else f"{value[0]:.4f} [{value[1]:.4f}, {value[2]:.4f}]"


def _cell(value: Any) -> str:
    """A cell that cannot end the table."""
    return said(value).replace("|", "\\|")
