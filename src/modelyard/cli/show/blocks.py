"""The few shapes that all views are made of: findings, facts, tables, paths."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from modelyard.core.findings import Finding, Severity
from modelyard.report import SHOWN, group_findings

__all__ = ["counted", "facts", "findings_view", "headline", "hint", "link", "money", "number", "plain_table", "stack"]

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_MARKS = {Severity.ERROR: "✗ error", Severity.WARNING: "! warning", Severity.INFO: "· info"}


def stack(*parts: RenderableType | None) -> Group:
    """Parts below one another, with air between them; None is left out."""
    lines: list[RenderableType] = []
    for part in parts:
        if part is not None:
            lines += [part, Text("")]
    return Group(*lines[:-1])


def headline(text: str, note: str = "") -> Text:
    """The answer in one line."""
    return Text.assemble((text, "bold"), (f"  {note}" if note else "", "dim"))


def hint(text: str) -> Text:
    """What to do next."""
    return Text.assemble(("→ ", "bold green"), text)


def link(label: str, path: Path) -> Text:
    """A labelled path, clickable where the terminal can."""
    return Text.assemble((f"{label:<12}", "dim"), (str(path), f"link {path.resolve().as_uri()}"))


def facts(pairs: Iterable[tuple[str, str]]) -> Table:
    """Names and values in two columns."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in pairs:
        table.add_row(name, value)
    return table


def plain_table(columns: Sequence[str], rows: Iterable[Sequence[str]], numeric: Iterable[int] = ()) -> Table:
    """A table without a frame; columns in ``numeric`` are set flush right."""
    right = set(numeric)
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for position, column in enumerate(columns):
        table.add_column(column, justify="right" if position in right else "left")
    for row in rows:
        table.add_row(*row)
    return table


def findings_view(findings: Sequence[Finding], *, most: int = 12) -> RenderableType:
    """Findings, worst first, each with its next step, or several with the one they share; a long list is cut and says so."""
    if not findings:
        return Text("No findings.", style="green")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    left = len(findings)
    for group in group_findings(findings):
        if most <= 0:
            break
        shown = group[: min(SHOWN, most)]
        for finding in shown:
            table.add_row(
                Text(_MARKS[finding.severity], _STYLES[finding.severity]), Text(_with_subject(finding), "bold")
            )
        if len(group) > len(shown):
            others = ", ".join(finding.subject for finding in group[len(shown) :])
            table.add_row("", Text(f"and {len(group) - len(shown)} more: {others}"))
        table.add_row("", Text(group[0].action, style="dim"))
        most, left = most - len(shown), left - len(group)
    if left:
        table.add_row("", Text(f"and {left} more in the report", style="dim"))
    return table


def _with_subject(finding: Finding) -> str:
    """The message, after the subject unless it names the subject itself: first, in quotes, or as code."""
    subject, message = finding.subject, finding.message
    named = message.startswith(subject) or f"'{subject}'" in message or f"`{subject}`" in message
    return message if named else f"{subject}: {message}"


def counted(count: int, noun: str) -> str:
    """A count with its noun: ``1 error``, ``1,200 rows``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def number(value: float | None, digits: int = 4) -> str:
    """A number for a table; a dash for None."""
    return "–" if value is None else f"{value:,.{digits}f}"


def money(amount: float, currency: str) -> str:
    """An amount in whole units, with its currency."""
    return f"{amount:,.0f} {currency}"
