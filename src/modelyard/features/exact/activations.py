"""What the units of a network do with their sums, and what becomes of wild inputs."""

import enum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "FARTHEST",
    "HIGHEST_EXPONENT",
    "SELU_ALPHA",
    "SELU_SCALE",
    "Activation",
    "activated",
    "smoothly_clipped",
    "squashed",
]

Matrix: TypeAlias = npt.NDArray[np.float64]

SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772
HIGHEST_EXPONENT = 20.0
"""Above, ``mish(x)`` is ``x`` to the last bit, and its exponential need not be known."""

FARTHEST = 3.0
"""Nothing is beyond, once it was clipped smoothly."""


class Activation(enum.StrEnum):
    """What a hidden unit answers to its sum.

    ``relu``: nothing below 0 (rectified). ``selu``: scaled exponential linear (Klambauer and others, 2017). ``mish``:
    ``x * tanh(log(1 + exp(x)))`` (Misra, 2019).
    """

    RELU = "relu"
    SELU = "selu"
    MISH = "mish"


def activated(kind: Activation, sums: Matrix) -> Matrix:
    """The units' answers to their sums, of the same shape.

    >>> activated(Activation.RELU, np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    if kind is Activation.RELU:
        return np.maximum(sums, 0.0)
    if kind is Activation.SELU:
        return SELU_SCALE * np.where(sums > 0, sums, SELU_ALPHA * np.expm1(np.minimum(sums, 0.0)))
    risen = np.exp(np.minimum(sums, HIGHEST_EXPONENT))
    squared = risen * (risen + 2.0)
    return np.asarray(sums * (squared / (squared + 2.0)))


def squashed(matrix: Matrix, centers: Matrix, factors: Matrix) -> Matrix:
    """Features centred, scaled and smoothly clipped; ``centers`` and ``factors`` by feature."""
    return smoothly_clipped((matrix - centers) * factors)


def smoothly_clipped(values: Matrix) -> Matrix:
    """Values as they are near 0, and never beyond ±3: ``x / sqrt(1 + (x / 3)²)`` (Holzmüller and others, 2024, section 3).

    >>> smoothly_clipped(np.array([0.0, 4.0, 1e300])).round(9).tolist()
    [0.0, 2.4, 3.0]
    """
    return np.asarray(values / np.hypot(1.0, values / FARTHEST))
