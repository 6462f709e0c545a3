"""Fits that never end: each is ended with its worker, and says so; the others go on."""

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from modelyard.core import ModelyardError
from modelyard.data import Split
from modelyard.problem import Problem
from modelyard.problem.schema import TrainingPlan
from modelyard.store import Workspace
from modelyard.training import CandidateStatus, InProcessExecutor, LocalPoolExecutor, TrainingRun
from modelyard.training.engine import repeat, train
from modelyard.training.engine.bench import default_executor
from modelyard.training.executor import NO_LIMIT, Limit
from modelyard.training.families.family import FitData, Fitted
from modelyard.training.families.linear import Linear
from modelyard.training.planning import Clock
from modelyard.training.search.refit import RefitUnit

MakeSplit = Callable[..., tuple[Split, Problem]]
LIMIT_S = 2.0
PLAN = {
    "folds": 2,
    "tuning_rounds": 0,
    "workers": 2,
    "families": ["linear"],
    "learning_curve": False,
    "imbalance": False,
    "unit_minutes": LIMIT_S / 60,
}


@dataclasses.dataclass(frozen=True)
class Endless(Linear):
    """A linear model that never ends on more rows than these."""

    name: str = "endless"
    most: int = 0

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:
        """Fits, or never ends."""
        while len(data.matrix) > self.most:
            time.sleep(0.1)
        return super().fit(data, params, seed=seed, rounds=rounds)


class Patient(LocalPoolExecutor):
    """Two workers that keep the limits of what never ends, and wait for all else however busy the machine is."""

    def __init__(self) -> None:
        super().__init__(2)
        self.heard: dict[str, Limit] = {}

    def submit(self, unit: Any, limit: Limit = NO_LIMIT) -> None:
        """Note the limit of each family's units; for what never ends the budget is over in a second."""
        family: Linear = unit.family
        self.heard[family.name] = limit
        doomed = isinstance(family, Endless) and (family.most == 0 or isinstance(unit, RefitUnit))
        soon = min(limit.until, time.monotonic() + 1) if math.isfinite(limit.until) else math.inf
        super().submit(unit, Limit(limit.seconds, soon) if doomed else NO_LIMIT)


@pytest.fixture
def pool() -> Iterator[Patient]:
    """Two workers."""
    made = Patient()
    yield made
    made.close()


def test_a_candidate_that_never_ends_has_failed(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, pool: Patient
) -> None:
    """Each of its folds is ended after ``training.unit_minutes``; the linear model, beside it, is scored and wins."""
    split, problem = split_of(table, "churn", training=PLAN)
    run = train(split, problem, workspace, families={"linear": Linear(), "endless": Endless()}, executor=pool).record

    assert run.candidate("endless").status is CandidateStatus.FAILED
    assert run.candidate("endless").error == "fold 1: ended after 2 s: training.unit_minutes"
    assert run.candidate("linear").status is CandidateStatus.DONE
    assert run.winner == "linear"
    assert not run.interrupted
    assert pool.heard == {"linear": Limit(LIMIT_S), "endless": Limit(LIMIT_S)}


def test_beyond_its_budget_a_candidate_is_interrupted(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, pool: Patient
) -> None:
    """It is ended at no fault of its own, the record says that the budget did it, and a replay does without it."""
    split, problem = split_of(table, "churn", training={**PLAN, "budget": "5m", "unit_minutes": 60})
    families = {"linear": Linear(), "endless": Endless()}
    first = train(split, problem, workspace, families=families, executor=pool)
    again = repeat(first.record, split, problem, workspace, families=families, executor=pool)
    endless = first.record.candidate("endless")

    assert (endless.status, endless.error) == (CandidateStatus.INTERRUPTED, "stopped after 0 of 2 folds")
    assert first.record.truncated == "The budget of 300 s ended the search after linear-tuned-1; not done: endless."
    assert not first.record.interrupted
    assert complete(again.record) == complete(first.record)
    assert [item.name for item in again.record.candidates if item.name == "endless"] == []
    assert pool.heard["linear"] == Limit(3_600)  # of the replay
    rows = split.validation.frame
    np.testing.assert_array_equal(again.model("final").predict(rows), first.model("final").predict(rows))


def complete(run: TrainingRun) -> dict[str, tuple[float, ...]]:
    """Scores of the candidates that came to their end."""
    return {item.name: item.fold_scores for item in run.candidates if item.is_complete}


def test_the_first_candidate_hears_no_budget_but_the_general_limit(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, pool: Patient
) -> None:
    """With no time at all the linear model still comes; one that would never come is ended, and that is an error."""
    split, problem = split_of(table, "churn", training={**PLAN, "budget": "0s"})

    assert train(split, problem, workspace, families={"linear": Linear()}, executor=pool).record.winner == "linear"
    assert pool.heard == {"linear": Limit(LIMIT_S)}

    with pytest.raises(ModelyardError, match="no candidate could be fitted; got linear: fold 1: ended after 2 s"):
        train(split, problem, workspace, families={"linear": Endless("linear")}, executor=pool)


def test_a_refit_that_never_ends_says_what_to_do(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, pool: Patient
) -> None:
    """The folds are learnt, all rows are not: the winner has a limit too."""
    split, problem = split_of(table, "churn", training=PLAN)
    enough = Endless("linear", most=len(split.train.frame) - 1)

    with pytest.raises(
        ModelyardError, match=r"cannot be fitted on all rows.*ended after 2 s.*raise training\.unit_min"
    ):
        train(split, problem, workspace, families={"linear": enough}, executor=pool)

    assert [path.name for path in workspace.folder("runs").glob("[!.]*")] == []


def test_a_limit_takes_a_worker_process(split_of: MakeSplit, table: pl.DataFrame) -> None:
    """One worker computes in this process only if nothing may have to be ended."""
    chosen = {}
    for name, plan in (
        ("general", {}),
        ("budget", {"unit_minutes": None, "budget": "1m"}),
        ("none", {"unit_minutes": None}),
        ("named", {"executor": "in_process"}),
    ):
        _, problem = split_of(table, "churn", training={"workers": 1, **plan})
        chosen[name] = type(default_executor(problem))

    assert chosen == {
        "general": LocalPoolExecutor,
        "budget": LocalPoolExecutor,
        "none": InProcessExecutor,
        "named": InProcessExecutor,
    }


def test_a_limit_that_cannot_be_kept_is_refused() -> None:
    """One's own process cannot be ended, so a limit that is asked for beside it is a contradiction."""
    with pytest.raises(ValidationError, match="in_process cannot end a fit"):
        TrainingPlan.model_validate({"executor": "in_process", "unit_minutes": 5})

    assert TrainingPlan.model_validate({"executor": "in_process"}).unit_s is None
    assert TrainingPlan().unit_s == 3_600


def test_the_clock_ends_units_a_little_after_its_time() -> None:
    """Five hundredths of the budget beyond the time for folds, what the refit will take set aside; never if one must end."""
    clock = Clock(100, unit_s=60)
    limit = clock.limit()

    assert limit.seconds == 60
    assert limit.until - time.monotonic() == pytest.approx(100 + 5 - 10, abs=1)
    assert clock.limit(must_end=True).until == float("inf")
    assert Clock(None).limit().ends_at(0.0) == float("inf")
