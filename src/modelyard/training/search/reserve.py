"""The time that is set aside, while candidates are tried, for choosing the winner and for fitting it."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from modelyard.training.families.family import Family
from modelyard.training.planning import Clock, PlannedCandidate
from modelyard.training.preparation import Setup
from modelyard.training.records import Candidate
from modelyard.training.search.cross_validation import CrossValidation
from modelyard.training.search.fewer_rows import compared_share, encoding_cost, refit_cost
from modelyard.training.search.fits import answers_soon, may_fit_again, seconds_again

__all__ = ["is_awaited", "least_refit", "set_aside"]

_MEMBERS = 5
"""Time is kept for fitting so many candidates again, in case they become a blend."""

_SEEDS = 3
"""As many as ``seeds: auto`` fits."""

_CHOICE_ROW_S = 2e-5
"""Seconds for each row that candidates were compared on: a bootstrap of the best, of those near it, and of calibration."""

_BLEND_ROW_S = 2.5e-6
"""Seconds for each row and candidate that weighing members once takes, with ROC AUC, the slowest metric; it is done for all folds
together and without each.
"""

_BLEND_ROWS = 20_000
"""About so many rows at most are looked at for it."""

_SIMPLE = 1
"""A family's complexity up to which it is what others are held against."""


def is_awaited(
    item: PlannedCandidate, validation: CrossValidation, setup: Setup, families: Mapping[str, Family]
) -> bool:
    """Whether it may be the first that is more than a simple model, where candidates are compared on fewer rows than there are.

    A better model of a tenth of the rows is worth more than a linear one of all: until there is one, the winner's time is counted
    with the rows that candidates are compared on, and nothing is begun beside it.
    """
    return (
        families[item.family].complexity > _SIMPLE
        and all(other.complexity <= _SIMPLE for other in validation.candidates if other.is_complete)
        and compared_share(setup) < 1.0
    )


def set_aside(
    clock: Clock,
    validation: CrossValidation,
    setup: Setup,
    families: Mapping[str, Family],
    ahead: Iterable[PlannedCandidate] = (),
) -> None:
    """Time for choosing, and for the best candidates so far on all training rows, which may become a blend.

    Parameters
    ----------
    ahead
        What the plan still has; of fewer rows, if one of them :func:`is_awaited`.
    """
    sign = 1 if validation.greater_is_better else -1
    complete = [item for item in validation.candidates if item.is_complete and item.family in families]
    best = sorted(complete, key=lambda item: -sign * (item.mean or 0.0))[:_MEMBERS]
    refit_s, further_s = _refit_seconds(best, validation, setup, families)
    encoding_s = encoding_cost((families[item.family] for item in best), validation, setup)
    choice_s = _choice_seconds(len(complete), validation, setup)
    awaited = [item.seconds for item in ahead if is_awaited(item, validation, setup, families)]
    if not awaited:
        clock.reserve_for(refit_s, encoding_s, choice_s, further_s)
        return
    share = compared_share(setup)
    clock.reserve_for(max(share * refit_s, least_refit(setup) * min(awaited)), share * encoding_s, choice_s)


def _refit_seconds(
    best: Sequence[Candidate], validation: CrossValidation, setup: Setup, families: Mapping[str, Family]
) -> tuple[float, float]:
    """Of fitting these as often as is asked for; and of one further fit with another seed, 0 if there may be none."""
    plan = setup.problem.training
    times = _SEEDS if plan.seeds == "auto" else plan.seeds
    once_s = sum(refit_cost(item, validation, setup) for item in best)
    members = [(item, families[item.family]) for item in best]
    again_s = seconds_again(members, validation, setup)
    asked = plan.fits if isinstance(plan.fits, int) else 1
    further = may_fit_again(setup.problem) and answers_soon(members, 2)
    return max(times * once_s, once_s + (asked - 1) * again_s), again_s if further else 0.0


def _choice_seconds(complete: int, validation: CrossValidation, setup: Setup) -> float:
    """Of choosing among so many candidates."""
    raced = sum(len(fold.held) for fold in setup.plan.folds)
    weighed = (validation.folds + 1) * complete * min(raced, _BLEND_ROWS)
    return _CHOICE_ROW_S * raced + (_BLEND_ROW_S * weighed if setup.problem.training.blend else 0.0)


def least_refit(setup: Setup) -> float:
    """What fitting on as many rows as candidates are compared on costs, in times of what all folds together cost."""
    folds = setup.plan.folds
    learnt = float(np.mean([len(fold.train) for fold in folds]))
    return compared_share(setup) * len(setup.truth) / learnt / len(folds)
