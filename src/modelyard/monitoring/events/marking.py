"""Events on the time axes of a monitoring page: numbered marks at windows, and what they stand for."""

import dataclasses
from collections.abc import Mapping, Sequence

from modelyard.monitoring.events.book import Event
from modelyard.monitoring.records import MonitorReport
from modelyard.report import MARK, Page, Section, Table

__all__ = ["marked", "with_events"]


def marked(report: MonitorReport, events: Sequence[Event]) -> MonitorReport:
    """The report with a mark at the name of each window in which an event began; charts draw a line there.

    An event is marked at the first window that ends at or after its beginning, so one between two windows is at the later
    one. Events before the first window and after the last are left out.
    """
    names = _marks(report, events)
    if not names:
        return report

    def rename(name: str) -> str:
        return names.get(name, name)

    return dataclasses.replace(
        report,
        windows=tuple(dataclasses.replace(one, name=rename(one.name)) for one in report.windows),
        performance=tuple(dataclasses.replace(one, name=_by_time(one.name, names)) for one in report.performance),
        quality=tuple(dataclasses.replace(one, window=rename(one.window)) for one in report.quality),
        shifts=tuple(dataclasses.replace(one, window=rename(one.window)) for one in report.shifts),
    )


def with_events(page: Page, report: MonitorReport, events: Sequence[Event]) -> Page:
    """The page with a section that says what the marks stand for; the page as it is if nothing happened."""
    shown = _shown(report, events)
    if not shown:
        return page
    rows = tuple(
        (
            f"{MARK}{number}",
            f"{event.at:%Y-%m-%d %H:%M}",
            f"{event.until:%Y-%m-%d %H:%M}" if event.until else "–",
            event.kind,
            event.title,
            event.actor,
        )
        for number, event in enumerate(shown, start=1)
    )
    table = Table(("Mark", "At", "Until", "Kind", "What", "Who"), rows)
    lead = "What happened meanwhile. That two things happen together does not make one the cause of the other."
    first, *rest = page.sections
    return dataclasses.replace(page, sections=(first, Section("Events", (table,), lead), *rest))


def _shown(report: MonitorReport, events: Sequence[Event]) -> list[Event]:
    """Events that began within the windows."""
    if not report.windows:
        return []
    first, last = report.windows[0].start, report.windows[-1].end
    return [event for event in events if first <= event.at <= last]


def _marks(report: MonitorReport, events: Sequence[Event]) -> Mapping[str, str]:
    """Name of a window to its name with marks."""
    numbers: dict[str, list[int]] = {}
    for number, event in enumerate(_shown(report, events), start=1):
        window = next(one for one in report.windows if one.end >= event.at)
        numbers.setdefault(window.name, []).append(number)
    return {name: f"{name} {''.join(f'{MARK}{one}' for one in marks)}" for name, marks in numbers.items()}


def _by_time(name: str, names: Mapping[str, str]) -> str:
    """A window of labelled rows has the name of a window of all rows, unless fewer labels made it longer."""
    if name in names:
        return names[name]
    first, _, last = name.partition(" to ")
    inside = [full.removeprefix(short).strip() for short, full in names.items() if last and first <= short <= last]
    return f"{name} {''.join(inside)}" if inside else name
