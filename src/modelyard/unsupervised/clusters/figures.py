"""Figures of clusters with intervals: how sure they are, given which rows were drawn and that the clusters are what they are."""

from collections.abc import Callable

import numpy as np

from modelyard.core import derive_seed
from modelyard.features.exact.distances import squared_distances
from modelyard.unsupervised.clusters.methods import NOWHERE, Labels
from modelyard.unsupervised.clusters.records import ClusterFigure
from modelyard.unsupervised.clusters.stability import adjusted_rand
from modelyard.unsupervised.rows import Array

__all__ = ["TITLES", "cluster_figures"]

TITLES = {
    "silhouette": "Silhouette",
    "davies_bouldin": "Davies–Bouldin (lower is better)",
    "calinski_harabasz": "Calinski–Harabasz",
    "replication": "Agreement of sealed rows grouped anew",
}
_MOST_ROWS = 1_500
_REPEATS = 200


def cluster_figures(
    points: Array, labels: Labels, anew: Labels | None, *, confidence: float, seed: int
) -> tuple[ClusterFigure, ...]:
    """Silhouette (Rousseeuw, 1987), Davies and Bouldin's index (1979), Calinski and Harabasz' (1974), and the replication.

    Intervals are percentiles of 200 bootstrap samples of the rows. At most 1,500 rows are drawn, as for the silhouette.

    Parameters
    ----------
    labels
        The cluster of each point.
    anew
        What grouping the points anew gives; None if that was not done.
    confidence
        Of the intervals.

    Returns
    -------
    tuple
        Empty if there are fewer than two clusters.
    """
    inside = np.flatnonzero(labels != NOWHERE)
    share = len(inside) / len(labels)
    if len(inside) > _MOST_ROWS:
        generator = np.random.default_rng(derive_seed(seed, "silhouette"))
        inside = np.sort(generator.choice(inside, _MOST_ROWS, replace=False))
    if not 2 <= len(np.unique(labels[inside])) < len(inside):
        return ()
    rows, groups = points[inside], labels[inside]
    distances = np.sqrt(squared_distances(rows, rows))
    measures: dict[str, tuple[int, Callable[[Labels], float | None]]] = {
        "silhouette": (len(inside), lambda drawn: _silhouette(distances, groups, drawn, share)),
        "davies_bouldin": (len(inside), lambda drawn: _davies_bouldin(rows[drawn], groups[drawn])),
        "calinski_harabasz": (len(inside), lambda drawn: _calinski_harabasz(rows[drawn], groups[drawn])),
    }
    if anew is not None:
        measures["replication"] = (len(labels), lambda drawn: adjusted_rand(labels[drawn], anew[drawn]))
    return tuple(
        _figure(name, size, measure, confidence, derive_seed(seed, f"interval-{name}"))
        for name, (size, measure) in measures.items()
    )


def _silhouette(distances: Array, groups: Labels, drawn: Labels, share: float) -> float | None:
    """The mean silhouette of the drawn rows among themselves, times a share; None if they hold a single group.

    A row that was drawn several times is no neighbour of itself.
    """
    place = np.unique(groups, return_inverse=True)[1]
    often = np.bincount(drawn, minlength=len(groups)).astype(np.float64)
    weights = np.eye(int(place.max()) + 1)[place] * often[:, np.newaxis]
    sizes = weights.sum(axis=0)
    if (sizes > 0).sum() < 2:
        return None
    sums, own = distances @ weights, np.arange(len(groups))
    others = sizes[place] - often
    inside = np.divide(sums[own, place], others, out=np.zeros(len(groups)), where=others > 0)
    means = np.divide(sums, sizes, out=np.full_like(sums, np.inf), where=sizes > 0)
    means[own, place] = np.inf
    outside = means.min(axis=1)
    widest = np.maximum(inside, outside)
    widths = np.divide(outside - inside, widest, out=np.zeros(len(groups)), where=(widest > 0) & (others > 0))
    return share * float((often * widths).sum() / often.sum())


def _davies_bouldin(rows: Array, groups: Labels) -> float | None:
    """The mean over groups of the worst ratio of two groups' widths to the distance of their centres; None of a single group."""
    sizes, centres, apart, place = _groups(rows, groups)
    if len(sizes) < 2:
        return None
    widths = np.bincount(place, weights=apart) / sizes
    gaps = np.sqrt(squared_distances(centres, centres))
    ratios = np.divide(widths[:, np.newaxis] + widths, gaps, out=np.zeros_like(gaps), where=gaps > 0)
    return float(ratios.max(axis=1).mean())


def _calinski_harabasz(rows: Array, groups: Labels) -> float | None:
    """The variance between groups over that within, each by its degrees of freedom; None of a single group."""
    sizes, centres, apart, _ = _groups(rows, groups)
    if len(sizes) < 2:
        return None
    between = float((sizes * ((centres - rows.mean(axis=0)) ** 2).sum(axis=1)).sum())
    within = float((apart**2).sum())
    return between * (len(rows) - len(sizes)) / (within * (len(sizes) - 1)) if within else 1.0


def _groups(rows: Array, groups: Labels) -> tuple[Labels, Array, Array, Labels]:
    """Sizes and centres of groups, the distance of each row to its own centre, and the place of its group."""
    place = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    sizes = np.bincount(place)
    centres = np.column_stack([np.bincount(place, weights=values) for values in rows.T]) / sizes[:, np.newaxis]
    return sizes, centres, np.sqrt(((rows - centres[place]) ** 2).sum(axis=1)), place


def _figure(
    name: str, size: int, measure: Callable[[Labels], float | None], confidence: float, seed: int
) -> ClusterFigure:
    generator = np.random.default_rng(seed)
    drawn = [measure(generator.integers(0, size, size)) for _ in range(_REPEATS)]
    known = [value for value in drawn if value is not None]
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2]) if known else (None, None)
    whole = measure(np.arange(size))
    return ClusterFigure(name, whole, *(None if end is None else float(end) for end in (low, high)))
