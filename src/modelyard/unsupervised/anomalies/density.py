"""Local outlier factors of many rows at once: those of a package, found without looking at every known row."""

import numpy as np

from modelyard.features.exact.distances import LEAST_REACH, TIE, local_outlier_factors
from modelyard.unsupervised.rows import Array

__all__ = ["outlier_factors"]

_FEW = 1_000
_MORE = 20
_AT_ONCE = 20_000
_ROUNDING = 1e-12


def outlier_factors(rows: Array, known: Array, reach: Array, density: Array, neighbours: int) -> Array:
    """What :func:`~modelyard.features.exact.distances.local_outlier_factors` gives, but for the last bits.

    scikit-learn finds twenty more known rows than are needed. If the last of them is surely further away than the last
    neighbour, they hold all that are equally far; the rows of which that is not sure are compared with every known row.
    """
    if len(known) <= max(_FEW, neighbours + _MORE):
        return local_outlier_factors(rows, known, reach, density, neighbours)
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=neighbours + _MORE, n_jobs=1).fit(known)
    largest = float((known**2).sum(axis=1).max())
    factors = np.empty(len(rows))
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        distances, index = search.kneighbors(part)
        squares = _squares(part, known, index)
        bounds = np.partition(squares, neighbours - 1, axis=1)[:, neighbours - 1] * (1 + TIE)
        near = squares <= bounds[:, np.newaxis]
        count = near.sum(axis=1)
        far = np.maximum(np.sqrt(squares), reach[index])
        usual = np.where(near, density[index], 0.0).sum(axis=1) / count
        found = usual * (np.where(near, far, 0.0).sum(axis=1) / count + LEAST_REACH)
        unsure = ~(distances[:, -1] ** 2 - _ROUNDING * ((part**2).sum(axis=1) + largest) > bounds)
        found[unsure] = local_outlier_factors(part[unsure], known, reach, density, neighbours)
        factors[start : start + len(part)] = found
    return factors


def _squares(rows: Array, known: Array, index: "np.typing.NDArray[np.int64]") -> Array:
    """Squared distances of rows to their own candidates, summed over features in their order."""
    total = np.zeros(index.shape)
    for ours, theirs in zip(rows.T, known.T, strict=True):
        total += (ours[:, np.newaxis] - theirs[index]) ** 2
    return total
