"""Views of the inventory, and of what a change reaches."""

import datetime as dt
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import counted, headline, plain_table, stack
from modelyard.oversight.impact import Impact
from modelyard.oversight.inventory import InventoryEntry

__all__ = ["show_impact", "show_inventory"]


def show_inventory(entries: Sequence[InventoryEntry]) -> RenderableType:
    """One line for each model; below, why nobody seems to look after some."""
    table = plain_table(
        ("model", "owner", "tier", "status", "since", "review due", "last request", "alerts"),
        (
            (
                entry.name if entry.version is None else f"{entry.name}/{entry.version}",
                entry.owner or "nobody",
                entry.tier,
                entry.status,
                _day(entry.deployed_at),
                _day(entry.review_due),
                _day(entry.last_request),
                "not watched" if entry.open_alerts is None else str(entry.open_alerts),
            )
            for entry in entries
        ),
    )
    lost = [entry for entry in entries if entry.orphan]
    note = f"nobody seems to look after {len(lost)}" if lost else "each is looked after"
    return stack(
        headline(f"{counted(len(entries), 'model')}.", note), table, Text("\n").join(_orphans(lost)) if lost else None
    )


def _orphans(entries: Sequence[InventoryEntry]) -> Iterator[Text]:
    for entry in entries:
        yield Text.assemble(
            ("! ", "yellow"), (entry.name, "bold"), f"  {'; '.join(entry.orphan)}", f"  ({entry.project})"
        )


def show_impact(found: Impact) -> RenderableType:
    """What is reached, on which way, and who is to be told."""
    names = ", ".join(str(node) for node in found.start)
    reached = plain_table(
        ("reaches", "through", ""),
        ((str(item.node), " → ".join(node.name for node in item.via), item.note) for item in found.reached),
    )
    people = plain_table(
        ("tell", "contact", "about"), ((item.name, item.contact or "–", ", ".join(item.about)) for item in found.notify)
    )
    unowned = f"Without an owner: {', '.join(found.unowned)}."
    return stack(
        headline(f"{names}: it reaches {counted(len(found.reached), 'thing')}."),
        reached if found.reached else None,
        people if found.notify else None,
        Text(unowned, style="yellow") if found.unowned else None,
    )


def _day(moment: dt.datetime | None) -> str:
    return "–" if moment is None else f"{moment:%Y-%m-%d}"
