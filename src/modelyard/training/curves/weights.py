"""Rare classes: class weights, SMOTE and under-sampling against none, each with a moved decision, not assumed."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.problem import Task, metric_spec
from modelyard.report import format_number, format_percent
from modelyard.training.balancing.resampling import WORDS, Resampling, can_resample
from modelyard.training.choosing.noise import Evidence
from modelyard.training.curves.evenness import made_rows, rare_share, watched_class
from modelyard.training.curves.records import Remedy, WeightComparison
from modelyard.training.curves.remedy import calibrated, measured
from modelyard.training.curves.units import PartUnit, gathered, run_parts
from modelyard.training.families.family import Family
from modelyard.training.preparation import Setup
from modelyard.training.records import Candidate
from modelyard.training.search.cross_validation import CrossValidation, Recipe

__all__ = ["compare_weights", "compared", "resamplings_for"]

Array = npt.NDArray[np.float64]

_MOST_NEIGHBOURS = 10_000
"""Rows of rarer classes above which SMOTE is tried only if it is asked for."""

_TREES = ("shallow_tree", "decision_tree", "random_forest", "extra_trees", "lightgbm")
_CLASS_WEIGHTS = ("linear", "elastic_net", "sgd", *_TREES)
"""Families whose estimators know ``class_weight``."""

_ERROR_RATE = 0.0455
"""Two standard errors for one comparison, more for several (Bonferroni)."""


def compare_weights(
    validation: CrossValidation, setup: Setup, winner: Candidate, family: Family
) -> WeightComparison | None:
    """Fit the winner again with classes made even, by each way that there is, and compare on the same held-out rows.

    Class weights count rarer classes for more; SMOTE and under-sampling change the rows learnt from, see
    :func:`~modelyard.training.balancing.resampling.resampled`. Probabilities are calibrated before they are
    compared, on the other folds: every one of these ways shifts probabilities.
    Boosting takes the rounds that the folds found without weights, and finds them anew for changed rows.

    Returns
    -------
    WeightComparison or None
        None if the task has no classes, or no way was finished on all folds.
    """
    if not setup.problem.task.is_classification:
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
    remedies = tuple(measured(name, raw[name], level[name], gains[name], setup) for name in raw)
    best = max(remedies[1:], key=lambda item: item.gain)
    return WeightComparison(
        question.metric,
        rare_share(setup),
        remedies,
        best.gain,
        best.standard_error,
        _answer(remedies, setup, corrected=corrected),
        corrected=corrected,
        watched=setup.classes[watched_class(setup)] if setup.problem.task is Task.MULTICLASS else "",
    )


def _ways(validation: CrossValidation, setup: Setup, winner: Candidate, family: Family) -> dict[str, list[PartUnit]]:
    """The units of each way to make classes even, one a fold, by the name of what it makes of the winner."""
    whole = validation.units(Recipe(winner.name, family, winner.params))
    metric, ways = setup.question.metric, {}
    several = setup.problem.task is Task.MULTICLASS
    changed = None if several else _weights(family, setup.truth)
    if several and family.promises.sample_weights:
        how = Resampling.WEIGHTS
        ways[f"{winner.name}-weighted"] = [PartUnit(unit, "", metric, {}, how) for unit in whole]
    if changed is not None:
        ways[f"{winner.name}-weighted"] = [PartUnit(unit, "", metric, changed) for unit in whole]
    for how in resamplings_for(setup):
        ways[f"{winner.name}-{how.value}"] = [PartUnit(unit, "", metric, {}, how) for unit in whole]
    return ways


def resamplings_for(setup: Setup) -> tuple[Resampling, ...]:
    """What imbalanced-learn can do; SMOTE's search for neighbours grows with the square of the rows of rarer classes."""
    if not can_resample() or setup.problem.data.weight is not None:  # made rows have no weight of their own
        return ()
    if setup.problem.training.imbalance == "auto" and made_rows(setup) > _MOST_NEIGHBOURS:
        return (Resampling.UNDER,)
    return (Resampling.SMOTE, Resampling.UNDER)


def _weights(family: Family, truth: Array) -> Mapping[str, Any] | None:
    """The parameters that make two classes count alike; None for a family that is not known to have any."""
    if family.name in _CLASS_WEIGHTS:
        return {"class_weight": "balanced"}
    if family.name == "catboost":
        return {"auto_class_weights": "Balanced"}
    return {"scale_pos_weight": float((truth == 0).sum() / (truth == 1).sum())} if family.name == "xgboost" else None


def _answer(remedies: tuple[Remedy, ...], setup: Setup, *, corrected: bool) -> str:
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
    code, several = watched_class(setup), setup.problem.task is Task.MULTICLASS
    share = float((setup.truth == code).mean())
    there = f"of {setup.classes[code]!r} on average where its share is {format_percent(share)}"
    there = there if several else f"on average where {format_percent(share)} are positive"
    alone = "Moving the decision alone takes macro F1" if several else "Moving the threshold alone takes F1"
    worst = max(tried, key=lambda item: abs((item.mean_prediction or 0.0) - share))
    best = max(tried, key=lambda item: item.f1_moved)
    set_back = "Set back to the true share" if corrected else "They spoil the probabilities"
    return (
        f"{first[0].upper()}{first[1:]}: gain in {metric_spec(setup.question.metric).title}, calibrated, with its standard error: {gains}. "
        f"{set_back}: {_way(worst, plain.name)} {_verb([worst], 'say')} {format_percent(worst.mean_prediction or 0.0)} "
        f"{there}. {alone} from {format_number(plain.f1)} to {format_number(plain.f1_moved)}; the best of them reaches "
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
