"""Views of exported records, and of an erasure."""

from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import counted, facts, headline, link, stack
from modelyard.oversight.erasure import Erasure
from modelyard.oversight.records_export import RecordsExport

__all__ = ["show_erasure", "show_records"]


def show_records(found: RecordsExport) -> RenderableType:
    """Where the records lie, and what they lack."""
    return stack(
        headline(f"{counted(len(found.files), 'file')} of records.", f"keep them until {found.keep_until}"),
        link("read first", Path(found.folder) / "README.md"),
        Text("\n".join(f"! {gap}" for gap in found.gaps), style="yellow") if found.gaps else None,
    )


def show_erasure(found: Erasure) -> RenderableType:
    """What is gone, how the ledger calls the subject, and what is not gone."""
    return stack(
        headline(f"{counted(found.predictions, 'prediction')} and {counted(found.labels, 'label')} erased."),
        facts(
            (
                ("in the ledger", found.reference),
                ("in the copy", f"{found.copied_predictions:,} and {found.copied_labels:,}"),
                ("files", f"{found.files:,} written anew"),
            )
        ),
        Text("\n".join(("Not erased:", *(f"- {item}" for item in found.beyond))), style="yellow"),
    )
