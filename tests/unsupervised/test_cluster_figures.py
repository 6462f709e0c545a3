"""Figures of clusters and their intervals."""

import numpy as np
import pytest
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from modelyard.unsupervised.clusters.figures import TITLES, cluster_figures
from modelyard.unsupervised.clusters.methods import NOWHERE, Labels
from modelyard.unsupervised.rows import Array


def heaps(rows: int, seed: int = 0) -> tuple[Array, Labels]:
    """Two heaps that touch, and to which each point belongs."""
    generator = np.random.default_rng(seed)
    member = generator.integers(0, 2, rows)
    return generator.normal(size=(rows, 2)) + 4 * member[:, np.newaxis], member.astype(np.int64)


def test_the_values_are_those_of_scikit_learn() -> None:
    """Each within its interval; grouping anew in the same way is full agreement."""
    points, labels = heaps(300)
    figures = {item.name: item for item in cluster_figures(points, labels, labels, confidence=0.95, seed=0)}

    assert list(figures) == list(TITLES)
    assert figures["silhouette"].value == pytest.approx(silhouette_score(points, labels))
    assert figures["davies_bouldin"].value == pytest.approx(davies_bouldin_score(points, labels))
    assert figures["calinski_harabasz"].value == pytest.approx(calinski_harabasz_score(points, labels))
    assert (figures["replication"].value, figures["replication"].low) == (1.0, 1.0)
    for figure in figures.values():
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low <= (figure.value or 0.0) <= figure.high


def test_more_rows_and_less_confidence_make_intervals_narrower() -> None:
    """As for any mean."""

    def width(rows: int, confidence: float) -> float:
        first = cluster_figures(*heaps(rows), None, confidence=confidence, seed=0)[0]
        return (first.high or 0.0) - (first.low or 0.0)

    assert width(800, 0.95) < 0.7 * width(200, 0.95)
    assert width(200, 0.8) < width(200, 0.95)


@pytest.mark.slow
def test_the_interval_of_the_silhouette_holds_what_many_rows_have() -> None:
    """In nearly as many tables as it says, of 40; the clusters are given."""
    points, labels = heaps(6_000, seed=99)
    truth = float(silhouette_score(points[:3_000], labels[:3_000]))
    held = 0
    for seed in range(40):
        first = cluster_figures(*heaps(150, seed), None, confidence=0.9, seed=seed)[0]
        held += (first.low or 1.0) <= truth <= (first.high or 0.0)

    assert held >= 31


def test_rows_in_no_cluster_count_against_the_silhouette() -> None:
    """As a share; without two clusters there are no figures."""
    points, labels = heaps(200)
    half = np.where(np.arange(200) % 2 == 0, labels, NOWHERE)
    whole = cluster_figures(points, labels, None, confidence=0.95, seed=0)[0]
    found = cluster_figures(points, half, None, confidence=0.95, seed=0)[0]

    assert found.value == pytest.approx((whole.value or 0.0) / 2, rel=0.1)
    assert cluster_figures(points, np.zeros(200, dtype=np.int64), None, confidence=0.95, seed=0) == ()
