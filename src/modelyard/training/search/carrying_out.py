"""The plan carried out: baselines, the candidates in their order, and tuning, until the end or until time is up."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.training.baselines import ConstantEstimator, existing_system_scores, naive_params
from modelyard.training.executor import cores
from modelyard.training.families.family import Family
from modelyard.training.planning import Clock, PlannedCandidate, WorkPlan
from modelyard.training.preparation import Setup
from modelyard.training.records import EXISTING, NAIVE, Candidate, CandidateStatus
from modelyard.training.search.cross_validation import CrossValidation, Recipe
from modelyard.training.search.reserve import is_awaited, least_refit, set_aside
from modelyard.training.search.tuning import tune

__all__ = ["SearchEnd", "carry_out"]

_AT_A_TIME = 2
"""Candidates begun together where there is a budget; fixed, so that the plan means the same on any number of cores."""

_DOUBT = 2.0
"""A candidate is begun beside another only if the two would end in time even if they took so many times as long."""

_NO_TIME = "no time was left in the budget"


@dataclasses.dataclass(frozen=True)
class SearchEnd:
    """How a search ended.

    Parameters
    ----------
    finished
        False if it was stopped by hand, or by a limit that is no budget.
    truncated
        What the budget's clock kept from being done; ``""`` if nothing.
    """

    finished: bool
    truncated: str = ""

    def also(self, truncated: str) -> "SearchEnd":
        """With a further sentence of what was not done, if there is one."""
        return dataclasses.replace(self, truncated=f"{self.truncated} {truncated}".strip())


def carry_out(
    plan: WorkPlan,
    validation: CrossValidation,
    setup: Setup,
    frame: pl.DataFrame,
    families: Mapping[str, Family],
    unfit: Mapping[str, str],
    clock: Clock,
) -> SearchEnd:
    """Do what the plan says; the candidates are added to ``validation``, baselines first.

    With a budget a candidate is begun only if the clock expects it to end in time; one that is not is left out, and
    cheaper ones after it have their chance. The first candidate is always carried to its end; then a budget that pays for more
    than this search is shared out.

    Parameters
    ----------
    families
        Those of the plan, by name, and those that were asked for but are not fit.
    unfit
        The latter's names, with the reasons.
    clock
        Of the whole of training.
    """
    try:
        _add_baselines(validation, setup, frame)
        fit = {name: family for name, family in families.items() if name not in unfit}
        for name, reason in unfit.items():
            validation.leave_out(Recipe(name, families[name], families[name].defaults(validation.task)), reason)
        if plan.budget_s is None and plan.only is None:
            through = _without_budget(plan, validation, setup, fit)
            complete = all(item.status is not CandidateStatus.INTERRUPTED for item in validation.candidates)
            return SearchEnd(through and complete)
        _within_budget(plan, validation, setup, fit, clock)
    except KeyboardInterrupt:
        return SearchEnd(finished=False)
    return SearchEnd(finished=True, truncated=_truncated(validation.candidates, plan))


def _add_baselines(validation: CrossValidation, setup: Setup, frame: pl.DataFrame) -> None:
    """The naive baseline, learnt on each fold's training rows; and today's system, which learns nothing."""
    folds, truth, question = setup.plan.folds, setup.truth, setup.question
    params = naive_params(question.task, question.metric)

    def naive(fold: int) -> npt.NDArray[np.float64]:
        learnt = truth[folds[fold].train]
        constant = ConstantEstimator.learn(learnt, question.task, question.classes, params["prediction"])
        return constant.predict(truth[folds[fold].held])

    validation.add_baseline(NAIVE, params, naive)
    scores = existing_system_scores(setup.problem, frame, classes=setup.classes)
    if scores is not None:
        declared = setup.problem.existing_system.model_dump(exclude_none=True)
        validation.add_baseline(EXISTING, declared, lambda fold: scores[folds[fold].held])


def _without_budget(plan: WorkPlan, validation: CrossValidation, setup: Setup, families: Mapping[str, Family]) -> bool:
    """All candidates at once, then tuning of the leader; False if a limit cut it short."""
    validation.evaluate([_recipe(item, plan, families) for item in plan.candidates], step="folds")
    return tune(
        validation,
        list(families.values()),
        plan.tuning_rounds,
        seed=setup.seed,
        plan=plan.search,
        resampling=plan.resampling_of_all,
    )


def _recipe(item: PlannedCandidate, plan: WorkPlan, families: Mapping[str, Family]) -> Recipe:
    return Recipe(item.name, families[item.family], item.params, resampling=plan.resampling_of_all)


def _within_budget(
    plan: WorkPlan, validation: CrossValidation, setup: Setup, families: Mapping[str, Family], clock: Clock
) -> None:
    """Candidates in the plan's order as long as they are affordable, then tuning."""
    total = len(plan.candidates) + plan.tuning_rounds
    left = {item.name: item for item in plan.candidates}

    def is_alone(item: PlannedCandidate) -> bool:
        return is_awaited(item, validation, setup, families)

    for batch in _batches(plan, left, clock, least_refit(setup), is_alone):
        recipes = [_recipe(item, plan, families) for item in batch]
        is_first = len(left) == len(plan.candidates) - 1
        must_end = is_first and not plan.tunes_anew  # an outer search is guarded from its beginning
        made = validation.evaluate(recipes, step="folds", planned=total, race=plan.races, must_end=must_end)
        for item, candidate in zip(batch, made, strict=True):
            if candidate.status is CandidateStatus.DONE:
                clock.note(item.family, item.seconds, candidate.fit_seconds)
        if is_first:
            clock.share_out(plan.stages, made[0].fit_seconds / max(1, setup.problem.training.workers or cores()))
        set_aside(clock, validation, setup, families, left.values())
    set_aside(clock, validation, setup, families)
    if plan.only is None:
        for item in left.values():
            validation.leave_out(_recipe(item, plan, families), _NO_TIME)
    tune(
        validation,
        list(families.values()),
        plan.tuning_rounds,
        seed=setup.seed,
        plan=plan.search,
        allows=lambda name, family, share: (
            plan.allows(name)
            and (
                plan.tunes_anew
                or clock.affords(
                    family,
                    _AT_A_TIME * share * _tuning_seconds(plan, family),
                    least_refit(setup) * _tuning_seconds(plan, family),
                )
            )
        ),
        race=plan.races,
        resampling=plan.resampling_of_all,
    )


def _batches(
    plan: WorkPlan,
    left: dict[str, PlannedCandidate],
    clock: Clock,
    refit_share: float,
    is_alone: Callable[[PlannedCandidate], bool],
) -> Iterator[list[PlannedCandidate]]:
    """The first candidate alone, then the next two that are affordable, until none is; what is given leaves ``left``.

    A plan that repeats an earlier run gives the batches of that run.
    """
    if plan.only is not None:
        listed = [[left.pop(name) for name in names if name in left] for names in plan.only]
        yield from (batch for batch in listed if batch)
        return
    yield [left.pop(plan.candidates[0].name)]
    while left:
        batch: list[PlannedCandidate] = []
        for item in left.values():
            if len(batch) == _AT_A_TIME or any(map(is_alone, batch)):
                break
            together = sum(other.seconds for other in (*batch, item)) * (_DOUBT if batch else 1.0)
            if clock.affords(item.family, together, refit_share * item.seconds):
                batch.append(item)
        if not batch:
            return
        for item in batch:
            del left[item.name]
        yield batch


def _tuning_seconds(plan: WorkPlan, family: str) -> float:
    return max((item.seconds for item in plan.candidates if item.family == family), default=0.0)


def _truncated(candidates: Sequence[Candidate], plan: WorkPlan) -> str:
    """What the clock kept from being done, in a sentence."""
    if plan.budget_s is None:
        return ""
    ended = (CandidateStatus.DONE, CandidateStatus.GIVEN_UP, CandidateStatus.PARTIAL)
    done = [item.name for item in candidates if item.status in ended]
    late = [item.name for item in candidates if item.error == _NO_TIME or item.status is CandidateStatus.INTERRUPTED]
    if not late:
        return ""
    return f"The budget of {plan.budget_s:g} s ended the search after {done[-1]}; not done: {', '.join(late)}."
