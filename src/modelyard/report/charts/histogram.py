"""Histograms of one or more groups over common bins, as shares, so that groups of any size compare."""

import math
from collections.abc import Mapping, Sequence

from modelyard.report.blocks import Figure
from modelyard.report.charts.axes import (
    WIDTH,
    Plot,
    Scale,
    colour,
    draw_legend,
    format_tick,
    legend_height,
    nice_ticks,
)
from modelyard.report.charts.drawing import Drawing, text_width
from modelyard.report.numbers import format_number

__all__ = ["histogram_chart"]

_HEIGHT = 220.0


def histogram_chart(
    edges: Sequence[float],
    groups: Mapping[str, Sequence[float]],
    *,
    title: str,
    x_label: str,
    y_label: str = "% of the group's rows",
) -> Figure:
    """Step outlines over a translucent fill, one per group, each scaled to 100 % of its own rows.

    Parameters
    ----------
    edges
        Edges of the bins, ascending: one more than the counts of each group.
    groups
        Counts per bin by the name of the group.
    title, x_label, y_label
        The heading and what the axes show.
    """
    drawing = Drawing()
    shares = {name: _percentages(counts) for name, counts in groups.items()}
    highest = max((max(values, default=0.0) for values in shares.values()), default=0.0)
    if len(edges) < 2 or highest <= 0 or not edges[0] < edges[-1] or not all(map(math.isfinite, edges)):
        drawing.text(WIDTH / 2, 40, "no data", "mid")
        return drawing.figure(WIDTH, 80, title, "There are no values to show.")
    ticks = nice_ticks(0, highest * 1.06)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    left = 14 + max(text_width(format_tick(tick, step)) for tick in ticks)
    names = list(shares)
    top = 30 + (legend_height(names, WIDTH - left) if len(names) > 1 else 0)
    plot = Plot(Scale(edges[0], edges[-1], left, WIDTH - 12), Scale(0, highest * 1.06, top + _HEIGHT, top))
    x_marks = nice_ticks(edges[0], edges[-1], 6)
    x_step = x_marks[1] - x_marks[0] if len(x_marks) > 1 else 1.0
    plot.tell(drawing, x_label, y_label)
    plot.grid(drawing, x_ticks=[(mark, format_tick(mark, x_step)) for mark in x_marks], y_ticks=ticks)
    drawing.text(0, 14, y_label)
    drawing.text((plot.x.start + plot.x.end) / 2, plot.y.start + 40, x_label, "mid")
    if len(names) > 1:
        draw_legend(drawing, names, (left, 22), WIDTH - left)
    for index, (name, values) in enumerate(shares.items(), start=1):
        _draw_steps(drawing, plot, edges, values, (colour(index), name))
    words = "; ".join(f"{name}: {format_number(sum(counts))} rows" for name, counts in groups.items())
    return drawing.figure(WIDTH, top + _HEIGHT + 48, title, f"Distribution of {x_label}. {words}.")


def _percentages(counts: Sequence[float]) -> list[float]:
    """Counts as percentages of their sum; zeros if there is nothing."""
    total = float(sum(counts))
    return [100 * float(count) / total if total else 0.0 for count in counts]


def _draw_steps(
    drawing: Drawing, plot: Plot, edges: Sequence[float], values: Sequence[float], group: tuple[int, str]
) -> None:
    """The outline of one group, and its fill; ``group`` is its colour and its name."""
    number, name = group
    outline: list[tuple[float, float]] = [(plot.x(edges[0]), plot.y(0))]
    for low, high, value in zip(edges, edges[1:], values, strict=False):
        outline += [(plot.x(low), plot.y(value)), (plot.x(high), plot.y(value))]
    outline.append((plot.x(edges[-1]), plot.y(0)))
    drawing.path(outline, f"f{number} band", closed=True)
    drawing.path(outline, f"s{number} line", name=name)
