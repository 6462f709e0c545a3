"""The whole search judged from outside: carried out again on the rows of each outer part (nested cross-validation)."""

import dataclasses
from pathlib import Path

import polars as pl

from modelyard.core import Progress
from modelyard.data import Split
from modelyard.problem import Problem
from modelyard.training.engine.bench import Bench
from modelyard.training.engine.conclusion import Conclusion, as_often_as_time_allows, fit_conclusion
from modelyard.training.engine.searching import Searched, choose, search
from modelyard.training.nesting.outer import Outer, OuterWinner, Stop, nested_score
from modelyard.training.planning import WorkPlan
from modelyard.training.records import CandidateStatus
from modelyard.training.winner import Verdict, candidate_of

__all__ = ["judge_outside"]


def judge_outside(
    outer: tuple[Outer, ...],
    searched: Searched,
    split: Split,
    folder: Path,
    bench: Bench,
    conclusion: Conclusion,
    progress: Progress,
) -> Conclusion:
    """With the score of the whole search; stopping it stops the run, which the next call takes up again.

    Where a budget pays for it, an outer search is what the search itself came to be, and the clock only guards it: one that would
    not end in time, by what the search and the parts before it took, is not begun.
    """
    setup, plan = searched.setup, _plan_of_outer(searched, bench)
    made, done = len(outer), None if bench.replay is None else bench.replay.nested
    if plan is not None:
        problem = _as_done(setup.problem, conclusion.verdict)
        outer = tuple(part.planned(problem, plan.digest) for part in outer[: None if done is None else len(done.parts)])

    took = [bench.clock.stages_s]

    def procedure(place: Path, rows: pl.DataFrame, part: Outer, told: Progress) -> OuterWinner | Stop:
        clock, began = bench.clock if plan is None else bench.clock.within("outer"), bench.clock.spent_s
        if plan is not None and max(took) * len(part.learn) / len(setup.truth) > clock.left_s:
            return Stop.BY_BUDGET
        anew = dataclasses.replace(bench, replay=None, plan=plan, clock=clock)
        tried = search(place, rows, part.setup, anew, told)
        if plan is not None and clock.is_over:
            return Stop.BY_BUDGET
        found = choose(tried, part.setup, anew) if tried.end.finished else None
        if found is None or not found.end.finished:
            return Stop.BY_HAND
        if found.verdict.truncated:
            return Stop.BY_BUDGET
        winner = candidate_of(found.choice.winner, tried.validation.candidates)
        found = as_often_as_time_allows(found, tried.validation, part.setup, anew)
        models = fit_conclusion({"development": rows}, tried.validation, found, part.setup, anew, place / "refit", told)
        took.append((bench.clock.spent_s - began) * len(setup.truth) / len(part.learn))
        return OuterWinner(winner, models["development"])

    nested = nested_score(outer, setup, split.train.frame, folder, procedure, bench.families, progress, made)
    end = conclusion.end
    if not nested.finished:
        bench.executor.close()
        end = dataclasses.replace(end, finished=False)
    elif len(nested.parts) < made:
        end = end.also(f"The budget ended nested cross-validation after {len(nested.parts)} of {made} outer parts.")
    return dataclasses.replace(conclusion, end=end, nested=nested)


def _plan_of_outer(searched: Searched, bench: Bench) -> WorkPlan | None:
    """What outer searches do where a budget decides how far the search comes; None where each plans for itself."""
    planned = searched.plan if bench.replay is None or bench.replay.work is None else bench.replay.work
    if planned.budget_s is None:
        return None
    late = {item.name for item in searched.validation.candidates if item.status is CandidateStatus.INTERRUPTED}
    batches = [[name for name in batch if name not in late] for batch in searched.validation.batches]
    return planned.followed(batches)


def _as_done(problem: Problem, verdict: Verdict) -> Problem:
    """The problem without the divisions and seeds that a budget's clock kept from being tried."""
    training, repeats = problem.training, verdict.repeats
    cut = training.repeats if repeats is None or repeats.divisions == 1 else repeats.divisions
    done = {
        "repeats": 1 if repeats is None else cut,
        "seeds": 1 if verdict.seeds is None else training.seeds,
    }
    return problem.model_copy(update={"training": training.model_copy(update=done)}) if verdict.truncated else problem
