"""Views of the account: ledger, status, and the stage on which the demo plays."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import counted, facts, findings_view, headline, hint, link, plain_table, stack
from modelyard.status import Status
from modelyard.store import LedgerRow, Verification

__all__ = ["show_export", "show_rows", "show_status", "show_verification"]

_LONGEST_DETAIL = 60


def show_rows(rows: Sequence[LedgerRow]) -> RenderableType:
    """Who did what to what, and when."""
    table = plain_table(
        ("#", "when", "who", "action", "subject", "details"),
        (
            (
                str(row.sequence),
                f"{row.at:%Y-%m-%d %H:%M:%S}",
                row.actor,
                row.action,
                row.subject[:24],
                _brief(row.details),
            )
            for row in rows
        ),
        numeric=(0,),
    )
    return stack(headline(f"{counted(len(rows), 'row')} in the ledger."), table)


def _brief(details: Mapping[str, Any]) -> str:
    text = ", ".join(f"{key}: {value}" for key, value in details.items())
    return text if len(text) <= _LONGEST_DETAIL else f"{text[: _LONGEST_DETAIL - 1]}…"


def show_verification(result: Verification) -> RenderableType:
    """Whether the chain holds, or where it breaks."""
    if result.ok:
        return Text(f"The chain of {counted(result.rows, 'row')} holds.", style="green")
    place = f" at row {result.first_bad_sequence}" if result.first_bad_sequence is not None else ""
    return Text(f"The ledger was changed{place}: {result.problem}", style="bold red")


def show_export(path: Path, count: int) -> RenderableType:
    """Where the export lies."""
    return stack(headline(f"{counted(count, 'row')} exported."), link("file", path))


def show_status(status: Status) -> RenderableType:
    """What exists of the life, and what comes next."""
    waiting = ", ".join(f"version {version}" for version in status.waiting) or "none"
    return stack(
        headline(status.name),
        facts(
            (
                ("data", status.dataset_id or "–"),
                ("split", f"{status.split_id or '–'}, test opened {counted(status.test_openings, 'time')}"),
                ("run", status.run_id or "–"),
                ("package", status.package or "–"),
                ("production", f"version {status.production}" if status.production else "nothing yet"),
                *((("rolled out", status.rollout),) if status.rollout else ()),
                ("waiting for approval", waiting),
                ("ledger", f"{counted(status.ledger_rows, 'row')}, {'verified' if status.ledger_ok else 'BROKEN'}"),
            )
        ),
        findings_view(status.findings) if status.findings else None,
        hint(status.next_step),
    )
