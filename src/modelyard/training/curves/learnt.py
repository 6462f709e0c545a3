"""The metric on the rows that trials of tuning learnt from, for the validation curve."""

import statistics
from collections.abc import Mapping, Sequence

from modelyard.training.curves.cheapness import WITH_KNOWN_ROUNDS, counted, is_cheap
from modelyard.training.curves.units import PartUnit, run_parts
from modelyard.training.families.family import Family
from modelyard.training.records import Candidate
from modelyard.training.search.cross_validation import CrossValidation, Recipe

__all__ = ["on_rows_learnt", "trials_are_affordable"]


def trials_are_affordable(candidates: Sequence[Candidate], trials: Sequence[Candidate]) -> bool:
    """Whether fitting these trials again adds about a fifth to training at most; as for the learning curve."""
    work = sum(counted(item) * (1.0 if item.rounds is None else WITH_KNOWN_ROUNDS) for item in trials)
    return is_cheap(work, candidates)


def on_rows_learnt(
    trials: Sequence[Candidate], validation: CrossValidation, families: Mapping[str, Family], metric: str
) -> dict[str, float]:
    """Fit trials again on each fold, with the rounds that are known, and judge them on the rows learnt from.

    Returns
    -------
    dict
        Means over folds, by trial; without those of which a fit failed or was cut off.
    """
    work = {
        item.name: [PartUnit(whole, "", metric) for whole in validation.units(Recipe.of(item, families[item.family]))]
        for item in trials
    }
    results = run_parts(validation, [unit for units in work.values() for unit in units], step="trials")
    return {
        name: statistics.fmean(results[unit.key].train or 0.0 for unit in units)
        for name, units in work.items()
        if all(unit.key in results for unit in units)
    }
