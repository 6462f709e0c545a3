"""Points: predicted against actual, residuals against predicted."""

import math
from collections.abc import Sequence

from modelyard.report.blocks import Figure
from modelyard.report.charts.axes import WIDTH, Plot, Scale, finite_range, format_tick, nice_ticks
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
    """
    points = [
        (float(a), float(b)) for a, b in zip(x, y, strict=True) if math.isfinite(float(a)) and math.isfinite(float(b))
    ]
    drawing = Drawing()
    if not points:
        drawing.text(WIDTH / 2, 40, "no data", "mid")
        return drawing.figure(WIDTH, 80, title, "There are no values to show.")
    plot, size = _layout(points, diagonal=diagonal, zero_line=zero_line)
    ticks = nice_ticks(plot.x.low, plot.x.high, 6)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    x_ticks = [(tick, format_tick(tick, step)) for tick in ticks]
    plot.tell(drawing, x_label, y_label)
    plot.grid(drawing, x_ticks=x_ticks, y_ticks=nice_ticks(plot.y.low, plot.y.high))
    drawing.text(0, 14, y_label)
    drawing.text((plot.x.start + plot.x.end) / 2, plot.y.start + 40, x_label, "mid")
    count = len(points)
    shown = min(count, _MOST_POINTS)
    kept = (points[index * count // shown] for index in range(shown))
    drawing.cloud([(plot.x(a), plot.y(b)) for a, b in kept], 2.6, "f1 point")
    if diagonal:
        drawing.line(plot.x(plot.x.low), plot.y(plot.x.low), plot.x(plot.x.high), plot.y(plot.x.high), "guide")
    if zero_line:
        drawing.line(plot.x.start, plot.y(0), plot.x.end, plot.y(0), "guide")
    words = f"{format_number(shown)} of {format_number(count)} points: {y_label} against {x_label}."
    return drawing.figure(*size, title, words)


def _layout(
    points: Sequence[tuple[float, float]], *, diagonal: bool, zero_line: bool
) -> tuple[Plot, tuple[float, float]]:
    """The data area, and the width and height of the drawing."""
    xs, ys = [a for a, _ in points], [b for _, b in points]
    fallback = (0.0, 1.0)
    x_range = finite_range([*xs, *ys] if diagonal else xs) or fallback
    y_range = x_range if diagonal else finite_range([*ys, 0.0] if zero_line else ys) or fallback
    ticks = nice_ticks(*y_range)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    left = 14 + max(text_width(format_tick(tick, step)) for tick in ticks)
    width, height = (420.0, 380.0) if diagonal else (WIDTH - left - 12, 280.0)
    plot = Plot(Scale(*x_range, left, left + width), Scale(*y_range, 30 + height, 30))
    return plot, (left + width + 12, 30 + height + 48)
