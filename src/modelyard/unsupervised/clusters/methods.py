"""Ways to group rows; each can say to which of its groups a new row belongs."""

import dataclasses
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from modelyard.unsupervised.rows import Array

__all__ = ["NOWHERE", "Grouping", "Labels", "Method", "methods_for"]

Labels = npt.NDArray[np.int64]
NOWHERE = -1
"""The label of a row in no cluster."""

_STARTS = 5
_FULL_DIMENSIONS = 10
_SMALLEST_SHARE = 0.03
_SMALLEST_ROWS = 8
_PAIR_ITERATIONS = 200


class Grouping(Protocol):
    """Groups that were found."""

    @property
    def labels(self) -> Labels:
        """The group of each row that was grouped, :data:`NOWHERE` for none."""

    def assign(self, matrix: Array) -> Labels:
        """The group of each row, :data:`NOWHERE` for none."""


class Method(Protocol):
    """A way to group rows."""

    @property
    def name(self) -> str:
        """On the leaderboard."""

    @property
    def count(self) -> int:
        """Number of groups that are sought; 0 if the method decides."""

    @property
    def complexity(self) -> int:
        """Rank: of two that are equally good the lower one is taken."""

    def fit(self, matrix: Array, seed: int) -> Grouping:
        """Group rows."""


def methods_for(names: tuple[str, ...], most: int) -> tuple[Method, ...]:
    """Every method with every number of groups from 2 to ``most``, simple ones first."""
    found: list[Method] = []
    if "kmeans" in names:
        found += [_KMeans(count) for count in range(2, most + 1)]
    if "gaussian_mixture" in names:
        found += [_Mixture(count) for count in range(2, most + 1)]
    if "hdbscan" in names:
        found.append(_Density())
    return tuple(found)


@dataclasses.dataclass(frozen=True)
class _Fitted:
    """A model of scikit-learn that assigns new rows itself."""

    model: Any
    labels: Labels

    def assign(self, matrix: Array) -> Labels:
        return np.asarray(self.model.predict(matrix), dtype=np.int64)


@dataclasses.dataclass(frozen=True)
class _KMeans:
    """Lloyd's k-means with k-means++ starts (Arthur and Vassilvitskii, 2007)."""

    count: int
    name: str = "kmeans"
    complexity: int = 0

    def fit(self, matrix: Array, seed: int) -> _Fitted:
        from sklearn.cluster import KMeans

        model = KMeans(self.count, n_init=_STARTS, random_state=seed % 2**31).fit(matrix)
        return _Fitted(model, np.asarray(model.labels_, dtype=np.int64))


@dataclasses.dataclass(frozen=True)
class _Mixture:
    """A mixture of normal distributions; their shapes are free where there are few features."""

    count: int
    name: str = "gaussian_mixture"
    complexity: int = 1

    def fit(self, matrix: Array, seed: int) -> _Fitted:
        from sklearn.mixture import GaussianMixture

        shape = "full" if matrix.shape[1] <= _FULL_DIMENSIONS else "diag"
        model = GaussianMixture(
            self.count,
            covariance_type=shape,
            reg_covar=1e-4,
            max_iter=_PAIR_ITERATIONS,
            tol=1e-2,
            random_state=seed % 2**31,
        ).fit(matrix)
        return _Fitted(model, np.asarray(model.predict(matrix), dtype=np.int64))


@dataclasses.dataclass(frozen=True)
class _Dense:
    """Groups by density; a new row belongs to the group of its nearest row."""

    neighbours: Any
    labels: Labels

    def assign(self, matrix: Array) -> Labels:
        nearest = self.neighbours.kneighbors(matrix, n_neighbors=1, return_distance=False)[:, 0]
        found: Labels = self.labels[nearest]
        return found


@dataclasses.dataclass(frozen=True)
class _Density:
    """HDBSCAN (Campello, Moulavi and Sander, 2013): dense regions of any shape; the rest is in no cluster."""

    name: str = "hdbscan"
    count: int = 0
    complexity: int = 2

    def fit(self, matrix: Array, seed: int) -> _Dense:  # noqa: ARG002 - nothing is drawn
        from sklearn.cluster import HDBSCAN
        from sklearn.neighbors import NearestNeighbors

        smallest = max(_SMALLEST_ROWS, round(_SMALLEST_SHARE * len(matrix)))
        labels = HDBSCAN(min_cluster_size=smallest, copy=True).fit_predict(matrix)
        return _Dense(NearestNeighbors(n_jobs=1).fit(matrix), np.asarray(labels, dtype=np.int64))
