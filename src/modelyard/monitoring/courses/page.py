"""Answers without a target on the page: rows flagged, what labels say of them, clusters."""

from collections.abc import Sequence

from modelyard.monitoring.courses.records import ClusterShare, FlaggedWindow, MetricTrail
from modelyard.problem import metric_spec
from modelyard.report import (
    Block,
    Details,
    Section,
    Series,
    Table,
    format_number,
    format_percent,
    format_range,
    line_chart,
)

__all__ = ["beside_table", "cluster_section", "flagged_section"]

_MOST_WINDOWS = 30
_MOST_CLUSTERS = 6
_SHORT_TABLE = 14
_LEVELS = {0: "as expected", 1: "beyond 1.5 times", 2: "beyond twice", 3: "beyond 4 times"}


def flagged_section(windows: Sequence[FlaggedWindow]) -> Section:
    """The share of rows called anomalies, by window, against the share expected."""
    shown = windows[-_MOST_WINDOWS:]
    expected = shown[-1].expected
    series = Series(
        "flagged",
        [float(place) for place in range(len(shown))],
        [100 * one.share for one in shown],
        [100 * one.low for one in shown],
        [100 * one.high for one in shown],
    )
    chart = line_chart(
        [series],
        title="Rows called anomalies by window",
        x_label="",
        y_label="% of rows",
        reference=100 * expected,
        x_names=[one.name for one in shown],
    ).with_caption("The band is the 95 % interval; the dotted line is the share expected.")
    rows = tuple(
        (
            one.name,
            f"{one.rows:,}",
            f"{one.flagged:,}",
            format_percent(one.share, 2),
            f"{format_percent(one.low, 2)} to {format_percent(one.high, 2)}",
            format_number(one.times),
            _LEVELS[one.level],
        )
        for one in shown
    )
    columns = ("Window", "Rows", "Flagged", "Share", "95 % interval", "Times expected", "Verdict")
    table = Table(columns, rows, numeric=(1, 2, 3, 4, 5))
    blocks: tuple[Block, ...] = (
        chart,
        table if len(rows) <= _SHORT_TABLE else Details(f"All {len(rows)} windows", (table,)),
    )
    lead = (
        f"{format_percent(expected, 2)} were expected: as many training rows were flagged by detectors that had not seen them. "
        "Certainly more than 1.5 times as many, or as few, is an alarm."
    )
    return Section("Rows flagged", blocks, lead)


def beside_table(trails: Sequence[MetricTrail]) -> Table:
    """Metrics beside the primary one, a row for each window."""
    rows = tuple(
        (
            window.name,
            metric_spec(trail.metric).title,
            f"{window.rows:,}",
            format_number(window.value),
            format_range(window.low, window.high),
            format_number(window.reference),
            "alarm" if window.alarm else window.note or "ok",
        )
        for trail in trails
        for window in trail.windows[-_MOST_WINDOWS:]
    )
    columns = ("Window", "Metric", "Labelled rows", "Value", "95 % interval", "Package", "Verdict")
    return Table(columns, rows, "At the threshold of the package", (2, 3, 4, 5))


def cluster_section(shares: Sequence[ClusterShare]) -> Section:
    """The share of each cluster: over time, and in the last window against training."""
    names = list(dict.fromkeys(one.window for one in shares))[-_MOST_WINDOWS:]
    last = [one for one in shares if one.window == names[-1]]
    rows = tuple(
        (
            one.cluster,
            f"{one.rows:,}",
            format_percent(one.share),
            f"{format_percent(one.low)} to {format_percent(one.high)}",
            format_percent(one.before),
        )
        for one in last
    )
    table = Table(
        ("Cluster", "Rows", "Share", "95 % interval", "In training"), rows, f"Window {names[-1]}", numeric=(1, 2, 3, 4)
    )
    blocks: list[Block] = [table]
    if len(names) > 1:
        blocks.insert(0, _over_time(shares, names, [one.cluster for one in last][:_MOST_CLUSTERS]))
    lead = "Whether the mix moved is told by the drift of `label`, how clearly rows belong to their cluster by that of `score`."
    return Section("Clusters", tuple(blocks), lead)


def _over_time(shares: Sequence[ClusterShare], names: Sequence[str], clusters: Sequence[str]) -> Block:
    """A line for each of the largest clusters."""
    lines = []
    for cluster in clusters:
        found = {one.window: one for one in shares if one.cluster == cluster}
        values = [100 * found[name].share for name in names]
        lines.append(Series(f"cluster {cluster}", [float(place) for place in range(len(names))], values))
    return line_chart(lines, title="Clusters by window", x_label="", y_label="% of rows", x_names=list(names))
