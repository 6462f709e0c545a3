"""Two values per row joined by a line: what was, and what is."""

import math
from collections.abc import Sequence

from modelyard.report.blocks import Figure
from modelyard.report.charts.axes import WIDTH, Scale, finite_range, format_tick, nice_ticks
from modelyard.report.charts.drawing import Drawing, shorten, text_width
from modelyard.report.numbers import format_number

__all__ = ["dumbbell_chart"]

_ROW = 24.0
_TOP = 34.0


def dumbbell_chart(
    labels: Sequence[str],
    before: Sequence[float],
    after: Sequence[float],
    *,
    title: str,
    names: tuple[str, str] = ("before", "after"),
    x_label: str = "",
) -> Figure:
    """A hollow dot for the first value, a filled one for the second, and a line that shows the way between them.

    Parameters
    ----------
    labels, before, after
        One entry per row, in the order given; a value that is not finite has no dot.
    title, x_label
        The heading and what the axis shows.
    names
        What the two values are, for the key.
    """
    drawing = Drawing()
    bounds = finite_range([*before, *after, 0.0], pad=0.03)
    if not labels or bounds is None:
        drawing.text(WIDTH / 2, 40, "no data", "mid")
        return drawing.figure(WIDTH, 80, title, "There are no values to show.")
    shown = [shorten(label, 220) for label in labels]
    left = 12 + max(text_width(name) for name in shown)
    scale = Scale(*bounds, left + 6, WIDTH - 16)
    bottom = _TOP + _ROW * len(labels)
    ticks = nice_ticks(scale.low, scale.high, 6)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    for tick in ticks:
        drawing.line(scale(tick), _TOP - 6, scale(tick), bottom, "grid")
        drawing.text(scale(tick), bottom + 16, format_tick(tick, step), "mid")
    drawing.text((scale.start + scale.end) / 2, bottom + 38, x_label, "mid")
    _draw_key(drawing, left + 6, names)
    for index, (label, name) in enumerate(zip(labels, shown, strict=True)):
        middle = _TOP + _ROW * (index + 0.5)
        drawing.text(left - 4, middle + 4, name, "ink end", tip=label)
        _draw_row(drawing, scale, middle, (before[index], after[index]), names)
    words = "; ".join(
        f"{label} {format_number(first)} to {format_number(second)}"
        for label, first, second in zip(labels, before, after, strict=True)
    )
    return drawing.figure(WIDTH, bottom + (46 if x_label else 26), title, f"{names[0]} to {names[1]}: {words}"[:2000])


def _draw_key(drawing: Drawing, left: float, names: tuple[str, str]) -> None:
    """Which dot is which."""
    drawing.dot(left + 6, 12, 4.5, "hollow")
    drawing.text(left + 16, 16, names[0], "ink")
    second = left + 16 + text_width(names[0]) + 24
    drawing.dot(second, 12, 5, "f1")
    drawing.text(second + 10, 16, names[1], "ink")


def _draw_row(drawing: Drawing, scale: Scale, middle: float, pair: tuple[float, float], names: tuple[str, str]) -> None:
    """The line, then the dots upon it."""
    first, second = pair
    if math.isfinite(first) and math.isfinite(second):
        drawing.line(scale(first), middle, scale(second), middle, "s1 thick quiet")
    if math.isfinite(first):
        drawing.dot(scale(first), middle, 4.5, "hollow", tip=f"{names[0]}: {format_number(first)}")
    if math.isfinite(second):
        drawing.dot(scale(second), middle, 5, "f1", tip=f"{names[1]}: {format_number(second)}")
