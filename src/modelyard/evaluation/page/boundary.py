"""The decision boundary as a picture, with what it leaves out said beside it."""

import math

from modelyard.evaluation.boundary import Boundary
from modelyard.evaluation.records import Evaluation
from modelyard.report import (
    Block,
    Cloud,
    Details,
    FieldCell,
    Prose,
    Table,
    field_chart,
    format_number,
    format_percent,
)

__all__ = ["boundary_blocks"]

_BINS = 20
_WEAKEST, _STRONGEST = 0.06, 0.42
_ONE_CLASS = 0.22
_HELD_NAMED = 4


def boundary_blocks(evaluation: Evaluation) -> tuple[Block, ...]:
    """What the picture is of, the picture, and the values at which all other columns are held."""
    boundary = evaluation.boundary
    if boundary is None:
        return ()
    blocks: list[Block] = [Prose(_words(boundary)), _picture(boundary, evaluation.classes)]
    if len(boundary.held) > _HELD_NAMED:
        rows = tuple((item.feature, item.value) for item in boundary.held)
        blocks.append(Details("What the other columns are held at", (Table(("column", "held at"), rows),)))
    return tuple(blocks)


def _words(boundary: Boundary) -> str:
    across, up = boundary.features
    named = "; ".join(f"{item.feature} at {item.value}" for item in boundary.held[:_HELD_NAMED])
    more = f"; and {len(boundary.held) - _HELD_NAMED} more" if len(boundary.held) > _HELD_NAMED else ""
    slice_of = (
        f"**All other columns are held at typical values** ({named}{more})" if boundary.held else "There are no others"
    )
    alike = format_percent(boundary.agreement)
    return (
        f"Where the decision turns, over {across} and {up}, the two numeric columns that count most. {slice_of}, so this "
        f"is one slice of the model as learnt from the training part: {alike} of the {len(boundary.points):,} points are "
        "decided as their place in the picture says, the others differ by columns that it holds still."
    )


def _picture(boundary: Boundary, classes: tuple[str, ...]) -> Block:
    across, up = boundary.features
    threshold = boundary.threshold
    if threshold is None:
        cells = [[FieldCell(int(code) + 1, _ONE_CLASS, classes[int(code)]) for code in row] for row in boundary.scores]
        border, legend = None, "The shade is the likeliest class"
    else:
        cells = [[_cell(score, threshold, classes[1]) for score in row] for row in boundary.scores]
        border = [[score - threshold for score in row] for row in boundary.scores]
        legend = (
            f"On the line the probability of {classes[1]} is the threshold, {format_number(round(threshold, 4))}; the "
            "stronger the shade, the further from it"
        )
    clouds = [
        Cloud(
            name,
            [x for x, _, truth in boundary.points if truth == code],
            [y for _, y, truth in boundary.points if truth == code],
        )
        for code, name in enumerate(classes)
    ]
    return field_chart(
        boundary.across,
        boundary.up,
        cells,
        title="Decision boundary",
        x_label=across,
        y_label=up,
        clouds=clouds,
        border=border,
    ).with_caption(
        f"{legend}. Points are {boundary.part} rows, coloured by their true class; the outermost 1 % at each end are left out."
    )


def _cell(score: float, threshold: float, positive: str) -> FieldCell:
    """The colour of the decided class, in twentieths of the probability."""
    low = min(math.floor(score * _BINS + 1e-9), _BINS - 1) / _BINS
    middle = low + 0.5 / _BINS
    is_positive = score >= threshold
    room = (1 - threshold) if is_positive else threshold
    distance = min(max((middle - threshold) if is_positive else (threshold - middle), 0.0) / max(room, 1e-9), 1.0)
    tip = f"probability of {positive}: {format_number(round(low, 2))} to {format_number(round(low + 1 / _BINS, 2))}"
    return FieldCell(2 if is_positive else 1, round(_WEAKEST + (_STRONGEST - _WEAKEST) * distance, 2), tip)
