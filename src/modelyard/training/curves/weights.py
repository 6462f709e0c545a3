"""Rare positives: class weights, SMOTE and under-sampling against none, each with a moved threshold, not assumed."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.problem import Task, metric_spec
from modelyard.report import format_number, format_percent
from modelyard.training.balancing.resampling import WORDS, Resampling, can_resample
from modelyard.training.blending.weights import teachers
from modelyard.training.choosing.noise import Evidence, Gain
from modelyard.training.curves.records import Remedy, WeightComparison
from modelyard.training.curves.units import PartUnit, gathered, run_parts
from modelyard.training.families.family import Family
from modelyard.training.folds import FoldPlan
from modelyard.training.metrics import score
from modelyard.training.preparation import Setup
from modelyard.training.records import Candidate
from modelyard.training.search.cross_validation import CrossValidation, Recipe

__all__ = ["RARE", "best_f1_threshold", "calibrated", "compare_weights", "compared", "rare_share", "resamplings_for"]

Array = npt.NDArray[np.float64]

RARE = 0.3
"""Below this share of the rarer class the comparison is made by itself."""

_MOST_NEIGHBOURS = 10_000
"""Rare rows above which SMOTE is tried only if it is asked for."""

_ERROR_RATE = 0.0455
"""Two standard errors for one comparison, more for several (Bonferroni)."""


def rare_share(setup: Setup) -> float:
    """The share of the rarer class; 1 where there are not two classes."""
    return float(min(setup.truth.mean(), 1 - setup.truth.mean())) if setup.problem.task is Task.BINARY else 1.0


def compare_weights(
    validation: CrossValidation, setup: Setup, winner: Candidate, family: Family
) -> WeightComparison | None:
    """Fit the winner again with classes made even, by each way that there is, and compare on the same held-out rows.

    Class weights count the rarer class for more; SMOTE and under-sampling change the rows learnt from, see
    :func:`~modelyard.training.curves.resampling.resampled`. Probabilities are calibrated before they are
    compared, by a sigmoid (Platt, 1999) that is learnt on the other folds: every one of these ways shifts probabilities.
    Boosting takes the rounds that the folds found without weights, and finds them anew for changed rows.

    Returns
    -------
    WeightComparison or None
        None if the task is not binary, or no way was finished on all folds.
    """
    if setup.problem.task is not Task.BINARY:
        return None
    ways = _ways(validation, setup, winner, family)
    results = run_parts(validation, [unit for units in ways.values() for unit in units], step="weights")
    raw = {winner.name: validation.out_of_fold(winner.name)}
    for name, units in ways.items():
        if all(unit.key in results for unit in units):
            raw[name] = gathered(units, setup.plan, len(setup.truth))
    return None if len(raw) == 1 else compared(raw, winner.name, setup)


def compared(raw: Mapping[str, Array], plain: str, setup: Setup, *, corrected: bool = False) -> WeightComparison:
    """The comparison of held-out predictions, by the names of the winner as it is and of what each way makes of it.

    Parameters
    ----------
    raw
        The first is the winner as it is, called ``plain``.
    corrected
        Whether the predictions were set back to the true share before.
    """
    question = setup.question
    level = {name: calibrated(values, setup.truth, setup.plan) for name, values in raw.items()}
    evidence = Evidence(question.metric, question.truth, setup.plan, setup.keys, level.__getitem__, seed=setup.seed)
    gains = {name: evidence.gain(name, plain) for name in raw}
    remedies = tuple(_remedy(name, raw[name], level[name], gains[name], setup) for name in raw)
    best = max(remedies[1:], key=lambda item: item.gain)
    share = rare_share(setup)
    answer = _answer(question.metric, remedies, float(setup.truth.mean()), corrected=corrected)
    return WeightComparison(
        question.metric, share, remedies, best.gain, best.standard_error, answer, corrected=corrected
    )


def _ways(validation: CrossValidation, setup: Setup, winner: Candidate, family: Family) -> dict[str, list[PartUnit]]:
    """The units of each way to make classes even, one a fold, by the name of what it makes of the winner."""
    whole = validation.units(Recipe(winner.name, family, winner.params))
    metric, ways = setup.question.metric, {}
    changed = _weights(family, setup.truth)
    if changed is not None:
        ways[f"{winner.name}-weighted"] = [PartUnit(unit, "", metric, changed) for unit in whole]
    for how in resamplings_for(setup):
        ways[f"{winner.name}-{how.value}"] = [PartUnit(unit, "", metric, {}, how) for unit in whole]
    return ways


def resamplings_for(setup: Setup) -> tuple[Resampling, ...]:
    """What imbalanced-learn can do; SMOTE's search for neighbours grows with the square of the rare rows."""
    if not can_resample() or setup.problem.data.weight is not None:  # made rows have no weight of their own
        return ()
    rare = rare_share(setup) * len(setup.truth)
    if setup.problem.training.imbalance == "auto" and rare > _MOST_NEIGHBOURS:
        return (Resampling.UNDER,)
    return (Resampling.SMOTE, Resampling.UNDER)


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
    return np.concatenate(teachers([fold.held for fold in plan.folds], index, forward=False))


def _remedy(name: str, raw: Array, level: Array, gain: Gain, setup: Setup) -> Remedy:
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
        gain.mean,
        gain.standard_error,
        float(np.nanmean(raw)),
    )


def _answer(metric: str, remedies: tuple[Remedy, ...], positives: float, *, corrected: bool) -> str:
    """What was compared, whether any of it helps beyond noise, and what it does to the probabilities."""
    plain, *tried = remedies
    bound = float(statistics.NormalDist().inv_cdf(1 - _ERROR_RATE / 2 / len(tried)))
    helps = [item for item in tried if item.gain > bound * item.standard_error]
    harms = [item for item in tried if item.gain < -bound * item.standard_error]
    said = [f"{_listed(helps, plain.name)} {_verb(helps, 'help')}"] if helps else []
    said += [f"{_listed(harms, plain.name)} {_verb(harms, 'harm')}"] if harms else []
    first = "; ".join(said) or f"{_listed(tried, plain.name)} {_verb(tried, 'change')} nothing beyond noise"
    gains = ", ".join(
        f"{_way(item, plain.name)} {format_number(item.gain)} ± {format_number(item.standard_error)}" for item in tried
    )
    worst = max(tried, key=lambda item: abs((item.mean_prediction or 0.0) - positives))
    best = max(tried, key=lambda item: item.f1_moved)
    set_back = "Set back to the true share" if corrected else "They spoil the probabilities"
    return (
        f"{first[0].upper()}{first[1:]}: gain in {metric_spec(metric).title}, calibrated, with its standard error: {gains}. "
        f"{set_back}: {_way(worst, plain.name)} {_verb([worst], 'say')} {format_percent(worst.mean_prediction or 0.0)} on "
        f"average where {format_percent(positives)} are positive. Moving the threshold alone takes F1 from "
        f"{format_number(plain.f1)} to {format_number(plain.f1_moved)}; the best of them reaches "
        f"{format_number(best.f1_moved)}."
    )


def _way(remedy: Remedy, winner: str) -> str:
    return WORDS[Resampling(remedy.name.removeprefix(f"{winner}-"))]


def _listed(remedies: Sequence[Remedy], winner: str) -> str:
    *others, last = [_way(item, winner) for item in remedies]
    return f"{', '.join(others)} and {last}" if others else last


def _verb(remedies: Sequence[Remedy], verb: str) -> str:
    """Class weights are many, and so are two ways; SMOTE is one."""
    alone = len(remedies) == 1 and not remedies[0].name.endswith("-weighted")
    return f"{verb}s" if alone else verb
