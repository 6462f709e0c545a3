"""A matrix of counts, such as a confusion matrix: shaded by the share of each row, written in full."""

from collections.abc import Sequence

from modelyard.report.blocks import Figure
from modelyard.report.charts.drawing import Drawing, shorten, text_width
from modelyard.report.numbers import format_number, format_percent

__all__ = ["matrix_chart"]

_MOST_CLASSES = 30
_INVERSE_FROM = 0.7  # the shade from which paper-coloured text reads better than ink, in both schemes


def matrix_chart(
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    values: Sequence[Sequence[float]],
    *,
    title: str,
    row_title: str = "actual",
    column_title: str = "predicted",
) -> Figure:
    """Counts in cells shaded by their share of the row; each cell tells count and share.

    Parameters
    ----------
    row_labels, column_labels
        Names of rows and columns; beyond 30 of either only the first 30 are drawn.
    values
        Counts by row, at or above 0.
    title, row_title, column_title
        The heading, and what rows and columns are.
    """
    drawing = Drawing()
    rows, columns = row_labels[:_MOST_CLASSES], column_labels[:_MOST_CLASSES]
    names = [shorten(label, 150) for label in rows]
    left = 24 + max((text_width(name) for name in names), default=0)
    cell = min(110.0, max(40.0, (620 - left) / max(len(columns), 1)))
    height = 56.0 if cell >= 70 else 36.0
    top = 50.0
    drawing.text(left + cell * len(columns) / 2, 16, column_title, "mid")
    drawing.text(0, top - 12, row_title)
    for index, label in enumerate(columns):
        drawing.text(left + cell * (index + 0.5), top - 12, shorten(label, cell - 6), "ink mid", tip=label)
    for index, label in enumerate(rows):
        y = top + height * index
        drawing.text(left - 10, y + height / 2 + 4, names[index], "ink end", tip=label)
        total = sum(values[index])
        for position in range(len(columns)):
            count = float(values[index][position])
            share = count / total if total else 0.0
            tip = f"{row_title} {label}, {column_title} {columns[position]}: {format_number(count)}"
            _draw_cell(drawing, (left + cell * position, y), (cell, height), (count, share), tip)
    words = f"Rows: {row_title}; columns: {column_title}. " + "; ".join(
        f"{label}: {', '.join(format_number(value) for value in row[:_MOST_CLASSES])}"
        for label, row in zip(rows, values, strict=False)
    )
    return drawing.figure(max(left + cell * len(columns) + 4, 200), top + height * len(rows) + 6, title, words[:2000])


def _draw_cell(
    drawing: Drawing, corner: tuple[float, float], size: tuple[float, float], cell: tuple[float, float], tip: str
) -> None:
    """One shaded cell with its count and, where there is room, its share of the row."""
    count, share = cell
    inner = (corner[0] + 1, corner[1] + 1), (size[0] - 2, size[1] - 2)
    drawing.box(*inner, "f1", opacity=0.05 + 0.95 * share, tip=tip)
    look = "mid num inverse" if share > _INVERSE_FROM else "mid num ink"
    middle_x, middle_y = corner[0] + size[0] / 2, corner[1] + size[1] / 2
    if size[0] >= 70:
        drawing.text(middle_x, middle_y - 1, format_number(count), f"{look} strong")
        drawing.text(middle_x, middle_y + 15, format_percent(share), f"{look} small")
    else:
        drawing.text(middle_x, middle_y + 4, shorten(format_number(count), size[0] - 4), look)
