"""Views of the ledger."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import counted, facts, headline, hint, link, plain_table, stack
from modelyard.store import LedgerRow, Shared, Verification
from modelyard.store.head import Head

__all__ = [
    "show_export",
    "show_key",
    "show_renewal",
    "show_rows",
    "show_shared",
    "show_signed",
    "show_verification",
]

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


def show_verification(result: Verification) -> RenderableType:
    """Whether the chain holds, or where it breaks."""
    if not result.ok:
        place = f" at row {result.first_bad_sequence}" if result.first_bad_sequence is not None else ""
        return Text(f"The ledger was changed{place}: {result.problem}", style="bold red")
    holds = Text(f"The chain of {counted(result.rows, 'row')} holds.", style="green")
    if result.uncovered is None:
        return holds
    signed = f"{counted(result.checkpoints, 'signed checkpoint')} agree, {counted(result.uncovered, 'row')} came after."
    return stack(holds, Text(signed))


def show_export(path: Path, count: int) -> RenderableType:
    """Where the export lies."""
    return stack(headline(f"{counted(count, 'row')} exported."), link("file", path))


def show_signed(head: Head) -> RenderableType:
    """The row that was signed."""
    return stack(headline(f"Row {head.sequence} is signed."), facts((("hash", head.hash),)))


def show_key(path: Path, public: str, *, is_new: bool) -> RenderableType:
    """The public key, to be put into the project file."""
    return stack(
        headline("A key was made." if is_new else "This machine has a key."),
        facts((("private key", str(path)), ("public key", public))),
        hint(f"store.checkpoints.trust: [{public}]"),
    )


def show_renewal(row: LedgerRow) -> RenderableType:
    """What was noted."""
    return stack(headline(f"The ledger goes on with row {row.sequence}."), facts((("lost", row.details["problem"]),)))


def show_shared(shared: Shared) -> RenderableType:
    """Where the history lies now, and where it is kept."""
    rows = counted(shared.rows, "row")
    said = (
        f"{rows} went to the shared store."
        if shared.is_moved
        else f"The project joined the shared store; {rows} stay behind."
    )
    return stack(headline(said), facts((("kept", shared.kept),)))


def _brief(details: Mapping[str, Any]) -> str:
    text = ", ".join(f"{key}: {value}" for key, value in details.items())
    return text if len(text) <= _LONGEST_DETAIL else f"{text[: _LONGEST_DETAIL - 1]}…"
