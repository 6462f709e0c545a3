"""A grid of levels, such as features by windows: shade and sign tell the level, so colour is never alone."""

import dataclasses
import math
from collections.abc import Sequence

from modelyard.report.blocks import Figure
from modelyard.report.charts.axes import MARK, WIDTH
from modelyard.report.charts.drawing import Drawing, shorten, text_width

__all__ = ["HeatCell", "heat_chart"]

_MOST_COLUMNS = 60
_ROW = 24.0
_SIGNS = ("", "·", "!", "‼")


@dataclasses.dataclass(frozen=True)
class HeatCell:
    """One cell: ``level`` 0 (quiet) to 3 (worst), or None where nothing was judged; ``tip`` is shown on hover."""

    level: int | None
    tip: str = ""


def heat_chart(
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    cells: Sequence[Sequence[HeatCell]],
    *,
    title: str,
    levels: tuple[str, str, str, str] = ("none", "small", "moderate", "large"),
) -> Figure:
    """A grid of levels with a key above it.

    Parameters
    ----------
    row_labels, column_labels
        Names; beyond 60 columns only the last 60 are drawn. Marks (:data:`MARK`) at the end of a column's name stand above
        it, whether or not there is room for the name.
    cells
        By row, then column.
    title
        The heading.
    levels
        Words for the levels 0 to 3, for the key.
    """
    drawing = Drawing()
    names = [shorten(label, 200) for label in row_labels]
    columns = list(column_labels)[-_MOST_COLUMNS:]
    if not names or not columns:
        drawing.text(WIDTH / 2, 40, "no data", "mid")
        return drawing.figure(WIDTH, 80, title, "There are no values to show.")
    left = 14 + max(text_width(name) for name in names)
    width = min(64.0, (WIDTH - left - 4) / len(columns))
    _draw_key(drawing, left, levels)
    top = 46.0 if any(MARK in label for label in columns) else 34.0
    for row, (name, label) in enumerate(zip(names, row_labels, strict=True)):
        y = top + _ROW * row
        drawing.text(left - 10, y + _ROW / 2 + 4, name, "ink end", tip=label)
        for position, cell in enumerate(list(cells[row])[-_MOST_COLUMNS:]):
            _draw_cell(drawing, (left + width * position, y), width, cell)
    for position, label in enumerate(columns):
        _, sign, numbers = label.partition(MARK)
        if sign:
            drawing.text(left + width * (position + 0.5), top - 2, f"{sign}{numbers}", "mid small", tip=label)
    bottom = top + _ROW * len(names)
    widest = min(max(text_width(label, 11) for label in columns), 110.0) + 12
    stride = max(1, math.ceil(widest / width))
    for position in range(0, len(columns), stride):
        x = left + width * (position + 0.5)
        drawing.text(
            min(max(x, left + 20), WIDTH - widest / 2 + 6),
            bottom + 18,
            shorten(columns[position], 110, 11),
            "mid small",
            tip=columns[position],
        )
    loud = [label for label, row in zip(row_labels, cells, strict=True) if any(cell.level in (2, 3) for cell in row)]
    words = f"{levels[2]} or {levels[3]} in: {', '.join(loud)}." if loud else f"Nothing above {levels[1]}."
    return drawing.figure(WIDTH, bottom + 30, title, words[:2000])


def _draw_key(drawing: Drawing, left: float, levels: Sequence[str]) -> None:
    """What the shades and signs mean."""
    x = left
    for level, word in enumerate(levels):
        _draw_cell(drawing, (x, 2), 22, HeatCell(level))
        drawing.text(x + 28, 18, word)
        x += 28 + text_width(word) + 20


def _draw_cell(drawing: Drawing, corner: tuple[float, float], width: float, cell: HeatCell) -> None:
    """One cell with its sign; an unjudged one is only an outline."""
    x, y = corner
    gap = 1.5 if width >= 10 else 0.5
    look = "unjudged" if cell.level is None else f"level{cell.level}"
    drawing.box((x + gap, y + 1.5), (width - 2 * gap, _ROW - 3), look, tip=cell.tip)
    sign = _SIGNS[cell.level] if cell.level is not None else ""
    if sign and width >= 9:
        drawing.text(x + width / 2, y + _ROW / 2 + 4.5, sign, f"mid strong sign{cell.level}")
