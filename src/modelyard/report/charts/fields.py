"""A plane in shades, such as a model's answers over two columns, with a border and points upon it."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

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
from modelyard.report.charts.contours import contour
from modelyard.report.charts.drawing import Drawing, text_width
from modelyard.report.numbers import format_number

__all__ = ["Cloud", "FieldCell", "field_chart"]

_HEIGHT = 340.0


@dataclasses.dataclass(frozen=True)
class FieldCell:
    """The look of one place: the palette's number from 1, how strong it is (0 to 1), and the words under the pointer."""

    number: int
    strength: float
    tip: str = ""


@dataclasses.dataclass(frozen=True)
class Cloud:
    """Points of one kind; their colour is the palette's at their place among the clouds."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


def field_chart(
    x: Sequence[float],
    y: Sequence[float],
    cells: Sequence[Sequence[FieldCell]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    clouds: Sequence[Cloud] = (),
    border: Sequence[Sequence[float]] | None = None,
) -> Figure:
    """A grid of shades with points; equal neighbours in a row are one box, so that the drawing stays small.

    Parameters
    ----------
    x, y
        Middles of the cells, rising, at least two of each; else there is nothing to show.
    cells
        By ``y``, then ``x``.
    title, x_label, y_label
        The heading and what the axes show.
    clouds
        Named in a legend; points outside the grid are not drawn.
    border
        Numbers at the middles of the cells: a line is drawn where they are 0.
    """
    drawing = Drawing()
    if len(x) < 2 or len(y) < 2:
        drawing.text(WIDTH / 2, 40, "no data", "mid")
        return drawing.figure(WIDTH, 80, title, "There are no values to show.")
    across, up = _edges(x), _edges(y)
    names = [cloud.name for cloud in clouds]
    top = 30 + (legend_height(names, WIDTH - 60) if names else 0)
    plot = _plot((across[0], across[-1]), (up[0], up[-1]), top)
    ticks = nice_ticks(plot.x.low, plot.x.high, 6)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    plot.tell(drawing, x_label, y_label)
    _draw_cells(drawing, plot, (across, up), cells)
    plot.grid(
        drawing,
        x_ticks=[(tick, format_tick(tick, step)) for tick in ticks],
        y_ticks=nice_ticks(plot.y.low, plot.y.high),
    )
    pieces = [(plot.x(x1), plot.y(y1), plot.x(x2), plot.y(y2)) for x1, y1, x2, y2 in contour(x, y, border or ())]
    drawing.strokes(pieces, "edge")
    for number, cloud in enumerate(clouds, start=1):
        drawing.cloud(list(_inside(plot, cloud)), 2.8, f"f{colour(number)} point outlined", name=cloud.name)
    draw_legend(drawing, names, (plot.x.start, 22), plot.x.end - plot.x.start)
    drawing.text(0, 14, y_label)
    drawing.text((plot.x.start + plot.x.end) / 2, plot.y.start + 40, x_label, "mid")
    shown = ", ".join(f"{format_number(len(cloud.x))} {cloud.name}" for cloud in clouds)
    words = f"{y_label} over {x_label}, in shades" + (f"; points: {shown}." if shown else ".")
    return drawing.figure(WIDTH, plot.y.start + 48, title, words[:2000])


def _edges(middles: Sequence[float]) -> list[float]:
    """Ends of the cells around their middles; the outermost are as wide to either side."""
    between = [(one + other) / 2 for one, other in itertools.pairwise(middles)]
    return [2 * middles[0] - between[0], *between, 2 * middles[-1] - between[-1]]


def _plot(x_range: tuple[float, float], y_range: tuple[float, float], top: float) -> Plot:
    ticks = nice_ticks(*y_range)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    left = 14 + max(text_width(format_tick(tick, step)) for tick in ticks)
    return Plot(Scale(*x_range, left, WIDTH - 12), Scale(*y_range, top + _HEIGHT, top))


def _draw_cells(
    drawing: Drawing, plot: Plot, edges: tuple[list[float], list[float]], cells: Sequence[Sequence[FieldCell]]
) -> None:
    """All boxes of one look together."""
    across, up = edges
    boxes: dict[FieldCell, list[tuple[float, float, float, float]]] = {}
    for row, (low, high) in zip(cells, itertools.pairwise(up), strict=True):
        for first, last, cell in _runs(row):
            left, top = plot.x(across[first]), plot.y(high)
            box = (left, top, plot.x(across[last + 1]) - left, plot.y(low) - top)
            boxes.setdefault(cell, []).append(box)
    for cell, found in boxes.items():
        drawing.tiles(found, f"f{colour(cell.number)}", cell.strength, cell.tip)


def _runs(row: Sequence[FieldCell]) -> Iterator[tuple[int, int, FieldCell]]:
    """First and last place of each stretch of equal cells."""
    start = 0
    for cell, run in itertools.groupby(row):
        count = len(list(run))
        yield start, start + count - 1, cell
        start += count


def _inside(plot: Plot, cloud: Cloud) -> Iterator[tuple[float, float]]:
    for x, y in zip(cloud.x, cloud.y, strict=True):
        if plot.x.low <= x <= plot.x.high and plot.y.low <= y <= plot.y.high:
            yield plot.x(x), plot.y(y)
