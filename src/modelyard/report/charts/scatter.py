"""Points: predicted against actual, residuals against predicted."""

import math
from collections.abc import Sequence

from modelyard.report.blocks import Figure
from modelyard.report.charts.axes import (
    WIDTH,
    Plot,
    Scale,
    colour,
    draw_legend,
    finite_range,
    format_tick,
    legend_height,
    nice_ticks,
)
from modelyard.report.charts.drawing import Drawing, text_width
from modelyard.report.numbers import format_number

__all__ = ["scatter_chart"]

_MOST_POINTS = 1500


def scatter_chart(
    x: Sequence[float],
    y: Sequence[float],
    *,
    title: str,
    x_label: str,
    y_label: str,
    diagonal: bool = False,
    zero_line: bool = False,
    groups: Sequence[str] | None = None,
) -> Figure:
    """Translucent points; at most 1,500 are drawn, thinned evenly over the order given.

    Parameters
    ----------
    x, y
        Coordinates; pairs with a value that is not finite are left out.
    title, x_label, y_label
        The heading and what the axes show.
    diagonal
        Give both axes one range, make the plot square and draw the line of equality.
    zero_line
        Draw a line at y = 0, as for residuals.
    groups
        The name of each point's group: each has a colour and stands in a legend, in the order of the names.
    """
    finite = [math.isfinite(float(a)) and math.isfinite(float(b)) for a, b in zip(x, y, strict=True)]
    points = [(float(a), float(b)) for a, b, is_finite in zip(x, y, finite, strict=True) if is_finite]
    named = [name for name, is_finite in zip(groups or [""] * len(finite), finite, strict=True) if is_finite]
    drawing = Drawing()
    if not points:
        drawing.text(WIDTH / 2, 40, "no data", "mid")
        return drawing.figure(WIDTH, 80, title, "There are no values to show.")
    names = sorted(set(named))
    top = 30 + (legend_height(names, WIDTH - 60) if groups is not None else 0)
    plot, size = _layout(points, top, diagonal=diagonal, zero_line=zero_line)
    ticks = nice_ticks(plot.x.low, plot.x.high, 6)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    x_ticks = [(tick, format_tick(tick, step)) for tick in ticks]
    plot.tell(drawing, x_label, y_label)
    plot.grid(drawing, x_ticks=x_ticks, y_ticks=nice_ticks(plot.y.low, plot.y.high))
    drawing.text(0, 14, y_label)
    drawing.text((plot.x.start + plot.x.end) / 2, plot.y.start + 40, x_label, "mid")
    count = len(points)
    shown = min(count, _MOST_POINTS)
    kept = [index * count // shown for index in range(shown)]
    for number, name in enumerate(names, start=1):
        cloud = [(plot.x(points[place][0]), plot.y(points[place][1])) for place in kept if named[place] == name]
        drawing.cloud(cloud, 2.6, f"f{colour(number)} point", name=name)
    if groups is not None:
        draw_legend(drawing, names, (plot.x.start, 22), plot.x.end - plot.x.start)
    if diagonal:
        drawing.line(plot.x(plot.x.low), plot.y(plot.x.low), plot.x(plot.x.high), plot.y(plot.x.high), "guide")
    if zero_line:
        drawing.line(plot.x.start, plot.y(0), plot.x.end, plot.y(0), "guide")
    words = f"{format_number(shown)} of {format_number(count)} points: {y_label} against {x_label}."
    return drawing.figure(*size, title, words)


def _layout(
    points: Sequence[tuple[float, float]], top: float, *, diagonal: bool, zero_line: bool
) -> tuple[Plot, tuple[float, float]]:
    """The data area below ``top``, and the width and height of the drawing."""
    xs, ys = [a for a, _ in points], [b for _, b in points]
    fallback = (0.0, 1.0)
    x_range = finite_range([*xs, *ys] if diagonal else xs) or fallback
    y_range = x_range if diagonal else finite_range([*ys, 0.0] if zero_line else ys) or fallback
    ticks = nice_ticks(*y_range)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    left = 14 + max(text_width(format_tick(tick, step)) for tick in ticks)
    width, height = (420.0, 380.0) if diagonal else (WIDTH - left - 12, 280.0)
    plot = Plot(Scale(*x_range, left, left + width), Scale(*y_range, top + height, top))
    return plot, (left + width + 12, top + height + 48)
