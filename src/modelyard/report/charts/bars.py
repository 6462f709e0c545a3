"""Horizontal bars: labels that need no turning, the number at the end of each bar."""

import math
from collections.abc import Sequence

from modelyard.report.blocks import Figure
from modelyard.report.charts.axes import WIDTH, Scale, finite_range, format_tick, nice_ticks
from modelyard.report.charts.drawing import Drawing, shorten, text_width
from modelyard.report.numbers import format_number

__all__ = ["bar_chart"]

_ROW = 26.0
_BAR = 14.0


def bar_chart(
    labels: Sequence[str],
    values: Sequence[float],
    *,
    title: str,
    low: Sequence[float] | None = None,
    high: Sequence[float] | None = None,
    x_label: str = "",
) -> Figure:
    """Horizontal bars from zero, in the order given, with interval whiskers where ``low`` and ``high`` are known.

    Values that are not finite have no bar and the number "–". Negative values go to the left of zero in a second
    colour.
    """
    drawing = Drawing()
    bounds = finite_range([*values, *(low or ()), *(high or ()), 0.0], pad=0.0)
    if not labels or bounds is None:
        drawing.text(WIDTH / 2, 40, "no data", "mid")
        return drawing.figure(WIDTH, 80, title, "There are no values to show.")
    names = [shorten(label, 230) for label in labels]
    left = 12 + max(text_width(name) for name in names)
    scale = Scale(*bounds, left + 4, WIDTH - 76)
    bottom = 8 + _ROW * len(labels)
    _draw_axis(drawing, scale, bottom, x_label)
    for index, (label, name, value) in enumerate(zip(labels, names, values, strict=True)):
        middle = 8 + _ROW * (index + 0.5)
        drawing.text(left - 4, middle + 4, name, "ink end", tip=label)
        ends = (low[index], high[index]) if low is not None and high is not None else None
        _draw_bar(drawing, scale, middle, value, ends, label)
    drawing.line(scale(0), 4, scale(0), bottom, "axis")
    height = bottom + (46 if x_label else 26)
    words = "; ".join(f"{label} {format_number(value)}" for label, value in zip(labels, values, strict=True))
    return drawing.figure(WIDTH, height, title, words[:2000])


def _draw_axis(drawing: Drawing, scale: Scale, bottom: float, x_label: str) -> None:
    """Vertical grid lines with their numbers below."""
    ticks = nice_ticks(scale.low, scale.high, 5)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    for tick in ticks:
        drawing.line(scale(tick), 4, scale(tick), bottom, "grid")
        drawing.text(scale(tick), bottom + 16, format_tick(tick, step), "mid")
    drawing.text((scale.start + scale.end) / 2, bottom + 38, x_label, "mid")


def _draw_bar(
    drawing: Drawing, scale: Scale, middle: float, value: float, ends: tuple[float, float] | None, label: str
) -> None:
    """One bar, its whisker, and its number beyond whichever reaches further."""
    if not math.isfinite(value):
        drawing.text(scale(0) + 8, middle + 4, format_number(None), "ink")
        return
    first, last = sorted((scale(0), scale(value)))
    look = "f1 bar" if value >= 0 else "f2 bar"
    drawing.box((first, middle - _BAR / 2), (max(last - first, 0.5), _BAR), look, tip=_said(label, value, ends))
    reach = last
    if ends is not None and all(map(math.isfinite, ends)):
        x1, x2 = scale(ends[0]), scale(ends[1])
        drawing.line(x1, middle, x2, middle, "whisker")
        for x in (x1, x2):
            drawing.line(x, middle - 4, x, middle + 4, "whisker")
        reach = max(reach, x2)
    drawing.text(max(reach, scale(0)) + 8, middle + 4, format_number(value), "ink num")


def _said(label: str, value: float, ends: tuple[float, float] | None) -> str:
    """The bar in words: "tenure: 0.0412 (0.0391 to 0.0433)"."""
    if ends is None or not all(map(math.isfinite, ends)):
        return f"{label}: {format_number(value)}"
    return f"{label}: {format_number(value)} ({format_number(ends[0])} to {format_number(ends[1])})"
