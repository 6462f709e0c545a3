"""What a search for clusters says."""

import dataclasses
import datetime as dt
from collections.abc import Mapping

from modelyard.core import Finding, Record

__all__ = ["Cluster", "ClusterCandidate", "ClusterEvaluation", "ClusterFigure", "ClusterRun", "Trait"]


@dataclasses.dataclass(frozen=True)
class Trait(Record):
    """What sets a cluster apart in one column, in words, and how strongly, in deviations or in shares."""

    column: str
    said: str
    strength: float


@dataclasses.dataclass(frozen=True)
class Cluster(Record):
    """One cluster.

    Parameters
    ----------
    number
        From 1, the largest first.
    rows, share
        Its size among the training rows.
    stability
        Mean of the largest Jaccard overlap with a cluster of other rows (Hennig, 2007): below 0.6 it is not to be trusted,
        from 0.75 on it is a valid cluster.
    traits
        What sets it apart, the strongest first.
    sentence
        The same in one sentence.
    """

    number: int
    rows: int
    share: float
    stability: float
    traits: tuple[Trait, ...]
    sentence: str


@dataclasses.dataclass(frozen=True)
class ClusterCandidate(Record):
    """One method with one number of clusters.

    Parameters
    ----------
    method, count, complexity
        What was tried; the count that came out, for a method that chooses it itself.
    silhouette
        Mean over the rows in clusters (Rousseeuw, 1987), times their share; None with fewer than two clusters.
    stability
        Mean adjusted Rand index between what all rows and what half of them give.
    strength
        Prediction strength (Tibshirani and Walther, 2005); None for a method that assigns no new rows.
    excess
        The silhouette above that of noise of the same shape, in deviations of noise.
    assigned
        Share of the rows in clusters.
    reason
        Why it was ruled out; empty if it was not.
    """

    method: str
    count: int
    complexity: int
    silhouette: float | None
    stability: float | None
    strength: float | None
    excess: float | None
    assigned: float
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class ClusterRun(Record):
    """A search for clusters.

    Parameters
    ----------
    id
        Digest of the question: equal questions give equal runs.
    dataset_id, split_id
        What was searched.
    columns, excluded
        What rows are compared by, and what not, with reasons.
    method, count
        The winner; ``none`` and 0 if there are no clear clusters.
    why
        The reason.
    bar
        The excess that noise alone reaches in one search of twenty.
    candidates
        Everything tried.
    clusters
        The winner's, in words; empty if there are none.
    unassigned
        Rows in no cluster.
    picture
        Rows drawn in the plane of the two widest directions: x, y, cluster.
    """

    id: str
    dataset_id: str
    split_id: str
    columns: tuple[str, ...]
    excluded: Mapping[str, str]
    method: str
    count: int
    why: str
    bar: float
    candidates: tuple[ClusterCandidate, ...]
    clusters: tuple[Cluster, ...]
    unassigned: int
    picture: tuple[tuple[float, float, int], ...]
    rows: int
    findings: tuple[Finding, ...]
    environment: Mapping[str, str]
    created_at: dt.datetime


@dataclasses.dataclass(frozen=True)
class ClusterFigure(Record):
    """A figure of the clusters with its interval; None where it cannot be told."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclasses.dataclass(frozen=True)
class ClusterEvaluation(Record):
    """Whether the clusters hold.

    Parameters
    ----------
    run_id, answer
        Whose, and the answer in one sentence.
    measured_on
        ``training rows`` or ``test``.
    silhouette
        Of what was measured on.
    replication
        On sealed rows: the adjusted Rand index between assigning them and clustering them anew; None before.
    sizes
        Share of rows in each cluster, there and in training; the last is for no cluster.
    openings
        Of the sealed part.
    guardrails
        Bounds that were not met, in words.
    figures, confidence
        These two and others with intervals, and the confidence of those; none if there are no clusters.
    """

    run_id: str
    answer: str
    measured_on: str
    rows: int
    silhouette: float | None
    replication: float | None
    sizes: tuple[tuple[float, float], ...]
    openings: int
    guardrails: tuple[str, ...]
    findings: tuple[Finding, ...]
    created_at: dt.datetime
    opened_at: dt.datetime | None = None
    figures: tuple[ClusterFigure, ...] = ()
    confidence: float = 0.95
