"""Dots with whiskers: estimates side by side, each with its uncertainty."""

import math
from collections.abc import Sequence

from modelyard.report.blocks import Figure
from modelyard.report.charts.axes import WIDTH, Scale, finite_range, format_tick, nice_ticks
from modelyard.report.charts.drawing import Drawing, shorten, text_width
from modelyard.report.numbers import format_number

__all__ = ["interval_chart"]

_ROW = 30.0


def interval_chart(
    labels: Sequence[str],
    values: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    *,
    title: str,
    reference: float | None = None,
    x_label: str = "",
    highlight: int | None = None,
) -> Figure:
    """A leaderboard of estimates with intervals, in the order given.

    Parameters
    ----------
    labels, values, lows, highs
        One entry per row; an interval whose ends are not finite is left out, and so is a value that is not.
    title, x_label
        The heading and what the axis shows.
    reference
        A vertical dashed line to compare with.
    highlight
        Position of the row to stress, such as the winner.
    """
    drawing = Drawing()
    bounds = finite_range([*values, *lows, *highs, *(() if reference is None else (reference,))])
    if not labels or bounds is None:
        drawing.text(WIDTH / 2, 40, "no data", "mid")
        return drawing.figure(WIDTH, 80, title, "There are no values to show.")
    top = 26.0 if reference is not None else 8.0
    texts = [_interval_text(*row) for row in zip(values, lows, highs, strict=True)]
    names = [shorten(label, 200) for label in labels]
    left = 12 + max(text_width(name, 13) for name in names)
    scale = Scale(*bounds, left + 6, WIDTH - 30 - max(text_width(text, 12.6) for text in texts))
    bottom = top + _ROW * len(labels)
    _draw_axis(drawing, scale, (top, bottom), x_label)
    if reference is not None and math.isfinite(reference):
        drawing.line(scale(reference), top - 4, scale(reference), bottom, "guide")
        drawing.text(scale(reference), top - 10, f"reference {format_number(reference)}", "mid")
    for index, name in enumerate(names):
        middle = top + _ROW * (index + 0.5)
        stress = " strong" if index == highlight else ""
        look = "quiet" if highlight is not None and index != highlight else ""
        drawing.text(left - 4, middle + 4, name, f"ink end{stress}", tip=labels[index])
        _draw_row(drawing, scale, middle, (values[index], lows[index], highs[index]), look)
        drawing.text(WIDTH - 4, middle + 4, texts[index], f"end num{stress}")
    words = "; ".join(f"{label} {text}" for label, text in zip(labels, texts, strict=True))
    return drawing.figure(WIDTH, bottom + (46 if x_label else 26), title, words[:2000])


def _interval_text(value: float, low: float, high: float) -> str:
    """The estimate and its interval in words: "0.8453 (0.8301 to 0.8596)"."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return format_number(value)
    return f"{format_number(value)} ({format_number(low)} to {format_number(high)})"


def _draw_axis(drawing: Drawing, scale: Scale, span: tuple[float, float], x_label: str) -> None:
    """Vertical grid lines with their numbers below."""
    top, bottom = span
    ticks = nice_ticks(scale.low, scale.high, 4)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    for tick in ticks:
        drawing.line(scale(tick), top - 4, scale(tick), bottom, "grid")
        drawing.text(scale(tick), bottom + 16, format_tick(tick, step), "mid")
    drawing.text((scale.start + scale.end) / 2, bottom + 38, x_label, "mid")


def _draw_row(drawing: Drawing, scale: Scale, middle: float, row: tuple[float, float, float], look: str) -> None:
    """One whisker and its dot."""
    value, low, high = row
    if math.isfinite(low) and math.isfinite(high):
        drawing.line(scale(low), middle, scale(high), middle, f"s1 thick {look}".strip())
    if math.isfinite(value):
        drawing.dot(scale(value), middle, 5, f"f1 {look}".strip(), tip=_interval_text(value, low, high))
