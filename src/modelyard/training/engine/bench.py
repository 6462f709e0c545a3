"""The bench: families, workers and a clock, laid out before a search."""

import dataclasses
from collections.abc import Mapping

from modelyard.core import ConfigError
from modelyard.problem import DEFAULT_FAMILIES, Problem, did_you_mean
from modelyard.training.executor import Executor, InProcessExecutor, LocalPoolExecutor, load_executor
from modelyard.training.families.custom import custom_family
from modelyard.training.families.family import Family
from modelyard.training.families.optional import is_installed, require_library
from modelyard.training.families.registry import FAMILIES, registered_families
from modelyard.training.planning import PORTFOLIO, Clock, Further, WorkPlan
from modelyard.training.records import TrainingRun

__all__ = ["Bench", "chosen_families", "default_executor", "families_of_others", "limit_s"]


@dataclasses.dataclass(frozen=True)
class Bench:
    """What a search works with, whatever its rows: all families and those of the plan, the run that it repeats, what a budget
    pays for beside it, and the plan, if that is given.
    """

    executor: Executor
    families: Mapping[str, Family]
    chosen: Mapping[str, Family]
    clock: Clock
    replay: TrainingRun | None = None
    further: Further = dataclasses.field(default_factory=Further)
    plan: WorkPlan | None = None


def limit_s(problem: Problem) -> float | None:
    """Seconds that training may take: the budget, or the constraint if that is shorter; None if there is neither."""
    minutes, budget = problem.constraints.training_minutes, problem.training.budget_s
    limits = [limit for limit in (budget, None if minutes is None else minutes * 60) if limit is not None]
    return min(limits, default=None)


def families_of_others(problem: Problem, families: Mapping[str, Family]) -> dict[str, Family]:
    """Families that other packages register, as far as the plan names them; and the user's own estimators."""
    wanted = [name for name in problem.training.named_families if name in FAMILIES or name not in families]
    custom = problem.training.custom
    return {
        **registered_families(wanted),
        **{name: custom_family(name, declared, problem.task) for name, declared in custom.items()},
    }


def chosen_families(problem: Problem, families: Mapping[str, Family]) -> dict[str, Family]:
    """The families of the plan, and those of the caller's own, simple ones first."""
    training = problem.training
    unknown = [name for name in training.named_families if name not in families]
    if unknown:
        raise ConfigError(
            "there is no such family of models",
            where="training.families",
            got=repr(unknown[0]),
            cure=did_you_mean(unknown[0], families),
        )
    for name in training.named_families:
        require_library(name)
    by_itself = DEFAULT_FAMILIES if training.budget is None else {name for name, _ in PORTFOLIO if is_installed(name)}
    wanted = training.named_families or by_itself
    chosen = [family for name, family in families.items() if name in wanted or name not in FAMILIES]
    return {family.name: family for family in sorted(chosen, key=lambda family: family.complexity)}


def default_executor(problem: Problem) -> Executor:
    """The one that is named; else worker processes, unless there would be one only and nobody may have to end it."""
    plan = problem.training
    if plan.executor is not None:
        return load_executor(plan.executor, workers=plan.workers, address=plan.address)
    pool = LocalPoolExecutor(problem.training.workers)
    may_end = plan.unit_s is not None or limit_s(problem) is not None
    return pool if pool.workers > 1 or may_end else InProcessExecutor()
