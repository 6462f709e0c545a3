"""Where numbers on a grid pass through zero: straight pieces, cell by cell (marching squares)."""

import itertools
from collections.abc import Iterator, Sequence

__all__ = ["contour"]

Point = tuple[float, float]


def contour(
    x: Sequence[float], y: Sequence[float], values: Sequence[Sequence[float]]
) -> Iterator[tuple[float, float, float, float]]:
    """Pieces ``(x1, y1, x2, y2)`` of the line on which bilinear values are zero.

    Parameters
    ----------
    x, y
        The grid.
    values
        By ``y``, then ``x``; zero counts as above.

    Examples
    --------
    >>> list(contour([0, 1], [0, 1], [[-1, 1], [-1, 1]]))
    [(0.5, 0.0, 0.5, 1.0)]
    """
    for (low, below), (high, above) in itertools.pairwise(zip(y, values, strict=False)):
        for at, (left, right) in enumerate(itertools.pairwise(x)):
            corners = (
                (left, low, below[at]),
                (right, low, below[at + 1]),
                (right, high, above[at + 1]),
                (left, high, above[at]),
            )
            yield from _pieces(corners)


def _pieces(corners: Sequence[tuple[float, float, float]]) -> Iterator[tuple[float, float, float, float]]:
    """The line's one or two pieces within a cell whose corners are given in turn.

    Where opposite corners are alike the mean of all four decides which of them are joined.
    """
    crossings = [
        _crossing(one, other)
        for one, other in itertools.pairwise((*corners, corners[0]))
        if (one[2] >= 0) != (other[2] >= 0)
    ]
    if len(crossings) == 4 and (sum(value for _, _, value in corners) >= 0) != (corners[0][2] >= 0):
        crossings = [*crossings[1:], crossings[0]]
    for start, end in zip(crossings[::2], crossings[1::2], strict=True):
        yield (*start, *end)


def _crossing(one: tuple[float, float, float], other: tuple[float, float, float]) -> Point:
    share = one[2] / (one[2] - other[2])
    return one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1])
