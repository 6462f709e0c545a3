"""A law for the error by the number of rows: it falls as a power of them, towards a floor (Cortes et al., 1994)."""

import dataclasses

import numpy as np
import numpy.typing as npt

__all__ = ["Law", "fit_law"]

Array = npt.NDArray[np.float64]

_EXPONENTS = np.linspace(0.1, 1.5, 29)
"""Bounds of the exponent; theory and most measured curves lie between (Viering and Loog, 2023)."""


@dataclasses.dataclass(frozen=True)
class Law:
    """The error ``floor + drop * x ** -exponent`` at ``x`` times the rows; one entry a draw.

    Parameters
    ----------
    floor
        The error with rows without end, not below 0.
    drop
        What endless rows would take away from the error at ``x = 1``; never negative.
    exponent
        How fast.
    """

    floor: Array
    drop: Array
    exponent: Array

    def gain(self, times: float) -> Array:
        """By how much the error falls from ``x = 1`` to ``x = times``."""
        return np.asarray(self.drop * (1 - times**-self.exponent))

    def error(self, times: float) -> Array:
        """The error at ``x = times``."""
        return np.asarray(self.floor + self.drop * times**-self.exponent)


def fit_law(x: Array, errors: Array, weights: Array) -> Law:
    """Fit by least squares, for many draws at once.

    Each fold has a floor of its own, since some are harder than others; drop and exponent are common to all. Given the
    exponent the rest is linear, so the exponent is found on a grid. Points count by the square root of their rows: a
    model of few rows is an accident, and the law need not hold for it.

    Parameters
    ----------
    x
        Rows of each fold and size, in multiples of the training part, shape (folds, sizes).
    errors
        Shape (folds, sizes, draws); 0 is perfect.
    weights
        How often each fold counts in each draw, shape (folds, draws).

    Examples
    --------
    >>> x = np.array([[0.1, 0.2, 0.4, 0.8]])
    >>> law = fit_law(x, (0.2 + 0.1 * x**-0.5)[:, :, None], np.ones((1, 1)))
    >>> round(float(law.drop[0]), 3), round(float(law.exponent[0]), 2), round(float(law.floor[0]), 3)
    (0.1, 0.5, 0.2)
    """
    counts = np.sqrt(x)[:, :, None] * weights[:, None, :]
    per_fold = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, per_fold, out=np.zeros_like(counts), where=per_fold > 0)
    total = counts.sum(axis=(0, 1))
    level = (counts * errors).sum(axis=(0, 1)) / total
    inside = errors - (share * errors).sum(axis=1, keepdims=True)
    best = Law(level, np.zeros_like(level), np.full_like(level, _EXPONENTS[0]))
    least = (counts * inside**2).sum(axis=(0, 1))
    for exponent in _EXPONENTS:
        powers = (x**-exponent)[:, :, None] * np.ones_like(counts)
        centred = powers - (share * powers).sum(axis=1, keepdims=True)
        along, across = (counts * centred**2).sum(axis=(0, 1)), (counts * centred * inside).sum(axis=(0, 1))
        mean = (counts * powers).sum(axis=(0, 1)) / total
        drop = np.clip(across / along, 0.0, np.maximum(level, 0.0) / mean)
        left = (counts * inside**2).sum(axis=(0, 1)) - 2 * drop * across + drop**2 * along
        better = left < least
        least = np.where(better, left, least)
        best = Law(
            np.where(better, level - drop * mean, best.floor),
            np.where(better, drop, best.drop),
            np.where(better, exponent, best.exponent),
        )
    return best
