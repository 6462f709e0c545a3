"""A search: candidates scored as the plan says, and the choice among them."""

import dataclasses
from pathlib import Path

import polars as pl

from modelyard.core import ModelyardError, Progress, StateError, write_json_atomic
from modelyard.training.balancing.remedies import Remedies
from modelyard.training.engine.bench import Bench
from modelyard.training.engine.conclusion import Conclusion
from modelyard.training.engine.work import plan_work
from modelyard.training.families.fitness import unfit_reason
from modelyard.training.planning import WorkPlan
from modelyard.training.preparation import Setup
from modelyard.training.records import CandidateRole
from modelyard.training.search.carrying_out import SearchEnd, carry_out
from modelyard.training.search.cross_validation import CrossValidation
from modelyard.training.search.matrices import FoldMatrices
from modelyard.training.winner import choose_winner

__all__ = ["Searched", "choose", "search"]

_PLAN_FILE = "plan.json"


@dataclasses.dataclass(frozen=True)
class Searched:
    """Candidates scored, what they are about, and how far that came."""

    setup: Setup
    validation: CrossValidation
    matrices: FoldMatrices
    plan: WorkPlan
    end: SearchEnd


def search(folder: Path, frame: pl.DataFrame, setup: Setup, bench: Bench, progress: Progress) -> Searched:
    """Plan the work and carry it out on these rows."""
    unfit = {name: reason for name, family in bench.chosen.items() if (reason := unfit_reason(family, setup.needs))}
    plan = bench.plan or plan_work(setup, bench, unfit)
    matrices = FoldMatrices(folder, frame, setup.learning)
    matrices.write_folds(setup.plan, setup.keys, setup.truth, setup.seed)
    write_json_atomic(folder / _PLAN_FILE, plan.to_dict())
    validation = CrossValidation(folder, setup.question, matrices, bench.executor, progress=progress, clock=bench.clock)
    end = carry_out(plan, validation, setup, frame, bench.chosen, unfit, bench.clock)
    if not end.finished:
        bench.executor.close()
    return Searched(setup, validation, matrices, plan, end)


def choose(searched: Searched, setup: Setup, bench: Bench) -> Conclusion:
    """The choice among what was searched."""
    _require_complete(searched.validation, finished=searched.end.finished)
    remedies = Remedies(searched.validation, setup, bench.families, searched.plan.allows)
    rebalance = remedies.rebalanced if searched.plan.resampling == "auto" else lambda choice: choice
    verdict = choose_winner(
        searched.validation, setup, bench.families, rebalance=rebalance, whole=searched.end.finished
    )
    end = searched.end
    if end.finished and not verdict.finished:
        bench.executor.close()
        end = dataclasses.replace(end, finished=False)
    end = end.also(verdict.truncated)
    return Conclusion(searched.plan, end, verdict, weights=verdict.choice.weights)


def _require_complete(validation: CrossValidation, *, finished: bool) -> None:
    """There must be something to choose from; that nothing can be fitted at all is a fault, not a result."""
    tried = [item for item in validation.candidates if item.role is CandidateRole.CANDIDATE]
    if any(item.is_complete for item in tried):
        return
    if not finished:
        raise StateError(
            "training was stopped before any candidate was scored on all folds",
            where="training",
            got=f"{len(tried)} candidates begun",
            cure="Run it again: what was finished is kept. If time was short, raise constraints.training_minutes",
        )
    raise ModelyardError(
        "no candidate could be fitted",
        where="training",
        got="; ".join(f"{item.name}: {item.error}" for item in tried[:2]) or "no family to try",
        cure="Mend what the messages say, then run it again; what was finished is kept",
    )
