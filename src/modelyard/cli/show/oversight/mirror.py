"""View of a mirror: what differed, and what became of it."""

from rich.console import RenderableType

from modelyard.cli.show.blocks import counted, headline, hint, plain_table, stack
from modelyard.oversight.change_page import said
from modelyard.oversight.mirroring import Mirrored

__all__ = ["show_mirrored"]

_MOST = 30


def show_mirrored(found: Mirrored) -> RenderableType:
    """What is not as the ledger says, what was changed by hand first."""
    if not found.differences:
        return headline(f"The mirror shows {counted(found.versions, 'version')} as the ledger has them.", found.where)
    rows = sorted(found.differences, key=lambda item: not item.by_hand)
    table = plain_table(
        ("", "what", "the ledger says", "was there"),
        (
            ("by hand" if item.by_hand else "behind", item.what, said(item.wanted or None), said(item.found or None))
            for item in rows[:_MOST]
        ),
    )
    done = "mended" if found.written else "found"
    note = f"{len(found.drift)} changed by hand"
    return stack(
        headline(f"{counted(len(rows), 'difference')} {done}.", f"{note}; {found.where}"),
        table,
        None if found.written else hint("modelyard mirror"),
    )
