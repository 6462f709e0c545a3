"""Tuning of the leading families, by whichever search the plan names.

Suggestions come in batches of a fixed size and their results are told in the order of suggestion, so the search is the
same however many workers there are, and whichever of them is first.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence

from modelyard.core import derive_seed
from modelyard.problem import Task
from modelyard.training.balancing.resampling import Resampling
from modelyard.training.families.family import Family
from modelyard.training.planning.searching import SearchPlan
from modelyard.training.search.cross_validation import CrossValidation, Recipe
from modelyard.training.search.strategies import Ground, Strategy, Suggestion
from modelyard.training.search.strategies.bayesian import BayesianSearch
from modelyard.training.search.strategies.grid import GridSearch
from modelyard.training.search.strategies.halving import HalvingSearch
from modelyard.training.search.strategies.random_search import RandomSearch

__all__ = ["BATCH", "leading_families", "strategy_for", "tune"]

BATCH = 4
"""Suggestions made before the results of any of them are known."""

Allows = Callable[[str, str, float], bool]
"""Whether a candidate of that name and family may be begun, on that share of the rows."""


def tune(
    validation: CrossValidation,
    families: Sequence[Family],
    rounds: int,
    *,
    seed: int,
    plan: SearchPlan | None = None,
    allows: Allows = lambda _name, _family, _share: True,
    race: bool = False,
    resampling: Resampling = Resampling.NONE,
) -> bool:
    """Spend ``rounds`` configurations on the families that lead; the candidates are added to ``validation``.

    Several families take turns, each with its share of the rounds, so that wherever time ends all of them were tuned.

    Parameters
    ----------
    validation
        Holds the candidates so far, the families' defaults among them.
    families
        Those that may be tuned.
    rounds
        Configurations to try; 0 for none.
    seed
        Of the search.
    plan
        By which search, and in which space; by default Bayesian, in the family's own.
    allows
        A family whose next candidates may not be begun is not tuned any further.
    race
        Whether candidates that are hopeless on the first fold are given up.
    resampling
        How classes are made even for every candidate.

    Returns
    -------
    bool
        False if time ran out before all was done.
    """
    plan = plan or SearchPlan()
    leaders = leading_families(validation, families, plan)[:rounds]
    turns = deque[tuple[Family, Strategy]]()
    for place, family in enumerate(leaders):
        share = rounds // len(leaders) + (place < rounds % len(leaders))
        strategy = strategy_for(family, validation.task, share, validation.greater_is_better, seed, plan)
        for candidate in validation.candidates:
            if candidate.family == family.name:
                strategy.know(candidate)
        turns.append((family, strategy))
    planned, through = sum(strategy.planned for _, strategy in turns), True
    while turns:
        family, strategy = turns.popleft()
        suggested = strategy.suggest(BATCH)
        if not suggested:
            continue
        recipes = [_recipe(item, family, resampling) for item in suggested]
        allowed = [recipe for recipe in recipes if allows(recipe.name, family.name, recipe.share)]
        if validation.out_of_time:
            return False
        if not allowed:
            through = False
            continue
        # On fewer rows a candidate is not behind the best one; it has only learnt less.
        on_all_rows = all(recipe.share == 1.0 for recipe in allowed)
        made = validation.evaluate(allowed, step="tuning", planned=planned, race=race and on_all_rows)
        scores = {item.name: item.fold_mean for item in made}
        strategy.tell([scores.get(recipe.name) for recipe in recipes])
        turns.append((family, strategy))
    return through


def _recipe(item: Suggestion, family: Family, resampling: Resampling) -> Recipe:
    name = f"{family.name}-tuned-{item.number}"
    name = name if item.share == 1.0 else f"{name}-rung-{item.rung}"
    return Recipe(name, family, item.params, item.share, resampling)


def leading_families(
    validation: CrossValidation, families: Sequence[Family], plan: SearchPlan | None = None
) -> list[Family]:
    """The best families, by their best candidates: as many as the plan says of those with more than one parameter to tune.

    Where there is none of them, the best with one.
    """
    sign = 1 if validation.greater_is_better else -1
    plan = plan or SearchPlan()
    sizes = {family.name: len(plan.space_of(family, validation.task)) for family in families}
    best: dict[str, float] = {}
    for candidate in validation.candidates:
        if candidate.mean is not None and sizes.get(candidate.family):
            best[candidate.family] = max(sign * candidate.mean, best.get(candidate.family, -math.inf))
    ordered = sorted((family for family in families if family.name in best), key=lambda family: -best[family.name])
    rich = [family for family in ordered if sizes[family.name] > 1]
    return rich[: plan.leaders] or ordered[:1]


def strategy_for(
    family: Family, task: Task, rounds: int, greater_is_better: bool, seed: int, plan: SearchPlan
) -> Strategy:
    """The search that a plan names, on the ground of a family.

    Parameters
    ----------
    seed
        Root of all seeds; each family is searched by a seed of its own.
    """
    ground = Ground(
        plan.space_of(family, task),
        plan.defaults_of(family, task),
        greater_is_better,
        derive_seed(seed, "tuning", family.name),
        family.portfolio(task),
    )
    if plan.strategy == "grid":
        return GridSearch(ground)
    if plan.strategy == "halving":
        return HalvingSearch(ground, plan.rungs)
    return RandomSearch(ground, rounds) if plan.strategy == "random" else BayesianSearch(ground, rounds)
