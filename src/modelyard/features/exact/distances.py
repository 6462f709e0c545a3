"""Distances between encoded rows, equal to the bit for one row and for many, in training and in serving.

Sums run over features in their order, row by row, without a matrix product, whose rounding depends on how many rows
there are. So neighbours that are equally far stay equally far, wherever they are looked for.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["LEAST_REACH", "TIE", "kernel_sums", "local_outlier_factors", "nearest_means", "squared_distances"]

Matrix: TypeAlias = npt.NDArray[np.float64]

_PAIRS_AT_ONCE = 1 << 16  # half a megabyte of distances: they stay in the processor's cache
TIE = 1e-9
"""Relative difference of squared distances up to which known rows are equally far."""

LEAST_REACH = 1e-10
"""Keeps the density of rows that lie on one another finite, as scikit-learn does."""


def squared_distances(rows: Matrix, others: Matrix) -> Matrix:
    """Squared Euclidean distance of every row to every other, shape (rows, others); infinite where doubles end.

    >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 1.0]]))
    array([[25.,  1.]])
    """
    total = np.zeros((len(rows), len(others)))
    difference = np.empty_like(total)
    with np.errstate(over="ignore"):
        for ours, theirs in zip(rows.T, others.T, strict=True):
            np.subtract(ours[:, np.newaxis], theirs, out=difference)
            np.multiply(difference, difference, out=difference)
            total += difference
    return total


def nearest_means(rows: Matrix, known: Matrix, answers: Matrix, neighbours: int) -> Matrix:
    """The mean answer of the nearest known rows, and of those equally far as the last of them.

    Parameters
    ----------
    rows, known
        Encoded, shapes (rows, features) and (known, features).
    answers
        Of the known rows, shape (known, outputs).
    neighbours
        How many count; all, if there are fewer.

    Returns
    -------
    NDArray
        Shape (rows, outputs).
    """
    means = np.empty((len(rows), answers.shape[1]))
    last = min(neighbours, len(known)) - 1
    for start, squares in _in_parts(rows, known):
        bounds = np.partition(squares, last, axis=1)[:, last] * (1 + TIE)
        for place, (distances, bound) in enumerate(zip(squares, bounds, strict=True), start):
            means[place] = answers[distances <= bound].mean(axis=0)
    return means


def local_outlier_factors(rows: Matrix, known: Matrix, reach: Matrix, density: Matrix, neighbours: int) -> Matrix:
    """How much less densely each row lies than its nearest known rows do (Breunig et al., 2000, definition 7); 1 if as densely.

    The neighbours are the nearest known rows and those equally far as the last of them, as definition 4 has it.

    Parameters
    ----------
    rows, known
        Encoded, shapes (rows, features) and (known, features); no row counts as its own neighbour unless it is known.
    reach
        Distance of each known row to its own last neighbour.
    density
        Local reachability density of each known row.
    neighbours
        How many count; all, if there are fewer.

    Returns
    -------
    NDArray
        Shape (rows,).
    """
    factors = np.empty(len(rows))
    last = min(neighbours, len(known)) - 1
    for start, squares in _in_parts(rows, known):
        bounds = np.partition(squares, last, axis=1)[:, last] * (1 + TIE)
        for place, (distances, bound) in enumerate(zip(squares, bounds, strict=True), start):
            near = np.flatnonzero(distances <= bound)
            far = np.maximum(np.sqrt(distances[near]), reach[near])
            factors[place] = density[near].mean() * (far.mean() + LEAST_REACH)
    return factors


def kernel_sums(rows: Matrix, centres: Matrix, gamma: float, weights: Matrix) -> Matrix:
    """Weighted sums of the Gaussian kernel ``exp(-gamma * squared distance)``, shape (rows, outputs).

    Parameters
    ----------
    centres
        Shape (centres, features).
    weights
        Shape (outputs, centres).
    """
    sums = np.empty((len(rows), len(weights)))
    for start, squares in _in_parts(rows, centres):
        with np.errstate(over="ignore", under="ignore"):
            kernel = np.exp(-gamma * squares)
            for output, weight in enumerate(weights):
                sums[start : start + len(kernel), output] = (kernel * weight).sum(axis=1)
    return sums


def _in_parts(rows: Matrix, others: Matrix) -> Iterator[tuple[int, Matrix]]:
    """Where a part of the rows begins, and its distances."""
    by_feature = np.asfortranarray(others)
    size = max(1, _PAIRS_AT_ONCE // max(1, len(others)))
    for start in range(0, len(rows), size):
        yield start, squared_distances(rows[start : start + size], by_feature)
