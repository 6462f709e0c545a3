"""Two simple models come first, what later figures are held against is in the leaderboard, and trees never say never."""

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.data import Split
from modelyard.problem import Problem, Task
from modelyard.store import Workspace
from modelyard.training import CandidateStatus, InProcessExecutor
from modelyard.training.engine import train
from modelyard.training.families.family import Family, FitData
from modelyard.training.families.forests.decision_tree import DecisionTree
from modelyard.training.families.forests.shallow_tree import ShallowTree

MakeSplit = Callable[..., tuple[Split, Problem]]
Families = Mapping[str, Family]
PLAN = {"folds": 3, "tuning_rounds": 2, "workers": 1, "learning_curve": False}


def test_a_shallow_tree_stands_beside_the_linear_model(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """Without naming families it is tried second, on all folds, once; it is not tuned."""
    families = {"linear": quick_families["linear"], "shallow_tree": ShallowTree(), **quick_families}
    split, problem = split_of(table, "churn", data={"positive": "yes"}, training=PLAN)
    record = train(split, problem, workspace, families=families, executor=InProcessExecutor()).record
    tree = record.candidate("shallow_tree")

    assert [item.name for item in record.candidates][:3] == ["naive", "linear", "shallow_tree"]
    assert (tree.status, len(tree.fold_scores), tree.complexity) == (CandidateStatus.DONE, 3, 1)
    assert 0.6 < (tree.mean or 0) < (record.candidate("linear").mean or 0)
    assert not any(item.name.startswith("shallow_tree-tuned") for item in record.candidates)


def test_where_three_questions_are_the_truth_it_wins(workspace: Workspace, split_of: MakeSplit) -> None:
    """A rule of two thresholds: the forest is no better, so the tree that can be read is taken, with eight leaves at most."""
    generator = np.random.default_rng(1)
    age, debt = generator.uniform(18, 80, 900), generator.uniform(0, 50, 900)
    risky = ((age < 30) & (debt > 20)) | (debt > 45)
    late = np.where(generator.random(900) < np.where(risky, 0.9, 0.05), "yes", "no")
    split, problem = split_of(
        pl.DataFrame({"age": age, "debt": debt, "late": late}),
        "late",
        data={"positive": "yes"},
        training={**PLAN, "families": ["linear", "shallow_tree", "random_forest"], "tuning_rounds": 0, "blend": False},
    )
    run = train(split, problem, workspace, executor=InProcessExecutor())
    model = run.model("development")
    tree = model.estimator.members[0].estimator if run.record.winner.endswith("-calibrated") else model.estimator

    assert run.record.winner.removesuffix("-calibrated") == "shallow_tree"
    assert tree.get_depth() <= 3


@pytest.mark.parametrize("family", [ShallowTree(), DecisionTree()])
def test_no_leaf_calls_a_class_impossible(family: Family) -> None:
    """Thirty rows of one class leave the others the share that one row of the whole would give them."""
    value = np.arange(90.0)
    classes = np.repeat([0.0, 1.0, 2.0], 30)
    data = FitData(Task.MULTICLASS, value[:, np.newaxis], classes, np.zeros(90, dtype=bool))
    answers = family.fit(data, family.defaults(Task.MULTICLASS), seed=0).estimator.predict_proba(
        value[[0, 45, 89], None]
    )

    rare = (1 / 3) / 31
    np.testing.assert_allclose(answers, np.where(np.eye(3, dtype=bool), 1 - 2 * rare, rare))


@given(st.lists(st.integers(0, 1), min_size=120, max_size=120).filter(lambda drawn: 0 < sum(drawn) < 120))
@settings(max_examples=30, deadline=None)
def test_softer_leaves_keep_a_constraint(drawn: list[int]) -> None:
    """Leaves of any size: where chances must not fall they do not."""
    value = np.arange(120.0)
    data = FitData(
        Task.BINARY, value[:, np.newaxis], np.array(drawn, dtype=float), np.zeros(120, dtype=bool), monotone=(1,)
    )
    tree = DecisionTree().fit(data, {"max_leaf_nodes": 12, "min_samples_leaf": 3}, seed=0).estimator
    chances = tree.predict_proba(value[:, np.newaxis])[:, 1]

    assert (np.diff(chances) >= -1e-12).all()
    assert 0 < chances.min() <= chances.max() < 1
