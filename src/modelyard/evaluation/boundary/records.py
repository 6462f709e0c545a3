"""What the picture of the decision boundary is drawn from."""

import dataclasses

from modelyard.core import Record

__all__ = ["Boundary", "HeldColumn"]


@dataclasses.dataclass(frozen=True)
class HeldColumn(Record):
    """A column that is the same everywhere in the picture, and its value in words."""

    feature: str
    value: str


@dataclasses.dataclass(frozen=True)
class Boundary(Record):
    """A slice of the model along two columns.

    Parameters
    ----------
    part
        Which rows the points are.
    features
        The column across and the column up.
    across, up
        Values of the grid, rising.
    scores
        By row of the grid (``up``), then column: the probability of the positive class; of several classes the code of
        the decided one.
    threshold
        From which probability on a row is called positive; None for several classes.
    held
        The other columns, the most important first.
    points
        Rows within the grid: value across, value up, code of the true class.
    rows
        Rows that were drawn from the part; those beyond the grid (1 % at each end) or with a gap are no points.
    agreement
        The share of the points that the model decides as the slice does, with the row's own values in all columns.
    """

    part: str
    features: tuple[str, str]
    across: tuple[float, ...]
    up: tuple[float, ...]
    scores: tuple[tuple[float, ...], ...]
    threshold: float | None
    held: tuple[HeldColumn, ...]
    points: tuple[tuple[float, float, int], ...]
    rows: int
    agreement: float
