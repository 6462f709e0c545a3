"""The list of candidates, fixed before anything is trained."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from modelyard.core import Record, digest_json
from modelyard.problem import Task
from modelyard.training.balancing.resampling import RESAMPLINGS, Resampling
from modelyard.training.families.family import Family
from modelyard.training.planning.cost import Size, fit_seconds, rows_within
from modelyard.training.planning.portfolio import PROVEN, entries
from modelyard.training.planning.searching import SearchPlan, plan_rungs

__all__ = ["PlannedCandidate", "Stage", "WorkPlan", "make_plan", "race_rows"]

_MOST_CANDIDATES = ((400, 4), (1_000, 8), (2_500, 15), (10_000, 30))
"""Rows up to which so many candidates are tried, tuning included: more would be picked by luck (as AutoGluon's limits)."""

_MOST = 80
_BUDGETS_AHEAD = 1.5
"""So much more than the budget is planned, for machines that are faster than the cost model's."""

_RACE_SHARE = 0.1
"""A boosted model on all folds may cost this share of a budget; where all rows would cost more, fewer race."""

_LEAST_RACE_ROWS = 5_000

_LEADERS = 3
"""Where there is a budget, so many families are tuned: a blend gains more by a better second kind than by the tenth of one."""

_DEAR_SHARE = 0.15
"""What would take more than this share of a budget waits until all that is cheaper was tried."""

_CHEAP_SHARE = 0.02
"""A family of the portfolio that takes no more than this share of a budget is tried before second configurations of others."""

_LEADING = ("linear", "shallow_tree", "lightgbm")
"""These lead in any case."""

_BOOSTING = ("lightgbm", "xgboost", "catboost")
_DEAR_SHARE_BESIDE_BOOSTING = 0.05
"""So does what is no boosting where classes are asked for: it adds little to several boosted members (see docs/benchmarks.md)."""


@dataclasses.dataclass(frozen=True)
class PlannedCandidate(Record):
    """One configuration of one family.

    Parameters
    ----------
    name, family, params
        As in :class:`~modelyard.training.records.Candidate`.
    seconds
        Predicted for all folds together, on one core.
    """

    name: str
    family: str
    params: Mapping[str, Any]
    seconds: float


@dataclasses.dataclass(frozen=True)
class Stage(Record):
    """What a part of a budget is for, and how many seconds of it: ``search``, ``divisions``, ``seeds``, ``outer``, ``refit``."""

    name: str
    seconds: float


@dataclasses.dataclass(frozen=True)
class WorkPlan(Record):
    """What a search will do, in this order.

    Parameters
    ----------
    candidates
        Each on all folds.
    tuning_rounds
        Configurations that tuning may try after them.
    budget_s
        Seconds for the whole of training; None if the plan is simply carried out.
    only
        Names of the candidates that the plan is cut down to, as they were begun together: those of an earlier run, which
        this one repeats. None for all.
    search
        How the leading family is tuned.
    resampling
        What the project file says of it: ``none``, ``weights``, ``smote``, ``under`` or ``auto``.
    races
        Whether candidates that are hopeless on the first fold are given up; so also by whoever repeats the run.
    stages
        How a budget that pays for more than one search is shared out, in the order of the work; empty if it pays for one.
    folds
        Of the search.
    tunes_anew
        Whether tuning is free to lead elsewhere, although the candidates before it are given by ``only``.
    """

    candidates: tuple[PlannedCandidate, ...]
    tuning_rounds: int
    budget_s: float | None = None
    only: tuple[tuple[str, ...], ...] | None = None
    search: SearchPlan = dataclasses.field(default_factory=SearchPlan)
    resampling: str = "none"
    races: bool = True
    stages: tuple[Stage, ...] = ()
    folds: int = 0
    tunes_anew: bool = False

    @property
    def digest(self) -> str:
        """Equal plans do equal work."""
        return digest_json(self.to_dict())

    @property
    def resampling_of_all(self) -> Resampling:
        """How classes are made even for every candidate; not at all where that is left to a comparison."""
        return RESAMPLINGS.get(self.resampling, Resampling.NONE)

    def replayed(self, batches: Sequence[Sequence[str]]) -> "WorkPlan":
        """The same plan without a clock, cut down to what an earlier run finished, in its order."""
        return dataclasses.replace(self, budget_s=None, only=tuple(tuple(batch) for batch in batches))

    def followed(self, batches: Sequence[Sequence[str]]) -> "WorkPlan":
        """The plan of an outer search: the candidates that the search itself came to, and as much tuning as it did.

        So what is judged is what was done, wherever the clock has ended it.
        """
        planned = {item.name for item in self.candidates}
        only = tuple(kept for batch in batches if (kept := tuple(name for name in batch if name in planned)))
        tuned = sum("-tuned-" in name for batch in batches for name in batch)
        rounds = self.tuning_rounds if self.search.rungs and tuned else tuned
        return dataclasses.replace(self, only=only, tuning_rounds=rounds, stages=(), tunes_anew=True)

    def laddered(self, rows: int, rarest: int) -> "WorkPlan":
        """With the rungs of successive halving; see :func:`~modelyard.training.planning.searching.plan_rungs`."""
        rungs = plan_rungs(self.tuning_rounds, rows, rarest)
        return dataclasses.replace(self, search=dataclasses.replace(self.search, rungs=rungs))

    def allows(self, name: str) -> bool:
        """True unless the plan repeats a run that did not finish this candidate."""
        return self.only is None or any(name in batch for batch in self.only) or (self.tunes_anew and "-tuned-" in name)


def make_plan(
    families: Mapping[str, Family],
    task: Task,
    size: Size,
    folds: int,
    *,
    tuning_rounds: int,
    budget_s: float | None,
    workers: int,
    search: SearchPlan | None = None,
) -> WorkPlan:
    """The plan: the families' defaults and some tuning; with a budget the portfolio, and tuning for what time is left.

    Parameters
    ----------
    families
        Fit for the task and the rows, simple ones first.
    size
        Of a fold's training rows.
    budget_s
        Seconds for the whole of training; None without a budget.
    workers
        Units that run at a time.
    search
        How the leading family is tuned, and what the project file fixes; by default as the families have it.
    """
    told = search or SearchPlan()

    def planned(name: str, family: str, params: Mapping[str, Any]) -> PlannedCandidate:
        configuration = {**params, **told.params.get(family, {})}
        return PlannedCandidate(name, family, configuration, round(folds * fit_seconds(family, size), 2))

    if budget_s is None:
        defaults = tuple(planned(name, name, family.defaults(task)) for name, family in families.items())
        return WorkPlan(defaults, tuning_rounds, search=told, races=False, folds=folds)
    # Two simple models are what others are held against: the second takes no place from them.
    most = ("shallow_tree" in families) + next(
        (most for rows, most in _MOST_CANDIDATES if size.rows * folds <= rows * (folds - 1)), _MOST
    )
    listed = list(itertools.islice(_different(planned(*entry) for entry in entries(families, task)), most))

    def is_dear(item: PlannedCandidate) -> bool:
        beside = task.is_classification and item.family not in _BOOSTING
        return item.seconds > (_DEAR_SHARE_BESIDE_BOOSTING if beside else _DEAR_SHARE) * budget_s * workers

    firsts = {item.family: item for item in reversed(listed) if item.family in PROVEN}

    def comes_early(item: PlannedCandidate) -> bool:
        is_cheap = item.seconds <= _CHEAP_SHARE * budget_s * workers
        return item is firsts.get(item.family) and (is_cheap or item.family in _LEADING)

    listed = [*listed[:1], *sorted(listed[1:], key=lambda item: (is_dear(item), not comes_early(item)))]
    spent = list(itertools.accumulate(item.seconds / workers for item in listed))
    begins = [until - item.seconds / workers for item, until in zip(listed, spent, strict=True)]
    # The first one is planned and carried to its end in any case.
    affordable = [item for item, at in zip(listed, begins, strict=True) if at <= 0 or at < budget_s * _BUDGETS_AHEAD]
    rounds = most - len(affordable) if len(affordable) == len(listed) else 0
    if told.strategy in ("bayesian", "random"):
        told = dataclasses.replace(told, leaders=_LEADERS)
    return WorkPlan(tuple(affordable), rounds, budget_s, search=told, folds=folds)


def _different(planned: Iterable[PlannedCandidate]) -> Iterator[PlannedCandidate]:
    """Without those that are like an earlier one, now that some of their parameters are fixed."""
    seen: set[str] = set()
    for item in planned:
        key = digest_json({"family": item.family, "params": dict(item.params)})
        if key not in seen:
            seen.add(key)
            yield item


def race_rows(size: Size, folds: int, *, budget_s: float | None, workers: int) -> int:
    """How many of the rows candidates are compared on; the winner is fitted on all. All of them without a budget.

    Parameters
    ----------
    size
        Of the training part.
    """
    if budget_s is None:
        return size.rows
    learnt = rows_within("lightgbm", _RACE_SHARE * budget_s * workers / folds, size.features, size.outputs)
    return min(size.rows, max(_LEAST_RACE_ROWS, round(learnt * folds / (folds - 1))))
