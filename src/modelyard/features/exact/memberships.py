"""How far a row belongs to each of several groups, equal to the bit for one row and for many, in training and in serving.

Sums run over features in their order, row by row, without a matrix product, as for distances.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from modelyard.features.exact.distances import squared_distances

__all__ = ["mixture_memberships", "spherical_memberships", "turned"]

Matrix: TypeAlias = npt.NDArray[np.float64]


def spherical_memberships(rows: Matrix, centres: Matrix, variance: float) -> Matrix:
    """Probabilities of groups that are equally large, round and wide: the model behind k-means (Pelleg and Moore, 2000, section 3.2).

    The likeliest group is the one with the nearest centre.

    Parameters
    ----------
    rows, centres
        Shapes (rows, features) and (groups, features).
    variance
        Of a feature within a group, above 0.

    Returns
    -------
    NDArray
        Shape (rows, groups); each row sums to 1.

    >>> spherical_memberships(np.array([[1.0], [0.0]]), np.array([[0.0], [2.0]]), 1.0).round(3)
    array([[0.5  , 0.5  ],
           [0.881, 0.119]])
    """
    return _shares(-squared_distances(rows, centres) / (2 * variance))


def mixture_memberships(rows: Matrix, means: Matrix, factors: Matrix, weights: Matrix) -> Matrix:
    """Probabilities of the parts of a mixture of normal distributions.

    Parameters
    ----------
    rows, means
        Shapes (rows, features) and (groups, features).
    factors
        Cholesky factors of the inverse covariances, upper triangles, shape (groups, features, features).
    weights
        Shares of the groups, above 0.

    Returns
    -------
    NDArray
        Shape (rows, groups); each row sums to 1.
    """
    logarithms = np.empty((len(rows), len(means)))
    for group, (mean, factor) in enumerate(zip(means, factors, strict=True)):
        apart = turned(rows - mean, factor)
        squares = squared_distances(apart, np.zeros((1, len(mean))))[:, 0]
        logarithms[:, group] = np.log(weights[group]) + np.log(np.diagonal(factor)).sum() - squares / 2
    return _shares(logarithms)


def turned(rows: Matrix, directions: Matrix) -> Matrix:
    """Rows along directions, shapes (rows, features) and (features, directions): a matrix product, summed feature by feature."""
    total = np.zeros((len(rows), directions.shape[1]))
    with np.errstate(over="ignore", invalid="ignore"):
        for values, loads in zip(rows.T, directions, strict=True):
            total += values[:, np.newaxis] * loads
    return total


def _shares(logarithms: Matrix) -> Matrix:
    """Powers that sum to 1; of infinitely unlikely groups all are equally likely."""
    top = logarithms.max(axis=1, keepdims=True)
    powers = np.exp(logarithms - np.where(np.isfinite(top), top, 0.0))
    total = powers.sum(axis=1, keepdims=True)
    return np.where(total > 0, powers / np.where(total > 0, total, 1.0), 1 / logarithms.shape[1])
