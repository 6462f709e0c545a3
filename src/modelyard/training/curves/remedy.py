"""One answer to rare classes in figures: ranking, log loss before and after calibration, F1 with and without a moved decision."""

import numpy as np
import numpy.typing as npt

from modelyard.problem import Task
from modelyard.training.blending.calibration import Calibration
from modelyard.training.blending.weights import teachers
from modelyard.training.choosing.noise import Gain
from modelyard.training.curves.evenness import watched_class
from modelyard.training.curves.records import Remedy
from modelyard.training.folds import FoldPlan
from modelyard.training.metrics import score
from modelyard.training.preparation import Setup

__all__ = ["best_f1_threshold", "best_tilt", "calibrated", "measured", "tilted"]

Array = npt.NDArray[np.float64]

_TILTS = np.linspace(0, 1, 11)
"""From the likeliest class (0) to the class that is likeliest if all were as frequent (1)."""


def measured(name: str, raw: Array, level: Array, gain: Gain, setup: Setup) -> Remedy:
    """The figures of held-out predictions, each a mean over folds; what is learnt for them is learnt on the other folds.

    Parameters
    ----------
    raw, level
        The probabilities as they come, and calibrated.
    gain
        Over the winner as it is.
    """
    truth, folds, several = setup.truth, setup.plan.folds, setup.problem.task is Task.MULTICLASS

    def mean(metric: str, values: Array) -> float:
        return float(np.mean([score(metric, truth[fold.held], values[fold.held]) for fold in folds]))

    ranking = [_ranking(truth[fold.held], raw[fold.held]) for fold in folds]
    moved = [_moved_f1(raw, truth, setup.plan, index) for index in range(len(folds))]
    told = raw[:, watched_class(setup)] if several else raw
    return Remedy(
        name,
        float(np.nanmean(ranking)),
        mean("log_loss", raw),
        mean("log_loss", level),
        mean("f1_macro" if several else "f1", raw),
        float(np.mean(moved)),
        gain.mean,
        gain.standard_error,
        float(np.nanmean(told)),
    )


def calibrated(predictions: Array, truth: Array, plan: FoldPlan) -> Array:
    """Probabilities after a calibration that was learnt on the other folds; NaN stays.

    Of two classes a sigmoid of their log odds, of several a temperature with a shift for each class.
    """
    level = np.full(predictions.shape, np.nan)
    if predictions.ndim == 2:
        for index, fold in enumerate(plan.folds):
            others = _others(plan, index)
            curve = Calibration.learn(truth[others], predictions[others], shifts=True)
            level[fold.held] = curve.apply(predictions[fold.held])
        return level
    from sklearn.linear_model import LogisticRegression

    odds = np.clip(predictions, 1e-6, 1 - 1e-6)
    odds = np.log(odds / (1 - odds))[:, None]
    for index, fold in enumerate(plan.folds):
        others = _others(plan, index)
        sigmoid = LogisticRegression(C=1e4).fit(odds[others], truth[others])
        level[fold.held] = sigmoid.predict_proba(odds[fold.held])[:, 1]
    return level


def best_f1_threshold(predictions: Array, truth: Array) -> float:
    """The prediction from which on rows are called positive so that F1 is greatest.

    >>> best_f1_threshold(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.0, 0.0, 1.0, 1.0]))
    0.3
    """
    order = np.argsort(-predictions, kind="stable")
    ranked, found = predictions[order], np.cumsum(truth[order])
    f1 = 2 * found / (np.arange(1, len(truth) + 1) + truth.sum())
    last_of_its_value = np.append(ranked[1:] != ranked[:-1], True)
    return float(ranked[np.argmax(np.where(last_of_its_value, f1, -1.0))])


def tilted(predictions: Array, shares: Array, tilt: float) -> Array:
    """Probabilities of several classes, each divided by the class's share to the power of ``tilt``; the greatest decides.

    >>> tilted(np.array([[0.8, 0.2], [0.6, 0.4]]), np.array([0.7, 0.3]), 1.0).argmax(axis=1).tolist()
    [0, 1]
    """
    return np.asarray(predictions / np.clip(shares, 1e-9, None) ** tilt)


def best_tilt(predictions: Array, shares: Array, truth: Array) -> float:
    """How far rare classes are preferred so that macro F1 is greatest; of equals the least."""
    scores = [score("f1_macro", truth, tilted(predictions, shares, float(tilt))) for tilt in _TILTS]
    return float(_TILTS[int(np.argmax(scores))])


def _moved_f1(raw: Array, truth: Array, plan: FoldPlan, index: int) -> float:
    """F1 of a fold's held-out rows, decided as was best on the others'."""
    others, held = _others(plan, index), plan.folds[index].held
    if raw.ndim == 2:
        shares = np.bincount(truth[others].astype(np.intp), minlength=raw.shape[1]) / len(others)
        tilt = best_tilt(raw[others], shares, truth[others])
        return score("f1_macro", truth[held], tilted(raw[held], shares, tilt))
    return score("f1", truth[held], raw[held], threshold=best_f1_threshold(raw[others], truth[others]))


def _ranking(truth: Array, predictions: Array) -> float:
    """PR AUC; of several classes the mean of each against the rest, as far as they are there."""
    if predictions.ndim == 1:
        return score("pr_auc", truth, predictions)
    there = np.unique(truth).astype(np.intp)
    return float(np.mean([score("pr_auc", (truth == code) * 1.0, predictions[:, code]) for code in there]))


def _others(plan: FoldPlan, index: int) -> npt.NDArray[np.int64]:
    return np.concatenate(teachers([fold.held for fold in plan.folds], index, forward=False))
