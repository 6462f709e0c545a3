"""Lines over a common axis: curves, series in time, with bands where an interval is known."""

import dataclasses
import itertools
import math
from collections.abc import Sequence

from modelyard.report.blocks import Figure
from modelyard.report.charts.axes import (
    MARK,
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
from modelyard.report.charts.drawing import Drawing, shorten, text_width
from modelyard.report.numbers import format_number

__all__ = ["Series", "line_chart"]

_MOST_POINTS = 400
_LABEL_GAP = 15.0
_TOP = 30.0


@dataclasses.dataclass(frozen=True)
class Series:
    """One line: points in order, and the ends of an interval around each if known. NaN makes a gap."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


def line_chart(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str,
    y_label: str,
    diagonal: bool = False,
    y_range: tuple[float, float] | None = None,
    reference: float | None = None,
    x_names: Sequence[str] | None = None,
) -> Figure:
    """Lines with a light grid, named at their ends where there is room, else in a legend.

    Parameters
    ----------
    series
        The lines; more than six repeat colours. Beyond 400 points a line is thinned evenly.
    title, x_label, y_label
        The heading and what the axes show.
    diagonal
        Draw the line of equality and make the plot square, as for ROC and calibration curves.
    y_range
        The vertical range; by default that of the data, with a little air.
    reference
        A horizontal dashed line at this value.
    x_names
        Names of the positions 0, 1, 2 … on the x axis, such as dates; one that ends with marks (:data:`MARK`) gets a
        vertical line, at whose top they stand.
    """
    lines = [_thin(one) for one in series]
    ranges = _ranges(lines, y_range, reference, diagonal=diagonal)
    drawing = Drawing()
    if ranges is None:
        drawing.text(WIDTH / 2, 40, "no data", "mid")
        return drawing.figure(WIDTH, 80, title, "There are no values to show.")
    plot, height = _layout(lines, ranges, diagonal=diagonal)
    right = WIDTH if not diagonal else plot.x.end + 12
    x_ticks = _name_ticks(x_names, plot) if x_names is not None else _number_ticks(plot)
    plot.tell(drawing, x_label, y_label, x_names)
    plot.grid(drawing, x_ticks=x_ticks, y_ticks=nice_ticks(plot.y.low, plot.y.high))
    drawing.text(0, 14, y_label)
    drawing.text((plot.x.start + plot.x.end) / 2, plot.y.start + 40, x_label, "mid")
    if diagonal:
        drawing.line(plot.x(plot.x.low), plot.y(plot.x.low), plot.x(plot.x.high), plot.y(plot.x.high), "guide")
    if reference is not None and math.isfinite(reference):
        drawing.line(plot.x.start, plot.y(reference), plot.x.end, plot.y(reference), "guide")
        drawing.text(plot.x.end, plot.y(reference) - 5, f"reference {format_number(reference)}", "end")
    _draw_marks(drawing, plot, x_names or ())
    for index, one in enumerate(lines, start=1):
        _draw_line(drawing, plot, one, colour(index))
    _name_lines(drawing, plot, lines)
    return drawing.figure(right, height, title, _describe(lines, x_label, y_label))


def _draw_marks(drawing: Drawing, plot: Plot, names: Sequence[str]) -> None:
    """A line at each position whose name carries marks."""
    for position, name in enumerate(names):
        _, sign, numbers = name.partition(MARK)
        if sign:
            x = plot.x(position)
            drawing.line(x, plot.y.start, x, plot.y.end, "guide")
            drawing.text(x, plot.y.end - 4, f"{sign}{numbers}", "mid small", tip=name)


def _thin(one: Series) -> Series:
    """At most :data:`_MOST_POINTS` points, first and last among them."""
    count = min(len(one.x), len(one.y))
    if count <= _MOST_POINTS:
        return one
    kept = [round(step * (count - 1) / (_MOST_POINTS - 1)) for step in range(_MOST_POINTS)]
    low = None if one.low is None else [one.low[index] for index in kept]
    high = None if one.high is None else [one.high[index] for index in kept]
    return Series(one.name, [one.x[index] for index in kept], [one.y[index] for index in kept], low, high)


def _ranges(
    lines: Sequence[Series],
    y_range: tuple[float, float] | None,
    reference: float | None,
    *,
    diagonal: bool,
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """The ranges of x and y; None if there is nothing to show."""
    xs = [float(value) for one in lines for value in one.x]
    ys = [float(value) for one in lines for part in (one.y, one.low or (), one.high or ()) for value in part]
    x, y = finite_range(xs, pad=0.0), finite_range(ys)
    if x is None or y is None:
        return None
    if diagonal:
        whole = finite_range([*xs, *ys], pad=0.0) or x
        inside_unit = whole[0] >= 0 and whole[1] <= 1
        both = (0.0, 1.0) if inside_unit else whole
        return both, both
    if reference is not None:
        y = finite_range([*ys, reference]) or y
    return x, y_range if y_range is not None and y_range[0] < y_range[1] else y


def _layout(
    lines: Sequence[Series], ranges: tuple[tuple[float, float], tuple[float, float]], *, diagonal: bool
) -> tuple[Plot, float]:
    """The data area and the height of the drawing."""
    (x_low, x_high), (y_low, y_high) = ranges
    ticks = nice_ticks(y_low, y_high)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    left = 14 + max(text_width(format_tick(tick, step)) for tick in ticks)
    names = [one.name for one in lines]
    width = 420.0 if diagonal else WIDTH - left - 12
    height = 380.0 if diagonal else 240.0
    beside = len(lines) > 1 and not diagonal
    if beside:
        width = width - min(150.0, max(text_width(name) for name in names)) - 12
    scales = Scale(x_low, x_high, left, left + width), Scale(y_low, y_high, _TOP + height, _TOP)
    if beside and _end_places(Plot(*scales), lines) is not None:
        return Plot(*scales), _TOP + height + 48
    top = _TOP + (legend_height(names, width) if len(lines) > 1 else 0)
    width = 420.0 if diagonal else WIDTH - left - 12
    return Plot(Scale(x_low, x_high, left, left + width), Scale(y_low, y_high, top + height, top)), top + height + 48


def _draw_line(drawing: Drawing, plot: Plot, one: Series, number: int) -> None:
    """The band, then the line in its unbroken pieces; a lone point becomes a dot."""
    if one.low is not None and one.high is not None:
        ends = [point for point in zip(one.x, one.low, one.high, strict=True) if all(map(math.isfinite, point))]
        upper = [(plot.x(x), plot.y(high)) for x, _, high in ends]
        lower = [(plot.x(x), plot.y(low)) for x, low, _ in reversed(ends)]
        drawing.path([*upper, *lower], f"f{number} band", closed=True)
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(one.x, one.y, strict=False):
        if math.isfinite(x) and math.isfinite(y):
            pieces[-1].append((plot.x(x), plot.y(y)))
        elif pieces[-1]:
            pieces.append([])
    for piece in pieces:
        drawing.path(piece, f"s{number} thick", name=one.name)
        if len(piece) == 1 or (len(piece) <= 40 and len(one.x) <= 40):
            for x, y in piece:
                drawing.dot(x, y, 2.6, f"f{number}")


def _end_places(plot: Plot, lines: Sequence[Series]) -> list[float] | None:
    """Heights for labels at the right ends of the lines, moved apart; None if one would stand too far from its line."""
    ends: list[float] = []
    for one in lines:
        points = [(x, y) for x, y in zip(one.x, one.y, strict=False) if math.isfinite(x) and math.isfinite(y)]
        if not points or plot.x(points[-1][0]) < plot.x.end - 2:
            return None
        ends.append(plot.y(points[-1][1]))
    order = sorted(range(len(ends)), key=ends.__getitem__)
    placed = list(ends)
    for above, below in itertools.pairwise(order):
        placed[below] = max(placed[below], placed[above] + _LABEL_GAP)
    worst = max(abs(new - old) for new, old in zip(placed, ends, strict=True))
    return placed if worst <= _LABEL_GAP and max(placed) < plot.y.start + 6 else None


def _name_lines(drawing: Drawing, plot: Plot, lines: Sequence[Series]) -> None:
    """Names at the ends if the layout left room for them, else a legend above."""
    if len(lines) < 2:
        return
    has_room = plot.x.end < WIDTH - 13 and plot.y.end == _TOP
    places = _end_places(plot, lines) if has_room else None
    if places is None:
        draw_legend(drawing, [one.name for one in lines], (plot.x.start, 22), plot.x.end - plot.x.start)
        return
    for index, (one, y) in enumerate(zip(lines, places, strict=True), start=1):
        drawing.text(plot.x.end + 8, y + 4, shorten(one.name, 150), f"f{colour(index)} strong", tip=one.name)


def _number_ticks(plot: Plot) -> list[tuple[float, str]]:
    """Nice numbers along the x axis."""
    ticks = nice_ticks(plot.x.low, plot.x.high, 6)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    return [(tick, format_tick(tick, step)) for tick in ticks]


def _name_ticks(names: Sequence[str], plot: Plot) -> list[tuple[float, str]]:
    """As many names along the x axis as fit beside each other, evenly spaced."""
    if not names:
        return []
    widest = min(max(text_width(name) for name in names), 120.0) + 14
    fitting = max(1, int((plot.x.end - plot.x.start) // widest))
    stride = max(1, math.ceil(len(names) / fitting))
    return [(float(index), shorten(names[index], 120)) for index in range(0, len(names), stride)]


def _describe(lines: Sequence[Series], x_label: str, y_label: str) -> str:
    """The chart in words, for those who cannot see it."""
    sentences = [f"{y_label} over {x_label}." if x_label else f"{y_label}."]
    for one in lines:
        known = [float(value) for value in one.y if math.isfinite(value)]
        if known:
            low, high = format_number(min(known)), format_number(max(known))
            sentences.append(f"{one.name}: from {low} to {high}, last {format_number(known[-1])}.")
    return " ".join(sentences)
