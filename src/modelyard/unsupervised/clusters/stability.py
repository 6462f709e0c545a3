"""Whether clusters come again from other rows, and are more than noise of the same shape has."""

import math
import warnings
from collections.abc import Mapping

import numpy as np

from modelyard.core import derive_seed
from modelyard.unsupervised.clusters.methods import NOWHERE, Labels, Method
from modelyard.unsupervised.rows import Array

__all__ = ["adjusted_rand", "noise_like", "prediction_strength", "silhouette", "stability_of"]

_SILHOUETTE_ROWS = 1_500
_STRENGTH_SPLITS = 4


def adjusted_rand(one: Labels, other: Labels) -> float:
    """Agreement of two groupings of the same rows beyond chance (Hubert and Arabie, 1985): 1 if they are the same."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(one, other))


def silhouette(matrix: Array, labels: Labels, seed: int) -> float | None:
    """The mean silhouette of the rows in clusters, times their share; None with fewer than two clusters.

    At most 1,500 rows are drawn, since the cost grows with the square.
    """
    from sklearn.metrics import silhouette_score

    inside = np.flatnonzero(labels != NOWHERE)
    share = len(inside) / len(labels)
    if len(inside) > _SILHOUETTE_ROWS:
        generator = np.random.default_rng(derive_seed(seed, "silhouette"))
        inside = np.sort(generator.choice(inside, _SILHOUETTE_ROWS, replace=False))
    found = np.unique(labels[inside])
    if not 2 <= len(found) < len(inside):
        return None
    return share * float(silhouette_score(matrix[inside], labels[inside]))


def stability_of(
    method: Method, matrix: Array, labels: Labels, repeats: int, seed: int
) -> tuple[tuple[float, ...], Mapping[int, float]]:
    """What comes again when half of the rows are grouped alone.

    Returns
    -------
    tuple
        The adjusted Rand index of each resample; for each cluster the mean of its largest Jaccard overlap with a cluster
        of the resample (Hennig, 2007, section 3.2, subsets of half the rows).
    """
    generator = np.random.default_rng(derive_seed(seed, "cluster-halves"))
    clusters = [int(label) for label in np.unique(labels) if label != NOWHERE]
    rands, overlaps = [], {cluster: [0.0] * 0 for cluster in clusters}
    for repeat in range(repeats):
        half = np.sort(generator.permutation(len(matrix))[: len(matrix) // 2])
        again, before = _fit(method, matrix[half], seed + repeat), labels[half]
        rands.append(adjusted_rand(before, again))
        for cluster in clusters:
            overlaps[cluster].append(_best_overlap(before == cluster, again))
    return tuple(rands), {cluster: float(np.mean(found)) for cluster, found in overlaps.items()}


def _fit(method: Method, matrix: Array, seed: int) -> Labels:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mixture that has not converged on some half shows in its stability
        return method.fit(matrix, seed).labels


def _best_overlap(member: "np.typing.NDArray[np.bool_]", labels: Labels) -> float:
    if not member.any():
        return 0.0
    return max(
        (
            float((member & (labels == other)).sum() / (member | (labels == other)).sum())
            for other in np.unique(labels)
            if other != NOWHERE
        ),
        default=0.0,
    )


def prediction_strength(method: Method, matrix: Array, seed: int) -> float | None:
    """How well one half of the rows predicts which rows of the other go together (Tibshirani and Walther, 2005, section 2).

    For each cluster of a half, the share of its pairs of rows that the clusters of the other half put together as well;
    the smallest of these, averaged over splits. Clusters of fewer than two rows are left out.
    """
    generator = np.random.default_rng(derive_seed(seed, "prediction-strength"))
    strengths = []
    for split in range(_STRENGTH_SPLITS):
        order = generator.permutation(len(matrix))
        here, there = matrix[order[: len(order) // 2]], matrix[order[len(order) // 2 :]]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            labels = method.fit(here, seed + split).labels
            told = method.fit(there, seed + split).assign(here)
        shares = [
            _together(told[labels == label])
            for label in np.unique(labels)
            if (labels == label).sum() > 1 and label != NOWHERE
        ]
        strengths.append(min(shares, default=0.0))
    return float(np.mean(strengths))


def _together(labels: Labels) -> float:
    """The share of pairs with the same label."""
    counts = np.unique(labels[labels != NOWHERE], return_counts=True)[1].astype(np.float64)
    pairs = len(labels) * (len(labels) - 1)
    return float((counts * (counts - 1)).sum() / pairs) if pairs else math.nan


def noise_like(matrix: Array, sources: tuple[tuple[int, ...], ...], kind: str, seed: int) -> Array:
    """Rows without clusters, of the same shape.

    Parameters
    ----------
    sources
        The features that come from one column of categories: their rows are shuffled together, since zeros and ones make
        clusters by themselves. The other features are drawn anew.
    kind
        ``uniform`` in the box along the main directions (Tibshirani, Walther and Hastie, 2001, section 3), or ``normal`` with the
        same covariance: one heap.
    """
    generator = np.random.default_rng(seed)
    drawn = matrix.copy()
    discrete = {feature for source in sources for feature in source}
    plain = [feature for feature in range(matrix.shape[1]) if feature not in discrete]
    for source in sources:
        drawn[:, source] = matrix[generator.permutation(len(matrix))][:, source]
    if not plain:
        return drawn
    numbers = matrix[:, plain]
    middle = numbers.mean(axis=0)
    _, _, directions = np.linalg.svd(numbers - middle, full_matrices=False)
    turned = (numbers - middle) @ directions.T
    if kind == "uniform":
        new = generator.uniform(turned.min(axis=0), turned.max(axis=0), size=turned.shape)
    else:
        new = generator.normal(size=turned.shape) * turned.std(axis=0)
    drawn[:, plain] = new @ directions + middle
    return drawn
