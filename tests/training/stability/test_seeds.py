"""The winner with other seeds: what is deterministic is left alone, what hangs on the seed is said, and averaged."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.core import ProgressEvent
from modelyard.data import Split
from modelyard.packaging.compile import compile_estimator
from modelyard.problem import Problem, Task
from modelyard.store import Workspace
from modelyard.training.blending import BlendEstimator
from modelyard.training.engine import train
from modelyard.training.families.family import Dimension, Family, FitData, Fitted
from modelyard.training.families.forests.random_forest import RandomForest
from modelyard.training.families.linear import Linear
from modelyard.training.run import StoredRun
from modelyard.training.target import encode_target

MakeSplit = Callable[..., tuple[Split, Problem]]
PLAN = {"folds": 3, "tuning_rounds": 0, "workers": 1, "blend": False, "families": ["random_forest"]}


@dataclasses.dataclass(frozen=True)
class Restless(RandomForest):
    """One tree that sees few features at a time: it hangs on its seed."""

    def space(self, task: Task) -> Mapping[str, Dimension]:
        """Nothing to tune."""
        return {}

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:
        """A tree of a tenth of the rows."""
        taken = np.random.default_rng(seed).random(len(data.target)) < 0.15
        taken[:4] = True
        return super().fit(data.rows(taken), params, seed=seed, rounds=rounds)


def run_of(
    split_of: MakeSplit, workspace: Workspace, table: pl.DataFrame, family: Family, **changes: Any
) -> tuple[StoredRun, Split]:
    """A run of one family."""
    split, problem = split_of(table, "churn", training={**PLAN, **changes})
    return train(split, problem, workspace, families={family.name: family}), split


def test_a_deterministic_winner_is_fitted_with_one_more_seed_only(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame
) -> None:
    """The second seed gives the same predictions: that is said, and nothing is averaged."""
    split, problem = split_of(table, "churn", training={**PLAN, "families": ["linear"], "seeds": 5})
    events: list[ProgressEvent] = []
    run = train(split, problem, workspace, families={"linear": Linear()}, progress=events.append).record

    assert run.winner.startswith("linear")
    assert run.seeds is not None
    assert (run.seeds.by_seed, run.seeds.averaged, run.seeds.unstable) == (0.0, 1, False)
    assert "linear is deterministic: another seed gives the same predictions" in run.why
    assert [event.step for event in events if event.step.startswith("seed")] == ["seed 2"] * 3


def test_the_winner_becomes_the_mean_of_its_seeds(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame
) -> None:
    """Three forests of equal weight and different seeds; out-of-fold predictions and models are their means."""
    run, split = run_of(split_of, workspace, table, RandomForest(trees=4), seeds=3)
    plain, _ = run_of(split_of, workspace, table, RandomForest(trees=4))
    record, found = run.record, run.record.seeds
    assert found is not None
    model = run.model("development")
    estimator = model.estimator
    assert isinstance(estimator, BlendEstimator)
    frame = split.validation.frame
    parts = [member.estimator.predict_proba(model.encoder.transform(frame))[:, 1] for member in estimator.members]

    assert record.winner == "random_forest-seeds"
    assert record.candidate("random_forest-seeds").seeds == {"random_forest": 3}
    assert [member.weight for member in estimator.members] == [pytest.approx(1 / 3)] * 3
    assert not np.array_equal(parts[0], parts[1])
    assert np.allclose(model.predict(frame), np.mean(parts, axis=0))
    native = compile_estimator(estimator, Task.BINARY, model.family)
    assert np.allclose(native.predict_matrix(model.encoder.transform(frame))[:, -1], model.predict(frame))
    assert np.array_equal(parts[0], plain.model("development").predict(frame))
    assert found.scores[0] == plain.record.candidate("random_forest").fold_scores
    assert found.by_seed == pytest.approx(np.sqrt(np.var(found.scores, axis=0, ddof=1).mean()))
    assert found.by_fold >= np.std(np.mean(found.scores, axis=0), ddof=1) - 1e-12
    assert (record.candidate("random_forest-seeds").mean or 0.0) > np.mean(found.scores) - 1e-9
    assert "The winner is the mean of the 3" in record.why
    assert plain.record.seeds is None


def test_auto_averages_what_hangs_on_its_seed(workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame) -> None:
    """A tree of few rows is unstable and is averaged; a forest of many trees is steady and stays one."""
    restless, _ = run_of(split_of, workspace, table, Restless(trees=1), seeds="auto")
    steady, _ = run_of(split_of, workspace, table, RandomForest(trees=60), seeds="auto")
    unstable, calm = restless.record.seeds, steady.record.seeds
    assert unstable is not None
    assert calm is not None

    assert unstable.unstable
    assert unstable.averaged == 3
    assert restless.record.winner == "random_forest-seeds"
    assert "it is unstable, as the seed moves it more than half as much as the rows do" in restless.record.why
    assert calm.by_seed < 0.5 * calm.by_fold
    assert (calm.unstable, calm.averaged) == (False, 1)
    assert steady.record.winner == "random_forest"


@pytest.mark.slow
def test_a_mean_that_breaks_a_constraint_is_not_made(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame
) -> None:
    """One forest is small enough, three are not: one is kept, and the run says why."""
    run, _ = run_of(split_of, workspace, table, RandomForest(trees=4))
    size = run.record.candidate("random_forest").size_mb
    assert size is not None
    split, problem = split_of(
        table,
        "churn",
        training={**PLAN, "seeds": 3},
        constraints={"model_size_mb": 2 * size},
    )
    record = train(split, problem, workspace, families={"random_forest": RandomForest(trees=4)}).record

    assert record.winner == "random_forest"
    assert record.seeds is not None
    assert record.seeds.averaged == 1
    assert "The mean of the seeds breaks a constraint" in record.why


def test_a_blend_averages_its_restless_members_only(workspace: Workspace, split_of: MakeSplit) -> None:
    """Forest and linear model together: the forest is fitted twice, the linear model once, and weights sum to one."""
    generator = np.random.default_rng(5)
    matrix = generator.normal(size=(500, 5))
    amount = 3 * matrix[:, 0] + 4 * (matrix[:, 1] > 0) * (matrix[:, 2] > 0) + generator.normal(size=500)
    frame = pl.DataFrame({**{f"x{index}": matrix[:, index] for index in range(5)}, "amount": amount})
    families: dict[str, Family] = {"linear": Linear(), "random_forest": RandomForest(trees=20)}
    training = {**PLAN, "blend": True, "families": [*families], "prefer": "best", "seeds": 2}
    split, problem = split_of(frame, "amount", training=training)
    run = train(split, problem, workspace, families=families)
    estimator = run.model("final").estimator
    assert isinstance(estimator, BlendEstimator)
    truth = encode_target(split.validation.frame["amount"], Task.REGRESSION, ())

    assert run.record.winner == "blend-seeds"
    assert run.record.candidate("blend-seeds").seeds == {"random_forest": 2}
    assert sorted(member.name for member in estimator.members) == ["linear", "random_forest", "random_forest"]
    assert sum(member.weight for member in estimator.members) == pytest.approx(1.0)
    assert np.corrcoef(run.model("development").predict(split.validation.frame), truth)[0, 1] > 0.9
