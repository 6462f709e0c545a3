"""Ways to group rows; each can say to which of its groups a new row belongs."""

import dataclasses
from typing import Protocol

import numpy as np
import numpy.typing as npt

from modelyard.features.exact.distances import nearest_means
from modelyard.features.exact.memberships import mixture_memberships, spherical_memberships
from modelyard.unsupervised.rows import Array

__all__ = ["NOWHERE", "Centres", "Dense", "Grouping", "Labels", "Method", "Mixture", "methods_for"]

Labels = npt.NDArray[np.int64]
NOWHERE = -1
"""The label of a row in no cluster."""

_STARTS = 5
_FULL_DIMENSIONS = 10
_SMALLEST_SHARE = 0.03
_SMALLEST_ROWS = 8
_PAIR_ITERATIONS = 200
_LEAST_VARIANCE = 1e-12


class Grouping(Protocol):
    """Groups that were found."""

    @property
    def labels(self) -> Labels:
        """The group of each row that was grouped, :data:`NOWHERE` for none."""

    def assign(self, matrix: Array) -> Labels:
        """The group of each row, :data:`NOWHERE` for none."""

    def memberships(self, matrix: Array) -> Array:
        """How far each row belongs to each group, shape (rows, groups), sums 1; the largest is the row's.

        Where rows may be in no group, the last column stands for none.
        """


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
class Centres:
    """Groups around centres.

    Parameters
    ----------
    labels
        Of the rows that were grouped.
    centres
        Shape (groups, features).
    variance
        Of a feature within a group, all groups together.
    """

    labels: Labels
    centres: Array
    variance: float

    def assign(self, matrix: Array) -> Labels:
        """The group with the nearest centre."""
        return _largest(self.memberships(matrix))

    def memberships(self, matrix: Array) -> Array:
        """Probabilities of round groups of equal size around the centres."""
        return spherical_memberships(matrix, self.centres, self.variance)


@dataclasses.dataclass(frozen=True)
class _KMeans:
    """Lloyd's k-means with k-means++ starts (Arthur and Vassilvitskii, 2007)."""

    count: int
    name: str = "kmeans"
    complexity: int = 0

    def fit(self, matrix: Array, seed: int) -> Centres:
        from sklearn.cluster import KMeans

        model = KMeans(self.count, n_init=_STARTS, random_state=seed % 2**31).fit(matrix)
        variance = max(float(model.inertia_) / matrix.size, _LEAST_VARIANCE)
        return Centres(np.asarray(model.labels_, dtype=np.int64), np.asarray(model.cluster_centers_), variance)


@dataclasses.dataclass(frozen=True)
class Mixture:
    """Parts of a mixture of normal distributions.

    Parameters
    ----------
    labels
        Of the rows that were grouped.
    means, factors, weights
        As :func:`~modelyard.features.exact.memberships.mixture_memberships` has them.
    """

    labels: Labels
    means: Array
    factors: Array
    weights: Array

    def assign(self, matrix: Array) -> Labels:
        """The likeliest part."""
        return _largest(self.memberships(matrix))

    def memberships(self, matrix: Array) -> Array:
        """Probabilities of the parts."""
        return mixture_memberships(matrix, self.means, self.factors, self.weights)


@dataclasses.dataclass(frozen=True)
class _Mixture:
    """A mixture of normal distributions; their shapes are free where there are few features."""

    count: int
    name: str = "gaussian_mixture"
    complexity: int = 1

    def fit(self, matrix: Array, seed: int) -> Mixture:
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
        factors = np.asarray(model.precisions_cholesky_)
        if shape == "diag":
            factors = np.stack([np.diag(factor) for factor in factors])
        labels = np.asarray(model.predict(matrix), dtype=np.int64)
        return Mixture(labels, np.asarray(model.means_), factors, np.asarray(model.weights_))


@dataclasses.dataclass(frozen=True)
class Dense:
    """Groups by density; a new row belongs to the group of its nearest row, of several equally near ones to that of most.

    Parameters
    ----------
    labels
        Of the rows that were grouped.
    known
        These rows.
    """

    labels: Labels
    known: Array

    @property
    def answers(self) -> Array:
        """One column for each group and a last one for none; 1 in the column of a known row's group."""
        groups = int(self.labels.max()) + 1
        return np.eye(groups + 1)[np.where(self.labels == NOWHERE, groups, self.labels)]

    def assign(self, matrix: Array) -> Labels:
        """The group of the nearest row."""
        shares = self.memberships(matrix)
        found = _largest(shares)
        return np.where(found == shares.shape[1] - 1, NOWHERE, found)

    def memberships(self, matrix: Array) -> Array:
        """1 for the group of the nearest row; density says no more of a new row."""
        return nearest_means(matrix, self.known, self.answers, 1)


@dataclasses.dataclass(frozen=True)
class _Density:
    """HDBSCAN (Campello, Moulavi and Sander, 2013): dense regions of any shape; the rest is in no cluster."""

    name: str = "hdbscan"
    count: int = 0
    complexity: int = 2

    def fit(self, matrix: Array, seed: int) -> Dense:  # noqa: ARG002 - nothing is drawn
        from sklearn.cluster import HDBSCAN

        smallest = max(_SMALLEST_ROWS, round(_SMALLEST_SHARE * len(matrix)))
        labels = HDBSCAN(min_cluster_size=smallest, copy=True).fit_predict(matrix)
        return Dense(np.asarray(labels, dtype=np.int64), matrix)


def _largest(shares: Array) -> Labels:
    return np.asarray(shares.argmax(axis=1), dtype=np.int64)
