"""Trials on the rows that they learnt from: a tree that is grown too far or not far enough is found out."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from modelyard.core import Progress, ProgressEvent, silent
from modelyard.data import Split
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.training import InProcessExecutor, LocalPoolExecutor
from modelyard.training.curves import ValidationCurve
from modelyard.training.curves.learnt import trials_are_affordable
from modelyard.training.engine import train
from modelyard.training.records import TrainingRun

MakeSplit = Callable[..., tuple[Split, Problem]]
LEAVES = [2, 4, 8, 16, 32, 64, 128, 256]
PLAN = {
    "families": ["decision_tree"],
    "params": {"decision_tree": {"min_samples_leaf": 2}},
    "space": {"decision_tree": {"max_leaf_nodes": LEAVES}},
    "search": "grid",
    "folds": 3,
    "workers": 1,
    "unit_minutes": None,
    "learning_curve": False,
}


@pytest.fixture
def stairs(split_of: MakeSplit) -> Callable[..., tuple[Split, Problem]]:
    """Sixteen steps under noise: a tree wants about as many leaves."""
    generator = np.random.default_rng(0)
    x = generator.uniform(0, 16, 1_200)
    table = pl.DataFrame({"x": x, "y": np.floor(x) + generator.normal(scale=4.0, size=len(x))})

    def split(**training: object) -> tuple[Split, Problem]:
        return split_of(table, "y", metrics={"primary": "rmse"}, training={**PLAN, **training})

    return split


def curve_of(run: TrainingRun) -> ValidationCurve:
    """The run's curve, which must be there."""
    assert run.validation_curve is not None
    return run.validation_curve


def test_both_faults_are_found(workspace: Workspace, stairs: MakeSplit) -> None:
    """Five trials have figures, which grow with the leaves; the words name both ends, in worker processes too."""
    split, problem = stairs(validation_curve=True)
    curve = curve_of(train(split, problem, workspace, executor=InProcessExecutor()).record)
    pool = LocalPoolExecutor(workers=2)
    again = curve_of(train(split, problem, workspace, executor=pool).record)
    pool.close()
    learnt = [trial.train for trial in curve.trials if trial.train is not None]

    assert curve.parameter == "max_leaf_nodes"
    assert len(learnt) == 5
    assert learnt == sorted(learnt, reverse=True)
    assert curve.trials[0].train is not None
    assert curve.trials[0].train == pytest.approx(curve.trials[0].score, rel=0.05)
    assert curve.diagnosis.startswith("Towards 2 it underfits: RMSE is ")
    assert "Towards 256 it overfits: RMSE is " in curve.diagnosis
    assert again == curve


def test_the_project_file_decides(workspace: Workspace, stairs: MakeSplit) -> None:
    """By itself it is left out where it costs too much; after Ctrl-C the run ends with what was known."""

    def run(progress: Progress = silent, **training: object) -> ValidationCurve:
        split, problem = stairs(**training)
        return curve_of(train(split, problem, workspace, progress=progress, resume=False).record)

    def stop(event: ProgressEvent) -> None:
        if event.step == "trials":
            raise KeyboardInterrupt

    for curve in (run(), run(validation_curve=False), run(stop, validation_curve=True)):
        assert {trial.train for trial in curve.trials} == {None}
        assert curve.diagnosis == ""


def test_auto_counts_what_was_tried(workspace: Workspace, stairs: MakeSplit) -> None:
    """Five of nine trees cost more than a quarter of all; of many more they do not."""
    split, problem = stairs(validation_curve=False)
    tried = train(split, problem, workspace).record.candidates
    trees = [item for item in tried if item.family == "decision_tree"][:5]

    assert not trials_are_affordable(tried, trees)
    assert trials_are_affordable(tried * 3, trees)
