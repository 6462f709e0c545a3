"""Rare positives: class weights against none, and a moved threshold against both, compared and not assumed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.problem import Task, metric_spec
from modelyard.report import format_number
from modelyard.training.choosing.noise import Evidence
from modelyard.training.curves.records import Remedy, WeightComparison
from modelyard.training.curves.units import PartUnit, gathered, run_parts
from modelyard.training.families.family import Family
from modelyard.training.folds import FoldPlan
from modelyard.training.metrics import score
from modelyard.training.preparation import Setup
from modelyard.training.records import Candidate
from modelyard.training.search.cross_validation import CrossValidation, Recipe

__all__ = ["RARE", "best_f1_threshold", "calibrated", "compare_weights", "rare_share"]

Array = npt.NDArray[np.float64]

RARE = 0.3
"""Below this share of the rarer class the comparison is made by itself."""

_ERRORS = 2.0


def rare_share(setup: Setup) -> float:
    """The share of the rarer class; 1 where there are not two classes."""
    return float(min(setup.truth.mean(), 1 - setup.truth.mean())) if setup.problem.task is Task.BINARY else 1.0


def compare_weights(
    validation: CrossValidation, setup: Setup, winner: Candidate, family: Family
) -> WeightComparison | None:
    """Fit the winner again with classes weighted to be even, and compare on the same held-out rows.

    Probabilities of both are calibrated before they are compared, by a sigmoid (Platt, 1999) that is learnt on the
    other folds: weights shift probabilities on purpose. Boosting takes the rounds that the folds found without weights.

    Returns
    -------
    WeightComparison or None
        None if the task is not binary, the family is one's own, or a fold was not finished.
    """
    changed = _weights(family, setup.truth)
    if setup.problem.task is not Task.BINARY or changed is None:
        return None
    recipe, question = Recipe(winner.name, family, winner.params), setup.question
    units = [PartUnit(whole, "", question.metric, changed) for whole in validation.units(recipe)]
    if len(run_parts(validation, units, step="weights")) < len(units):
        return None
    weighted = f"{winner.name}-weighted"
    raw = {winner.name: validation.out_of_fold(winner.name), weighted: gathered(units, setup.plan, len(setup.truth))}
    level = {name: calibrated(values, setup.truth, setup.plan) for name, values in raw.items()}
    evidence = Evidence(question.metric, question.truth, setup.plan, setup.keys, level.__getitem__, seed=setup.seed)
    gain = evidence.gain(weighted, winner.name)
    remedies = tuple(_remedy(name, raw[name], level[name], setup) for name in raw)
    answer = _answer(question.metric, gain.mean, gain.standard_error, remedies)
    return WeightComparison(question.metric, rare_share(setup), remedies, gain.mean, gain.standard_error, answer)


def _weights(family: Family, truth: Array) -> Mapping[str, Any] | None:
    """The parameters that make the classes count alike; None for a family that is not known to have any."""
    if family.name in ("linear", "elastic_net", "sgd", "decision_tree", "random_forest", "extra_trees", "lightgbm"):
        return {"class_weight": "balanced"}
    if family.name == "catboost":
        return {"auto_class_weights": "Balanced"}
    return {"scale_pos_weight": float((truth == 0).sum() / (truth == 1).sum())} if family.name == "xgboost" else None


def calibrated(predictions: Array, truth: Array, plan: FoldPlan) -> Array:
    """Probabilities after a sigmoid of their log-odds that was learnt on the other folds; NaN stays."""
    from sklearn.linear_model import LogisticRegression

    odds = np.clip(predictions, 1e-6, 1 - 1e-6)
    odds = np.log(odds / (1 - odds))[:, None]
    level = np.full(len(predictions), np.nan)
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


def _others(plan: FoldPlan, index: int) -> npt.NDArray[np.int64]:
    return np.concatenate([fold.held for other, fold in enumerate(plan.folds) if other != index])


def _remedy(name: str, raw: Array, level: Array, setup: Setup) -> Remedy:
    truth, folds = setup.truth, setup.plan.folds

    def mean(metric: str, values: Array) -> float:
        return float(np.mean([score(metric, truth[fold.held], values[fold.held]) for fold in folds]))

    moved = []
    for index, fold in enumerate(folds):
        others = _others(setup.plan, index)
        cut = best_f1_threshold(raw[others], truth[others])
        moved.append(score("f1", truth[fold.held], raw[fold.held], threshold=cut))
    return Remedy(
        name,
        mean("pr_auc", raw),
        mean("log_loss", raw),
        mean("log_loss", level),
        mean("f1", raw),
        float(np.mean(moved)),
    )


def _answer(metric: str, gain: float, error: float, remedies: tuple[Remedy, ...]) -> str:
    plain, weighted = remedies
    title = metric_spec(metric).title
    if abs(gain) <= _ERRORS * error:
        said = "Class weights change nothing beyond noise"
    else:
        said = "Class weights help" if gain > 0 else "Class weights harm"
    return (
        f"{said}: their gain in {title} is {format_number(gain)}, standard error {format_number(error)}, both calibrated. "
        f"Moving the threshold takes F1 from {format_number(plain.f1)} to {format_number(plain.f1_moved)}; weights "
        f"at 0.5 reach {format_number(weighted.f1)}, and both together {format_number(weighted.f1_moved)}."
    )
