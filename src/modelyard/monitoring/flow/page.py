"""The stream of answers on the page: volume by period, latency and errors by window."""

from collections.abc import Sequence

from modelyard.monitoring.flow.service import ServiceWindow
from modelyard.monitoring.flow.volume import Volume
from modelyard.report import Block, Details, Section, Table, format_number

__all__ = ["flow_sections"]

_MOST = 60
_LEVELS = {0: "usual", 1: "unusual", 3: "far from usual"}


def flow_sections(service: Sequence[ServiceWindow], volume: Sequence[Volume]) -> list[Section]:
    """One section; none where nothing was judged."""
    blocks: list[Block] = []
    if service:
        rows = tuple(
            (
                one.name,
                f"{one.rows:,}",
                format_number(one.latency_p50_ms),
                format_number(one.latency_p95_ms),
                f"{one.unscored:,}",
                f"{one.flagged:,}",
                f"{one.repeated:,}",
            )
            for one in service[-_MOST:]
        )
        columns = ("Window", "Rows", "Latency p50, ms", "p95, ms", "Without score", "Flagged", "Repeated")
        blocks.append(
            Details(f"Latency and errors of {len(rows)} windows", (Table(columns, rows, numeric=tuple(range(1, 7))),))
        )
    if volume:
        counted = tuple(
            (f"{one.start:%Y-%m-%d %H:%M}", f"{one.rows:,}", format_number(one.usual), _LEVELS[one.level])
            for one in volume[-_MOST:]
        )
        table = Table(("Period from, UTC", "Rows", "Usual", "Verdict"), counted, numeric=(1, 2))
        blocks.append(Details(f"Rows of {len(counted)} periods", (table,)))
    return [Section("Traffic", tuple(blocks))] if blocks else []
