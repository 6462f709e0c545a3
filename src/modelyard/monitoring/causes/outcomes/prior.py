"""Whether only the outcomes' shares moved: the scores within each outcome are as before then."""

import dataclasses

import numpy as np
import numpy.typing as npt

from modelyard.monitoring.causes.light_models import chance, fit_ridge, recalibrated
from modelyard.monitoring.causes.outcomes.reference import (
    BINS,
    RATE,
    TOLERANCE,
    ScoreReference,
    as_logit,
    by_outcome,
    smoothed_shares,
)
from modelyard.monitoring.drift import psi_critical, psi_statistics

__all__ = ["PriorTest", "prior_test", "prior_test_of_classes", "prior_test_of_numbers"]

Floats = npt.NDArray[np.float64]

_FEWEST = 30
_ROWS_A_BIN = 20
_ROWS_A_GROUP = 100


@dataclasses.dataclass(frozen=True)
class PriorTest:
    """Whether scores within each outcome are as before.

    Parameters
    ----------
    statistic
        Of the outcome in which they moved most, in multiples of what is tolerated: above 1 they moved beyond a PSI of
        0.05.
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
    now = by_outcome(reference.edges, truth, score)
    ratios = []
    for before, after in zip(reference.counts, now, strict=True):
        psi, harmonic, freedom = (float(part) for part in psi_statistics(before, after))
        if harmonic > 0 and freedom >= 1:
            ratios.append(psi * harmonic / psi_critical(RATE / 2, freedom, TOLERANCE * harmonic))
    by_share = _log_likelihood(
        now, smoothed_shares(reference.counts, axis=1) * smoothed_shares(now.sum(axis=1))[:, None]
    )
    per_bin = smoothed_shares(reference.counts, axis=0)[1]
    shift = _level_of(now, as_logit(per_bin))
    risen = chance(as_logit(per_bin) + shift)
    by_level = _log_likelihood(now, np.array([1 - risen, risen]) * smoothed_shares(reference.counts.sum(axis=0)))
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
    ratios = [_moved(then, after, RATE / len(seen)) for then, after in own]
    advantages = [_class_advantage(code, before, now) for code in seen]
    return PriorTest(max(ratios), float(np.mean(advantages)))


def _class_advantage(code: int, before: tuple[Floats, Floats], now: tuple[Floats, Floats]) -> float:
    """Log-likelihood a row by which the new shares of all classes tell one class's counts better than another level does."""
    classes, size = before[1].shape[1], BINS
    edges = np.unique(np.quantile(before[1][:, code], np.arange(1, size) / size))
    tables = [
        _table(rows[0], np.searchsorted(edges, rows[1][:, code], side="right"), classes) for rows in (before, now)
    ]
    expected = smoothed_shares(tables[0], axis=1) * smoothed_shares(tables[1].sum(axis=1))[:, None]
    then, seen, by_share = (_against_rest(one, code) for one in (*tables, expected))
    per_bin = as_logit(smoothed_shares(then, axis=0)[1])
    risen = chance(per_bin + _level_of(seen, per_bin))
    by_level = np.array([1 - risen, risen]) * smoothed_shares(then.sum(axis=0))
    return (_log_likelihood(seen, by_share) - _log_likelihood(seen, by_level)) / len(now[0])


def _table(groups: Floats, places: npt.NDArray[np.int64], size: int, bins: int = BINS) -> Floats:
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
    groups = int(np.clip(min(len(before[0]), len(now[0])) // _ROWS_A_GROUP, 2, BINS))
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
    ratios = [_moved(then, after, RATE / len(seen)) for then, after in parts]
    return PriorTest(max(ratios), _number_advantage(before, now, bounds))


def _number_advantage(before: tuple[Floats, Floats], now: tuple[Floats, Floats], bounds: Floats) -> float:
    """Log-likelihood a row by which new shares of the outcome's bins tell the counts better than outcomes that rose."""
    edges = np.unique(np.quantile(before[1], np.arange(1, BINS) / BINS))
    risen = float((now[0] - now[1]).mean() - (before[0] - before[1]).mean())
    then, lifted, seen = (
        _table(
            np.searchsorted(bounds, truth, side="right").astype(np.float64),
            np.searchsorted(edges, prediction, side="right"),
            len(bounds) + 1,
        )
        for truth, prediction in (before, (before[0] + risen, before[1]), now)
    )
    by_share = smoothed_shares(then, axis=1) * smoothed_shares(seen.sum(axis=1))[:, None]
    by_level = smoothed_shares(lifted, axis=0) * smoothed_shares(then.sum(axis=0))
    return (_log_likelihood(seen, by_share) - _log_likelihood(seen, by_level)) / len(now[0])


def _moved(before: Floats, now: Floats, rate: float) -> float:
    """PSI of numbers over bins with enough rows, in multiples of what is tolerated; above 1 they moved."""
    bins = int(np.clip(min(len(before), len(now)) // _ROWS_A_BIN, 2, BINS))
    edges = np.unique(np.quantile(before, np.arange(1, bins) / bins))
    counts = [
        np.bincount(np.searchsorted(edges, values, side="right"), minlength=bins).astype(np.float64)
        for values in (before, now)
    ]
    psi, harmonic, freedom = (float(part) for part in psi_statistics(*counts))
    return psi * harmonic / psi_critical(rate, max(freedom, 1.0), TOLERANCE * harmonic)


def _log_likelihood(counts: Floats, shares: Floats) -> float:
    return float((counts * np.log(np.maximum(shares, 1e-12))).sum())


def _level_of(now: Floats, logit: Floats) -> float:
    """The level by which all bins moved alike."""
    sizes = now.sum(axis=0)
    observed = np.where(sizes > 0, now[1] / np.maximum(sizes, 1), 0.5)
    return float(fit_ridge(np.ones((len(logit), 1)), observed, logit, logistic=True, weight=sizes)[0])
