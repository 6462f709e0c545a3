"""What a score is worth after it was picked as the best of many.

For the winner, bootstrap bias-corrected cross-validation (Tsamardinos, Greasidou and Borboudakis, 2018, section 3): rows that were
held out are drawn again with replacement, the best candidate on the rows drawn is picked, and judged on the rows not drawn,
which had no say. By how much the best candidate looks better than that is what picking gained it.
For a comparison with what was not picked, a blend, the same by folds. No model is fitted for either.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from modelyard.core import Record, derive_seed
from modelyard.problem import metric_spec
from modelyard.training.choosing.draws import poisson_counts
from modelyard.training.choosing.noise import clusters_of
from modelyard.training.folds import FoldPlan, RowKeys
from modelyard.training.metrics import score_weighted

__all__ = ["CorrectedScore", "corrected_score", "picked_by_others"]

Array = npt.NDArray[np.float64]

_DRAWS = 200
_MOST_CANDIDATES = 12
_MOST_ROWS = 20_000


@dataclasses.dataclass(frozen=True)
class CorrectedScore(Record):
    """A candidate's score without the luck of having been picked.

    Parameters
    ----------
    estimate
        The mean over folds less the optimism.
    low, high
        95 % interval: from draw to draw, what the picked candidate scores on rows that had no say in the pick.
    optimism
        By how much the best of the candidates looks better than it is, on average; in the metric's unit, never negative.
    candidates
        How many competed.
    """

    estimate: float
    low: float
    high: float
    optimism: float
    candidates: int


def corrected_score(
    winner: str,
    means: Mapping[str, float],
    predictions: Mapping[str, Array],
    metric: str,
    truth: Array,
    plan: FoldPlan,
    keys: RowKeys,
    *,
    seed: int,
) -> CorrectedScore | None:
    """The winner's score, corrected for having been picked among the candidates.

    The optimism is that of picking the best mean. A simpler winner, which was not picked for its mean alone, has no more.

    Parameters
    ----------
    winner
        One of the candidates.
    means
        Each candidate's mean over folds.
    predictions
        Each candidate's out-of-fold predictions.
    keys
        By which rows are drawn together: groups, or stretches of time.

    Returns
    -------
    CorrectedScore or None
        None for fewer than two candidates, or where no draw leaves rows of both kinds.
    """
    sign = 1.0 if metric_spec(metric).greater_is_better else -1.0
    names = sorted(means, key=lambda name: -sign * means[name])[:_MOST_CANDIDATES]
    if len(means) < 2:
        return None
    drawn, others = np.zeros((2, len(names), _DRAWS))
    for fold, weights in enumerate(_draws(plan, keys, seed)):
        held = plan.folds[fold].held[:: _step(plan)]
        for place, name in enumerate(names):
            drawn[place] += score_weighted(metric, truth[held], predictions[name][held], weights)
            others[place] += score_weighted(metric, truth[held], predictions[name][held], (weights == 0) * 1.0)
    usable = np.isfinite(drawn).all(axis=0) & np.isfinite(others).all(axis=0)
    if usable.sum() < _DRAWS // 4:
        return None
    drawn, others = drawn[:, usable] / len(plan.folds), others[:, usable] / len(plan.folds)
    picked, column = np.argmax(sign * drawn, axis=0), np.arange(int(usable.sum()))
    worth = others[picked, column]
    optimism = max(0.0, sign * (means[names[0]] - float(worth.mean())))
    estimate = means[winner] - sign * optimism
    low, high = np.quantile(worth - worth.mean() + estimate, [0.025, 0.975])
    return CorrectedScore(estimate, float(low), float(high), optimism, len(means))


def picked_by_others(fold_scores: Sequence[Sequence[float]], sign: int) -> float:
    """The mean score of whoever is picked for each fold as the best on all other folds.

    Parameters
    ----------
    fold_scores
        Of each candidate, one for each fold.
    sign
        1 if greater is better, -1 if smaller is.

    Examples
    --------
    >>> picked_by_others([(0.9, 0.5), (0.6, 0.6)], sign=1)
    0.55
    """
    scores = np.array(fold_scores, dtype=np.float64)
    others = scores.sum(axis=1, keepdims=True) - scores
    picked = np.argmax(sign * others, axis=0)
    return float(scores[picked, np.arange(scores.shape[1])].mean())


def _step(plan: FoldPlan) -> int:
    """Every so many rows of large folds are looked at."""
    return max(1, math.ceil(sum(len(fold.held) for fold in plan.folds) / _MOST_ROWS))


def _draws(plan: FoldPlan, keys: RowKeys, seed: int) -> list[Array]:
    """For each fold, how often each of its held-out rows was drawn: shape (draws, rows)."""
    made = []
    for index, fold in enumerate(plan.folds):
        held = fold.held[:: _step(plan)]
        clusters = clusters_of(keys.take(held))
        generator = np.random.default_rng(derive_seed(seed, "picked", index))
        drawn = poisson_counts(generator, _DRAWS, int(clusters.max()) + 1).astype(np.float64)
        made.append(drawn[:, clusters])
    return made
