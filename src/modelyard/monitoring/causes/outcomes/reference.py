"""Held-out rows before: how many of either outcome had which score."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.data.profile import ReferenceProfile
from modelyard.monitoring.causes.light_models import fit_ridge

__all__ = [
    "BINS",
    "RATE",
    "TOLERANCE",
    "ProfileWithOutcomes",
    "ScoreReference",
    "as_logit",
    "by_outcome",
    "smoothed_shares",
]

Floats = npt.NDArray[np.float64]

BINS = 10
"""Of the score, at most."""

RATE, TOLERANCE = 0.01, 0.05
"""Scores within an outcome moved if their PSI is above the tolerance beyond this rate of error."""

_EDGE = 1e-6


def as_logit(share: Floats) -> Floats:
    """The log-odds of a probability, at most 13.8 either way."""
    inside = np.clip(share, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside / (1 - inside)))


@dataclasses.dataclass(frozen=True)
class ScoreReference:
    """Held-out rows before: how many of either outcome were in each bin of the score.

    Parameters
    ----------
    edges
        Inner edges of the bins, rising; a score equal to an edge belongs to the bin above.
    counts
        Shape (2, bins): rows without and with the outcome.
    level, slope
        ``level + slope · logit(score)`` was the log-odds of the outcome: 0 and 1 for calibrated scores.
    """

    edges: Floats
    counts: Floats
    level: float = 0.0
    slope: float = 1.0

    @classmethod
    def of_rows(cls, truth: Floats, score: Floats) -> "ScoreReference | None":
        """From labelled rows; None if they hold one outcome only."""
        if len(np.unique(truth)) < 2:
            return None
        edges = np.unique(np.quantile(score, np.arange(1, BINS) / BINS))
        logit = as_logit(score)
        level, slope = fit_ridge(np.column_stack([np.ones(len(logit)), logit]), truth, 0 * logit, logistic=True)
        return cls(edges, by_outcome(edges, truth, score), float(level), float(slope))

    @classmethod
    def of_curves(cls, curves: Mapping[str, Any]) -> "ScoreReference | None":
        """From an evaluation's ROC curve and calibration bins, which hold exact counts; None if it has none."""
        roc, bins = curves.get("roc"), curves.get("calibration")
        if not roc or not bins or "threshold" not in roc or "observed" not in bins:
            return None
        sizes, observed = (np.asarray(bins[name], dtype=np.float64) for name in ("rows", "observed"))
        totals = float((sizes * (1 - observed)).sum()), float((sizes * observed).sum())
        if min(totals) <= 0:
            return None
        # Points run from high scores to low ones; each holds the shares of either outcome at or above its threshold.
        above = np.array([roc["false_positive_rate"], roc["true_positive_rate"]]) * np.array(totals)[:, None]
        seen = above.sum(axis=0) / sum(totals)
        places = np.unique(np.searchsorted(seen, np.arange(1, BINS) / BINS).clip(1, len(seen) - 2))[::-1]
        edges = np.asarray(roc["threshold"], dtype=np.float64)[places]
        cumulative = np.column_stack([np.array(totals), above[:, places], np.zeros(2)])
        logit = as_logit(np.asarray(bins["predicted"], dtype=np.float64))
        design = np.column_stack([np.ones(len(logit)), logit])
        level, slope = fit_ridge(design, observed, 0 * logit, logistic=True, weight=sizes)
        return cls(edges, -np.diff(cumulative, axis=1), float(level), float(slope))

    @property
    def share(self) -> float:
        """The outcome's share before."""
        return float(self.counts[1].sum() / self.counts.sum())

    def margin(self, score: Floats) -> Floats:
        """The log-odds that the outcome had before at each score."""
        return np.asarray(self.level + self.slope * as_logit(score))

    def histogram(self, score: Floats) -> Floats:
        """Rows per bin."""
        places = np.searchsorted(self.edges, score, side="right")
        return np.bincount(places, minlength=len(self.edges) + 1).astype(np.float64)


@dataclasses.dataclass(frozen=True)
class ProfileWithOutcomes(ReferenceProfile):
    """A package's profile with the outcomes by score that its evaluation measured."""

    outcomes: ScoreReference | None = None


def by_outcome(edges: Floats, truth: Floats, score: Floats) -> Floats:
    """Rows without and with the outcome in each bin, shape (2, bins)."""
    places = np.searchsorted(edges, score, side="right")
    size = len(edges) + 1
    return np.array([np.bincount(places[truth == side], minlength=size) for side in (0.0, 1.0)], dtype=np.float64)


def smoothed_shares(counts: Floats, axis: int | None = None) -> Floats:
    """Counts as shares, each with half a row more, so that none is 0; along an axis, or of all."""
    smoothed = counts + 0.5
    return np.asarray(smoothed / smoothed.sum(axis=axis, keepdims=axis is not None))
