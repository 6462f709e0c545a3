"""Outcomes by score, before and now: whether only their level moved, and what scores alone say about that."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.data.profile import ReferenceProfile
from modelyard.monitoring.causes.light_models import chance, fit_ridge, recalibrated
from modelyard.monitoring.drift import psi_critical, psi_statistics

__all__ = [
    "Fit",
    "PriorTest",
    "ProfileWithOutcomes",
    "ScoreReference",
    "as_logit",
    "black_box_share",
    "mixture_fit",
    "prior_test",
    "prior_test_of_classes",
    "prior_test_of_numbers",
    "share_by_expectation",
]

Floats = npt.NDArray[np.float64]

_BINS = 10
_TOLERANCE = 0.05
_RATE = 0.01
_EDGE = 1e-6
_FEWEST = 30
_ROWS_A_BIN = 20
_ROWS_A_GROUP = 100
_ROUNDS = 500


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
        edges = np.unique(np.quantile(score, np.arange(1, _BINS) / _BINS))
        logit = as_logit(score)
        level, slope = fit_ridge(np.column_stack([np.ones(len(logit)), logit]), truth, 0 * logit, logistic=True)
        return cls(edges, _by_outcome(edges, truth, score), float(level), float(slope))

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
        places = np.unique(np.searchsorted(seen, np.arange(1, _BINS) / _BINS).clip(1, len(seen) - 2))[::-1]
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


def _by_outcome(edges: Floats, truth: Floats, score: Floats) -> Floats:
    places = np.searchsorted(edges, score, side="right")
    size = len(edges) + 1
    return np.array([np.bincount(places[truth == side], minlength=size) for side in (0.0, 1.0)], dtype=np.float64)


@dataclasses.dataclass(frozen=True)
class PriorTest:
    """Whether scores within each outcome are as before.

    Parameters
    ----------
    statistic, critical
        Of the outcome in which they moved more, in multiples: above 1 they moved beyond a PSI of 0.05.
    advantage
        Log-likelihood by which "only the outcome's share moved" tells the counts better than "the same inputs, at
        another level"; per row.
    """

    statistic: float
    advantage: float

    @property
    def held(self) -> bool:
        """True if only the outcome's share moved."""
        return self.statistic <= 1 and self.advantage >= 0


def prior_test(reference: ScoreReference, truth: Floats, score: Floats) -> PriorTest:
    """Compare scores within each outcome with those before.

    Notes
    -----
    Prior shift is the one change in which P(score | outcome) stays (Lipton, Wang and Smola 2018, section 2). Each outcome
    is tested by the drift rule with a tolerance of 0.05. If only the relation's level moved, the inputs stay as they
    were, and so does P(score): the likelier of the two stories, each with one free number, is taken.
    """
    now = _by_outcome(reference.edges, truth, score)
    ratios = []
    for before, after in zip(reference.counts, now, strict=True):
        psi, harmonic, freedom = (float(part) for part in psi_statistics(before, after))
        if harmonic > 0 and freedom >= 1:
            ratios.append(psi * harmonic / psi_critical(_RATE / 2, freedom, _TOLERANCE * harmonic))
    by_share = _log_likelihood(now, _shares(reference.counts, axis=1) * _shares(now.sum(axis=1))[:, None])
    per_bin = _shares(reference.counts, axis=0)[1]
    shift = _level_of(now, as_logit(per_bin))
    risen = chance(as_logit(per_bin) + shift)
    by_level = _log_likelihood(now, np.array([1 - risen, risen]) * _shares(reference.counts.sum(axis=0)))
    return PriorTest(max(ratios, default=0.0), (by_share - by_level) / max(len(truth), 1))


def prior_test_of_classes(before: tuple[Floats, Floats], now: tuple[Floats, Floats]) -> PriorTest | None:
    """Compare, of several classes, each class's own probability among its rows with that before.

    Parameters
    ----------
    before, now
        Codes of the classes, shape (rows,), and their probabilities, shape (rows, classes), of labelled rows.

    Returns
    -------
    PriorTest or None
        Corrected for the number of classes. None unless two classes have 30 rows before and now.

    Notes
    -----
    If only the classes' shares moved, the rows of one class have the probabilities that they had. Those of all *other*
    classes do not, since these are mixed anew: the mixture that the new shares lead to is told from "the same
    inputs, at another level", class by class.
    """
    codes = range(before[1].shape[1])
    seen = [code for code in codes if min((rows[0] == code).sum() for rows in (before, now)) >= _FEWEST]
    if len(seen) < 2:
        return None
    own = [[rows[1][rows[0] == code, code] for rows in (before, now)] for code in seen]
    ratios = [_moved(then, after, _RATE / len(seen)) for then, after in own]
    advantages = [_class_advantage(code, before, now) for code in seen]
    return PriorTest(max(ratios), float(np.mean(advantages)))


def _class_advantage(code: int, before: tuple[Floats, Floats], now: tuple[Floats, Floats]) -> float:
    """Log-likelihood a row by which the new shares of all classes tell one class's counts better than another level does."""
    classes, size = before[1].shape[1], _BINS
    edges = np.unique(np.quantile(before[1][:, code], np.arange(1, size) / size))
    tables = [
        _table(rows[0], np.searchsorted(edges, rows[1][:, code], side="right"), classes) for rows in (before, now)
    ]
    expected = _shares(tables[0], axis=1) * _shares(tables[1].sum(axis=1))[:, None]
    then, seen, by_share = (_against_rest(one, code) for one in (*tables, expected))
    per_bin = as_logit(_shares(then, axis=0)[1])
    risen = chance(per_bin + _level_of(seen, per_bin))
    by_level = np.array([1 - risen, risen]) * _shares(then.sum(axis=0))
    return (_log_likelihood(seen, by_share) - _log_likelihood(seen, by_level)) / len(now[0])


def _table(groups: Floats, places: npt.NDArray[np.int64], size: int, bins: int = _BINS) -> Floats:
    """Rows by group and bin."""
    keys = groups.astype(np.int64) * bins + places
    return np.bincount(keys, minlength=size * bins).reshape(size, bins).astype(np.float64)


def _against_rest(table: Floats, code: int) -> Floats:
    return np.array([table.sum(axis=0) - table[code], table[code]])


def prior_test_of_numbers(before: tuple[Floats, Floats], now: tuple[Floats, Floats]) -> PriorTest | None:
    """Compare predictions within bins of the outcome, a number, with those before.

    Parameters
    ----------
    before, now
        Outcomes and predictions of labelled rows, each of shape (rows,).

    Returns
    -------
    PriorTest or None
        Corrected for the number of bins, at most ten. None unless two of them have 30 rows before and now.

    Notes
    -----
    Tested is what a prediction is above that which was usual at *its* outcome (a line with two bends, learnt before): within a bin the
    outcomes themselves move with their law. The other story is that outcomes rose by one amount at the same predictions.
    """
    groups = int(np.clip(min(len(before[0]), len(now[0])) // _ROWS_A_GROUP, 2, _BINS))
    bounds = np.unique(np.quantile(before[0], np.arange(1, groups) / groups))
    low, high = before[0].min(), before[0].max()
    beyond = [
        prediction - recalibrated(before[1], before[0], np.clip(truth, low, high), logistic=False)
        for truth, prediction in (before, now)
    ]
    within = [np.searchsorted(bounds, truth, side="right") for truth, _ in (before, now)]
    seen = [one for one in range(groups) if min((group == one).sum() for group in within) >= _FEWEST]
    if len(seen) < 2:
        return None
    parts = [[rest[group == one] for rest, group in zip(beyond, within, strict=True)] for one in seen]
    ratios = [_moved(then, after, _RATE / len(seen)) for then, after in parts]
    return PriorTest(max(ratios), _number_advantage(before, now, bounds))


def _number_advantage(before: tuple[Floats, Floats], now: tuple[Floats, Floats], bounds: Floats) -> float:
    """Log-likelihood a row by which new shares of the outcome's bins tell the counts better than outcomes that rose."""
    edges = np.unique(np.quantile(before[1], np.arange(1, _BINS) / _BINS))
    risen = float((now[0] - now[1]).mean() - (before[0] - before[1]).mean())
    then, lifted, seen = (
        _table(
            np.searchsorted(bounds, truth, side="right").astype(np.float64),
            np.searchsorted(edges, prediction, side="right"),
            len(bounds) + 1,
        )
        for truth, prediction in (before, (before[0] + risen, before[1]), now)
    )
    by_share = _shares(then, axis=1) * _shares(seen.sum(axis=1))[:, None]
    by_level = _shares(lifted, axis=0) * _shares(then.sum(axis=0))
    return (_log_likelihood(seen, by_share) - _log_likelihood(seen, by_level)) / len(now[0])


def _moved(before: Floats, now: Floats, rate: float) -> float:
    """PSI of numbers over bins with enough rows, in multiples of what is tolerated; above 1 they moved."""
    bins = int(np.clip(min(len(before), len(now)) // _ROWS_A_BIN, 2, _BINS))
    edges = np.unique(np.quantile(before, np.arange(1, bins) / bins))
    counts = [
        np.bincount(np.searchsorted(edges, values, side="right"), minlength=bins).astype(np.float64)
        for values in (before, now)
    ]
    psi, harmonic, freedom = (float(part) for part in psi_statistics(*counts))
    return psi * harmonic / psi_critical(rate, max(freedom, 1.0), _TOLERANCE * harmonic)


def _shares(counts: Floats, axis: int | None = None) -> Floats:
    smoothed = counts + 0.5
    return np.asarray(smoothed / smoothed.sum(axis=axis, keepdims=axis is not None))


def _log_likelihood(counts: Floats, shares: Floats) -> float:
    return float((counts * np.log(np.maximum(shares, 1e-12))).sum())


def _level_of(now: Floats, logit: Floats) -> float:
    """The level by which all bins moved alike."""
    sizes = now.sum(axis=0)
    observed = np.where(sizes > 0, now[1] / np.maximum(sizes, 1), 0.5)
    return float(fit_ridge(np.ones((len(logit), 1)), observed, logit, logistic=True, weight=sizes)[0])


def share_by_expectation(reference: ScoreReference, histogram: Floats) -> float:
    """The outcome's share now from scores alone, if only that share moved: expectation-maximisation on the bins.

    Saerens, Latinne and Decaestecker 2002, "Adjusting the outputs of a classifier to new a priori probabilities".
    """
    within = _shares(reference.counts, axis=1)
    seen = histogram / max(float(histogram.sum()), 1.0)
    share = reference.share
    for _ in range(_ROUNDS):
        joint = np.array([1 - share, share])[:, None] * within
        update = float((seen * joint[1] / joint.sum(axis=0)).sum())
        if abs(update - share) < 1e-9:
            break
        share = update
    return share


def black_box_share(reference: ScoreReference, histogram: Floats) -> float | None:
    """The same by counting rows above the middle of the bins, corrected by how often that was right before.

    Lipton, Wang and Smola 2018, arXiv 1802.03916 (BBSE). None if the score separates nothing.
    """
    within = _shares(reference.counts, axis=1)
    upper = np.cumsum(within[:, ::-1], axis=1)[:, ::-1]
    middle = int((upper[1] - upper[0]).argmax())
    rise = float(upper[1, middle] - upper[0, middle])
    if rise < 0.05:
        return None
    seen = float(histogram[middle:].sum() / max(float(histogram.sum()), 1.0))
    return float(np.clip((seen - upper[0, middle]) / rise, 0.0, 1.0))


@dataclasses.dataclass(frozen=True)
class Fit:
    """How well a mixture of the two old score distributions tells the new one; above 1 it does not."""

    share: float
    by_counting: float | None
    ratio: float

    @property
    def holds(self) -> bool:
        """True if a change of the outcome's share alone would explain the scores."""
        return self.ratio <= 1 and math.isfinite(self.share)


def mixture_fit(reference: ScoreReference, score: Floats) -> Fit:
    """Whether scores, without any label, look like the old ones at another share of the outcome."""
    histogram = reference.histogram(score)
    share = share_by_expectation(reference, histogram)
    within = _shares(reference.counts, axis=1)
    expected = (np.array([1 - share, share])[:, None] * within).sum(axis=0) * float(reference.counts.sum())
    psi, harmonic, freedom = (float(part) for part in psi_statistics(expected, histogram))
    ratio = psi * harmonic / psi_critical(_RATE, max(freedom, 1.0), _TOLERANCE * harmonic) if harmonic > 0 else 0.0
    return Fit(share, black_box_share(reference, histogram), ratio)
