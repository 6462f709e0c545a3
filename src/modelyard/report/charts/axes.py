"""Scales and axes: nice numbers, a light grid, labels that read without turning the head."""

import dataclasses
import json
import math
from collections.abc import Iterable, Sequence

from modelyard.report.charts.drawing import Drawing, text_width

__all__ = [
    "MARK",
    "WIDTH",
    "Plot",
    "Scale",
    "draw_legend",
    "finite_range",
    "format_tick",
    "legend_height",
    "nice_ticks",
]

WIDTH = 720.0
"""Width of a chart in pixels; the page scales it down on small screens."""

MARK = "▲"
"""Stands with a number at the end of a name on a time axis where something happened; charts draw a line there."""

_LEGEND_ROW = 22.0
_MOST_NAMES = 400
_LARGEST = 1e150  # beyond this the span of a range would overflow
_RESOLUTION = 1e-9  # spans below this part of the values cannot be told apart on an axis


@dataclasses.dataclass(frozen=True)
class Scale:
    """A linear map from values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The pixel of ``value``; values outside the range are held at its ends."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


@dataclasses.dataclass(frozen=True)
class Plot:
    """The data area of a chart: its two scales."""

    x: Scale
    y: Scale

    def tell(self, drawing: Drawing, x_label: str, y_label: str, x_names: Sequence[str] | None = None) -> None:
        """Let the page's script turn places into values: four numbers for each scale, the labels, and names on x."""
        ends = (end for scale in (self.x, self.y) for end in (scale.start, scale.end, scale.low, scale.high))
        named = {} if x_names is None or len(x_names) > _MOST_NAMES else {"x_names": json.dumps(list(x_names))}
        drawing.tell(plane=" ".join(f"{end:.8g}" for end in ends), x=x_label, y=y_label, **named)

    def grid(self, drawing: Drawing, *, x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[float]) -> None:
        """Draw horizontal grid lines with their numbers, and the ticks below."""
        step = y_ticks[1] - y_ticks[0] if len(y_ticks) > 1 else 1.0
        for value in y_ticks:
            y = self.y(value)
            drawing.line(self.x.start, y, self.x.end, y, "grid")
            drawing.text(self.x.start - 8, y + 4, format_tick(value, step), "end")
        drawing.line(self.x.start, self.y.start, self.x.end, self.y.start, "axis")
        for value, label in x_ticks:
            x = self.x(value)
            drawing.line(x, self.y.start, x, self.y.start + 4, "axis")
            drawing.text(max(x, text_width(label) / 2), self.y.start + 18, label, "mid")


def finite_range(values: Iterable[float], *, pad: float = 0.04) -> tuple[float, float] | None:
    """Lowest and highest finite value, widened by ``pad`` of the span; None if there is no finite value.

    >>> finite_range([1.0, float("nan"), 3.0], pad=0.5)
    (0.0, 4.0)
    """
    kept = [min(max(float(value), -_LARGEST), _LARGEST) for value in values if math.isfinite(value)]
    if not kept:
        return None
    low, high = min(kept), max(kept)
    size = max(abs(low), abs(high))
    if high - low <= size * _RESOLUTION:
        around = (size or 1.0) * 0.5
        return low - around, high + around
    span = high - low
    return low - pad * span, high + pad * span


def nice_ticks(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """Round numbers within ``[low, high]``: about ``count``, at steps of 1, 2 or 5 times a power of ten.

    >>> nice_ticks(0, 1), nice_ticks(0.812, 0.851, 4)
    ((0.0, 0.2, 0.4, 0.6, 0.8, 1.0), (0.82, 0.83, 0.84, 0.85))
    """
    raw = (high - low) / max(count, 1)
    if not math.isfinite(raw) or raw <= 0:
        return (low,)
    power = 10.0 ** math.floor(math.log10(raw))
    step = min((1, 2, 5, 10), key=lambda factor: abs(factor * power - raw)) * power
    if step <= max(abs(low), abs(high)) * _RESOLUTION:
        return (low,)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, -math.floor(math.log10(step)))
    return tuple(round(index * step, decimals) + 0.0 for index in range(first, last + 1))


def format_tick(value: float, step: float) -> str:
    """A tick's number with just the digits that its step needs.

    >>> format_tick(0.5, 0.25), format_tick(20000, 5000), format_tick(3e6, 1e6)
    ('0.50', '20,000', '3M')
    """
    size = abs(value)
    if step > 0 and (step < 1e-4 or size >= 1e12):
        return f"{value:.1e}"
    if step >= 1e5 and size >= 1e6:
        return f"{value / 1e6:g}M"
    digits = f"{step:.6f}".rstrip("0")
    decimals = len(digits) - digits.index(".") - 1
    return f"{value:,.{decimals}f}"


def legend_height(names: Sequence[str], width: float) -> float:
    """Height in pixels that :func:`draw_legend` needs for ``names``."""
    return _LEGEND_ROW * (1 + max((row for row, _ in _legend_places(names, width)), default=0))


def draw_legend(drawing: Drawing, names: Sequence[str], place: tuple[float, float], width: float) -> None:
    """Name the series, each with a swatch in its colour and dash, from ``place`` (left, top) on."""
    for index, (name, (row, offset)) in enumerate(zip(names, _legend_places(names, width), strict=True), start=1):
        x, y = place[0] + offset, place[1] + row * _LEGEND_ROW + 10
        drawing.line(x, y, x + 20, y, f"s{colour(index)} thick")
        drawing.text(x + 26, y + 4, name, "ink")


def colour(index: int) -> int:
    """The palette's number, 1 to 6, for the ``index``-th series, from 1."""
    return (index - 1) % 6 + 1


def _legend_places(names: Sequence[str], width: float) -> list[tuple[int, float]]:
    """Row and offset of each entry, wrapped at ``width``."""
    places: list[tuple[int, float]] = []
    row, offset = 0, 0.0
    for name in names:
        needed = text_width(name) + 46
        if offset and offset + needed > width:
            row, offset = row + 1, 0.0
        places.append((row, offset))
        offset += needed
    return places
