"""The work of a search: planned before anything is trained, or taken from the run that is repeated."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from modelyard.core import StateError
from modelyard.problem import Problem, Task
from modelyard.training.curves.subsets import fewest_rows
from modelyard.training.engine.bench import Bench
from modelyard.training.executor import cores
from modelyard.training.nesting.outer import Outer
from modelyard.training.planning import Further, Size, WorkPlan, make_plan, shared_out
from modelyard.training.planning.declared import declared_search
from modelyard.training.preparation import Setup
from modelyard.training.records import CandidateStatus, TrainingRun
from modelyard.training.stability.repeats import wanted_divisions
from modelyard.training.stability.seeds import wanted_seeds

__all__ = ["as_far_as", "further_work", "plan_work"]


def further_work(setup: Setup, outer: tuple[Outer, ...]) -> Further:
    """What a budget pays for beside one search."""
    divisions, seeds, rows = wanted_divisions(setup) - 1, wanted_seeds(setup) - 1, len(setup.truth)
    asked = {"training.repeats": divisions, "training.seeds": seeds, "training.nested": len(outer)}
    words = tuple(name for name, times in asked.items() if times)
    fits = setup.problem.training.fits
    again = 0 if fits == "auto" else fits - 1
    return Further(divisions, seeds, again, tuple(len(part.learn) / rows for part in outer), words)


def plan_work(setup: Setup, bench: Bench, unfit: Mapping[str, str]) -> WorkPlan:
    """What will be done: the plan of a run that is repeated, or a new one."""
    if bench.replay is not None:
        return _replayed(bench.replay)
    rows = int(np.mean([len(fold.train) for fold in setup.plan.folds]))
    outputs = len(setup.classes) if len(setup.classes) > 2 else 1
    training = setup.problem.training
    search, workers = declared_search(training, bench.chosen, setup.problem.task), training.workers or cores()

    def of_search(budget_s: float | None) -> WorkPlan:
        return make_plan(
            {name: family for name, family in bench.chosen.items() if name not in unfit},
            setup.problem.task,
            Size(rows, setup.width, outputs, of_values=setup.problem.task is Task.REGRESSION),
            len(setup.plan.folds),
            tuning_rounds=training.tuning_rounds,
            budget_s=budget_s,
            workers=workers,
            search=search,
        )

    budget_s, further = training.budget_s, bench.further
    if budget_s is None or not further.words:
        plan = of_search(budget_s)
    else:
        plan = shared_out(of_search, further, budget_s=budget_s, workers=workers, rows=len(setup.truth))
    plan = dataclasses.replace(plan, resampling=training.resampling)
    return plan if search.strategy != "halving" else plan.laddered(*fewest_rows(setup.plan, setup.keys))


def _replayed(run: TrainingRun) -> WorkPlan:
    if run.work is None:
        raise StateError(
            "this run cannot be repeated: it has no plan",
            where=f"run {run.id}",
            got="a run of an earlier version",
            cure="Train again without --replay",
        )
    unfinished = {item.name for item in run.candidates if item.status is CandidateStatus.INTERRUPTED}
    return run.work.replayed([[name for name in batch if name not in unfinished] for batch in run.batches])


def as_far_as(run: TrainingRun, problem: Problem) -> Problem:
    """The problem without further divisions, seeds and outer parts that the run was stopped before."""
    again = run.repeats
    done = {
        "repeats": 1 if again is None else problem.training.repeats if again.divisions == 1 else again.divisions,
        "seeds": 1 if run.seeds is None else problem.training.seeds,
        "nested": problem.training.nested if run.nested is not None and run.nested.finished else None,
    }
    return problem.model_copy(update={"training": problem.training.model_copy(update=done)})
