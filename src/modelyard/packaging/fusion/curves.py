"""A weighted spline as one polynomial between each knot and the next."""

from collections.abc import Sequence
from typing import NamedTuple

from modelyard.features import SplineEncoding

__all__ = ["Curve", "polynomials"]

_STEEPEST = 1e5
"""Knots so close that a cube weighs more would cost digits: a double's 1e-16 times this, some times over, is 1e-10."""

Piece = tuple[float, float, float, float, float]


class Curve(NamedTuple):
    """What a number in the range of the training rows adds to a linear model.

    Parameters
    ----------
    low, span
        The range; ``u = (value - low) / span``.
    knots
        On the scale of ``u``, ascending.
    pieces
        Before the first knot and from each knot on: where the piece starts, and the coefficients of 1, ``s``, ``s²``
        and ``s³`` with ``s = u - start``.
    """

    low: float
    span: float
    knots: tuple[float, ...]
    pieces: tuple[Piece, ...]


def polynomials(encoding: SplineEncoding, weights: Sequence[float]) -> Curve | None:
    """The curve that a spline's coefficients make; None if it is too steep for polynomials to be exact.

    Parameters
    ----------
    weights
        One coefficient for each feature of the encoding.
    """
    per_term = [weight / scale for weight, scale in zip(weights, encoding.scales, strict=False)]
    level = -sum(weight * center for weight, center in zip(per_term, encoding.centers, strict=True))
    cubes = _cubes(encoding.knots, per_term)
    if max(map(abs, (level, per_term[0], *cubes))) > _STEEPEST:
        return None
    piece: Piece = (0.0, level, per_term[0], 0.0, 0.0)
    pieces = [piece]
    for knot, cube in zip(encoding.knots, cubes, strict=True):
        piece = _from(knot, piece, cube)
        pieces.append(piece)
    return Curve(encoding.low, encoding.high - encoding.low, encoding.knots, tuple(pieces))


def _cubes(knots: Sequence[float], per_term: Sequence[float]) -> list[float]:
    """The weight of ``max(u - knot, 0)³`` for each knot."""
    *inner, before, last = knots
    curves = list(zip(inner, per_term[1:], strict=True))
    down = sum(weight * (last - knot) / (last - before) for knot, weight in curves)
    up = sum(weight * (before - knot) / (last - before) for knot, weight in curves)
    return [*(weight for _, weight in curves), -down, up]


def _from(knot: float, piece: Piece, added: float) -> Piece:
    """The same polynomial written from a knot on, with the cube that begins there."""
    start, level, slope, square, cube = piece
    step = knot - start
    return (
        knot,
        level + step * (slope + step * (square + step * cube)),
        slope + step * (2 * square + 3 * step * cube),
        square + 3 * step * cube,
        cube + added,
    )
