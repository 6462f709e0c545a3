"""Rows, columns and workers that fail a fold: training goes on, or says what is wrong.

Other faults have a place of their own: infinities and a full disk in ``tests/bad_input``, a metric that raises in
``test_custom_metrics.py``, a budget that is too small in ``test_budget.py``, fits that never end in ``test_unending.py``.
"""

import dataclasses
import os
import resource
import signal
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.core import DataError
from modelyard.data import Split
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.training import CandidateStatus, InProcessExecutor, LocalPoolExecutor
from modelyard.training.engine import train
from modelyard.training.families.family import Family, FitData, Fitted
from modelyard.training.families.linear import Linear
from modelyard.training.run import StoredRun

MakeSplit = Callable[..., tuple[Split, Problem]]
Families = Mapping[str, Family]
PLAN: Mapping[str, Any] = {
    "folds": 5,
    "tuning_rounds": 0,
    "workers": 1,
    "unit_minutes": None,
    "learning_curve": False,
    "imbalance": False,
}


def trained(split: Split, problem: Problem, workspace: Workspace, families: Families) -> StoredRun:
    """A run in this process."""
    return train(split, problem, workspace, families=families, executor=InProcessExecutor())


def assert_all_scored(run: StoredRun, families: Families) -> None:
    """Every family has a finite score on each fold."""
    for name in families:
        candidate = run.record.candidate(name)
        assert (name, candidate.status, candidate.error) == (name, CandidateStatus.DONE, "")
        assert len(candidate.fold_scores) == run.record.folds
        assert np.isfinite(candidate.fold_scores).all()


def test_a_class_vanishes_from_the_rows_learnt_from(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """Four rows of a class among five folds: some folds learn without it, some hold none; it has its place in answers."""
    rare = pl.when(pl.int_range(len(table)).is_in([10, 110, 210, 310])).then(pl.lit("odd")).otherwise("level")
    split, problem = split_of(table.with_columns(level=rare), "level", training=PLAN)
    run = trained(split, problem, workspace, quick_families)
    counts = [
        int((split.train.frame["level"].to_numpy()[run.fold_of_row() == fold] == "odd").sum())
        for fold in range(run.record.folds)
    ]

    assert "odd" in run.record.classes
    assert min(counts) == 0
    assert_all_scored(run, quick_families)
    for name in quick_families:
        answers = run.out_of_fold(name)
        assert answers.shape == (len(split.train.frame), 4)
        np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)


def test_a_class_comes_late_in_time(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """Walking forward, early folds know one class only: they are left out, and the others are scored."""
    late = table.with_columns(churn=pl.when(pl.col("day") < 30).then(pl.lit("no")).otherwise("churn"))
    split, problem = split_of(late, "churn", data={"time": "day", "positive": "yes"}, training=PLAN)
    run = trained(split, problem, workspace, quick_families)

    assert run.record.fold_strategy == "time"
    assert 2 <= run.record.folds < 5
    assert_all_scored(run, quick_families)


def test_fewer_groups_than_folds(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """As many folds as there are groups; one group alone is refused."""
    few = table.with_columns(household=pl.int_range(len(table)) % 6)
    split, problem = split_of(few, "churn", data={"group": "household", "positive": "yes"}, training=PLAN)
    groups = split.train.frame["household"].n_unique()
    run = trained(split, problem, workspace, quick_families)

    assert 2 <= groups < 5
    assert (run.record.fold_strategy, run.record.folds) == ("group", groups)
    assert_all_scored(run, quick_families)

    alone = few.with_columns(household=pl.int_range(len(table)) // (len(table) // 3 + 1))
    split, problem = split_of(alone, "churn", data={"group": "household", "positive": "yes"}, training=PLAN)
    assert split.train.frame["household"].n_unique() == 1
    with pytest.raises(DataError, match=r"cannot be divided into two folds.*Bring more rows, groups or moments"):
        trained(split, problem, workspace, quick_families)


def test_a_feature_is_constant_inside_a_fold(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """One row alone has another number, another category, a value at all: where it is held out, nothing varies."""
    one = pl.int_range(len(table)) == 0
    odd = table.with_columns(
        number=pl.when(one).then(7.5).otherwise(1.0),
        category=pl.when(one).then(pl.lit("x")).otherwise(pl.lit("y")),
        value=pl.when(one).then(3.0).otherwise(None),
    )
    for target in ("churn", "amount"):
        split, problem = split_of(odd, target, training=PLAN)
        assert_all_scored(trained(split, problem, workspace, quick_families), quick_families)


@dataclasses.dataclass(frozen=True)
class Hungry(Linear):
    """Wants more memory than there is: refused by the system, or killed by the kernel."""

    name: str = "hungry"
    killed: bool = False

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:
        """Never fits."""
        if self.killed:
            os.kill(os.getpid(), signal.SIGKILL)
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, hard))
        np.ones((2**30, 8))
        return super().fit(data, params, seed=seed, rounds=rounds)


@pytest.fixture
def pool() -> Iterator[LocalPoolExecutor]:
    """Two workers."""
    made = LocalPoolExecutor(2)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("killed", "error"), [(True, "fold 1: the worker process died (out of memory"), (False, "fold 1: MemoryError: ")]
)
def test_a_worker_has_no_memory(
    workspace: Workspace,
    split_of: MakeSplit,
    table: pl.DataFrame,
    pool: LocalPoolExecutor,
    killed: bool,
    error: str,
) -> None:
    """The candidate that wants it has failed and says why; the one beside it is scored, and wins."""
    split, problem = split_of(table, "churn", training={**PLAN, "folds": 2, "families": ["linear"]})
    families = {"linear": Linear(), "hungry": Hungry(killed=killed)}
    run = train(split, problem, workspace, families=families, executor=pool).record

    assert run.candidate("hungry").status is CandidateStatus.FAILED
    assert error in run.candidate("hungry").error
    assert run.candidate("linear").status is CandidateStatus.DONE
    assert run.winner == "linear"
