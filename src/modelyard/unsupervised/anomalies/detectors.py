"""Detectors: each gives every row a number that grows with how strange it is, in deviations of usual rows."""

import dataclasses
from typing import Any, Protocol

import numpy as np

from modelyard.core import derive_seed
from modelyard.problem.sections.courses import AnomalyPlan
from modelyard.unsupervised.anomalies.density import outlier_factors
from modelyard.unsupervised.rows import Array

__all__ = [
    "AVERAGE",
    "BASELINE",
    "Boundary",
    "Density",
    "Detector",
    "DetectorKind",
    "Distance",
    "Isolation",
    "detector_kinds",
    "fit_member",
    "scale_of",
    "scaled",
]

AVERAGE, BASELINE = "average", "far_from_middle"
_TREES = 100
_NEIGHBOURS = 20
_MOST_NEIGHBOUR_ROWS = 20_000
_MOST_SVM_ROWS = 4_000
_DEVIATION = 1.4826
"""A median absolute deviation times this is a standard deviation of normal numbers."""


class DetectorKind(Protocol):
    """A way to look for strange rows."""

    @property
    def name(self) -> str:
        """On the leaderboard."""

    @property
    def complexity(self) -> int:
        """Rank: of two that are equally good the lower one is taken."""

    def fit(self, matrix: Array, seed: int) -> Any:
        """Learn what is usual; gives an object with ``raw(matrix)``, larger for stranger rows."""


@dataclasses.dataclass(frozen=True)
class Detector:
    """Fitted detectors whose scores are put on one scale and averaged.

    Parameters
    ----------
    members
        One, or several for the average.
    middles, spreads
        Median and deviation of each member's scores of rows that it had not seen.
    """

    members: tuple[Any, ...]
    middles: tuple[float, ...]
    spreads: tuple[float, ...]

    def score(self, matrix: Array) -> Array:
        """How strange each row is, in usual deviations."""
        parts = zip(self.members, self.middles, self.spreads, strict=True)
        scored: Array = np.mean([(member.raw(matrix) - middle) / spread for member, middle, spread in parts], axis=0)
        return scored


def fit_member(kind: DetectorKind, matrix: Array, seed: int) -> Any:
    """One detector, fitted with a seed of its own."""
    return kind.fit(matrix, derive_seed(seed, kind.name) % 2**31)


def scaled(raw: Array) -> Array:
    """Scores from their middle, in usual deviations."""
    middle, spread = scale_of(raw)
    return (raw - middle) / spread


def scale_of(raw: Array) -> tuple[float, float]:
    """Median and deviation; the deviation is 1 where more than half of the scores are the same."""
    middle = float(np.median(raw))
    spread = _DEVIATION * float(np.median(np.abs(raw - middle)))
    return middle, spread if spread > 0 else max(float(raw.std()), 1e-12)


def detector_kinds(plan: AnomalyPlan) -> tuple[DetectorKind, ...]:
    """The baseline and what the plan names, simple ones first."""
    known: dict[str, DetectorKind] = {
        "isolation_forest": _Forest(),
        "local_outlier_factor": _Neighbours(),
        "one_class_svm": _Edge(plan.contamination),
    }
    return (_Middle(), *(known[name] for name in known if name in plan.detectors))


@dataclasses.dataclass(frozen=True)
class _Middle:
    """The baseline: how far a row is from the middle of each column, squared and added up."""

    name: str = BASELINE
    complexity: int = 0

    def fit(self, matrix: Array, seed: int) -> "Distance":  # noqa: ARG002 - nothing is drawn
        return Distance(np.median(matrix, axis=0))


@dataclasses.dataclass(frozen=True)
class Distance:
    """The baseline, fitted: the middle of each feature."""

    middle: Array

    def raw(self, matrix: Array) -> Array:
        """The distance of each row."""
        far: Array = np.sqrt(((matrix - self.middle) ** 2).sum(axis=1))
        return far


@dataclasses.dataclass(frozen=True)
class _Forest:
    """Isolation forest (Liu, Ting and Zhou, 2008): strange rows are cut off by few random cuts."""

    name: str = "isolation_forest"
    complexity: int = 1

    def fit(self, matrix: Array, seed: int) -> "Isolation":
        from sklearn.ensemble import IsolationForest

        return Isolation(IsolationForest(n_estimators=_TREES, random_state=seed, n_jobs=1).fit(matrix))


@dataclasses.dataclass(frozen=True)
class Isolation:
    """scikit-learn's isolation forest, turned so that stranger is more."""

    model: Any

    def raw(self, matrix: Array) -> Array:
        """From 0 to 1."""
        return -np.asarray(self.model.score_samples(matrix), dtype=np.float64)


@dataclasses.dataclass(frozen=True)
class _Neighbours:
    """Local outlier factor (Breunig et al., 2000): strange rows lie less densely than their neighbours do."""

    name: str = "local_outlier_factor"
    complexity: int = 2

    def fit(self, matrix: Array, seed: int) -> "Density":
        from sklearn.neighbors import LocalOutlierFactor

        rows = _drawn(matrix, _MOST_NEIGHBOUR_ROWS, seed)
        count = min(_NEIGHBOURS, len(rows) - 1)
        model = LocalOutlierFactor(n_neighbors=count, novelty=True, n_jobs=1).fit(rows)
        return Density(rows, model._distances_fit_X_[:, -1], model._lrd, count)  # noqa: SLF001 - no public names


@dataclasses.dataclass(frozen=True)
class Density:
    """Known rows with what :func:`~modelyard.features.exact.distances.local_outlier_factors` asks of them."""

    known: Array
    reach: Array
    density: Array
    neighbours: int

    def raw(self, matrix: Array) -> Array:
        """The logarithm of the factor, which is a ratio of densities."""
        factors = outlier_factors(matrix, self.known, self.reach, self.density, self.neighbours)
        return np.log(np.maximum(factors, 1e-12))


@dataclasses.dataclass(frozen=True)
class _Edge:
    """One-class SVM (Schölkopf et al., 2001): strange rows lie outside a smooth boundary around most of them."""

    contamination: float
    name: str = "one_class_svm"
    complexity: int = 3

    def fit(self, matrix: Array, seed: int) -> "Boundary":
        from sklearn.svm import OneClassSVM

        rows = _drawn(matrix, _MOST_SVM_ROWS, seed)
        return Boundary(OneClassSVM(nu=max(self.contamination, 0.01), gamma="scale").fit(rows))


@dataclasses.dataclass(frozen=True)
class Boundary:
    """scikit-learn's one-class SVM, turned so that stranger is more."""

    model: Any

    def raw(self, matrix: Array) -> Array:
        """The negative weighted sum of kernels."""
        return -np.asarray(self.model.score_samples(matrix), dtype=np.float64)


def _drawn(matrix: Array, most: int, seed: int) -> Array:
    """At most so many rows, drawn without repeats."""
    if len(matrix) <= most:
        return matrix
    return matrix[np.sort(np.random.default_rng(seed).choice(len(matrix), most, replace=False))]
