"""Searches within training: the same on any number of workers, resumed, repeated, and with unlike scores kept apart."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.core import ProgressEvent
from modelyard.data import Split
from modelyard.problem import Problem, Task
from modelyard.store import Workspace
from modelyard.training import CandidateStatus, InProcessExecutor, LocalPoolExecutor, TrainingRun
from modelyard.training.engine import repeat, train
from modelyard.training.families.family import Family
from modelyard.training.families.forests.decision_tree import DecisionTree
from modelyard.training.run import StoredRun

MakeSplit = Callable[..., tuple[Split, Problem]]
PLAN = {"folds": 3, "workers": 1, "learning_curve": False, "blend": False, "families": ["decision_tree"]}
FAMILIES: Mapping[str, Family] = {"decision_tree": DecisionTree()}


def noisy(rows: int = 600) -> pl.DataFrame:
    """A step in two numbers among six, with noise: leaves of few rows learn the noise."""
    generator = np.random.default_rng(1)
    x = generator.uniform(size=(rows, 6))
    chance = np.where((x[:, 0] > 0.5) & (x[:, 1] > 0.4), 0.85, 0.15)
    churn = np.where(generator.random(rows) < chance, "yes", "no")
    return pl.DataFrame({f"x{place}": x[:, place] for place in range(6)}).with_columns(churn=pl.Series(churn))


@pytest.fixture
def low_ladder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rungs on as few rows as a test has."""
    monkeypatch.setattr("modelyard.training.planning.searching._LEAST_ROWS", 30)


def leaderboard(run: TrainingRun) -> list[tuple[Any, ...]]:
    """All that must not depend on where, when and how often units ran."""
    return [
        (item.name, item.status, item.fold_scores, dict(item.params), item.mean, item.rows) for item in run.candidates
    ]


def trained(workspace: Workspace, pair: tuple[Split, Problem], **how: Any) -> StoredRun:
    """A run, in this process unless said otherwise."""
    split, problem = pair
    return train(split, problem, workspace, families=FAMILIES, **{"executor": InProcessExecutor(), **how})


@pytest.mark.usefixtures("low_ladder")
def test_halving_is_the_same_with_two_workers_and_when_repeated(workspace: Workspace, split_of: MakeSplit) -> None:
    """Bit for bit, resampled rows too; the plan that was stored beforehand names search, rungs and space."""
    space = {"decision_tree": {"min_samples_leaf": [2, 10, 40, 100]}}
    plan = {**PLAN, "tuning_rounds": 2, "search": "halving", "space": space, "resampling": "smote"}
    split, problem = pair = split_of(noisy(), "churn", data={"positive": "yes"}, training=plan)
    alone = trained(workspace, pair)
    pool = LocalPoolExecutor(workers=2)
    pooled = trained(workspace, pair, executor=pool)
    pool.close()
    again = repeat(alone.record, split, problem, workspace, families=FAMILIES, executor=InProcessExecutor())
    work = alone.record.work

    assert leaderboard(pooled.record) == leaderboard(alone.record) == leaderboard(again.record)
    assert alone.record.winner == again.record.winner
    assert work is not None
    assert [rung.configurations for rung in work.search.rungs] == [6, 2, 1]
    assert work.resampling == "smote"
    assert work.search.space["decision_tree"]["min_samples_leaf"].choices == (2, 10, 40, 100)


@pytest.mark.usefixtures("low_ladder")
def test_candidates_of_lower_rungs_cannot_win_and_are_compared_with_nobody(
    workspace: Workspace, split_of: MakeSplit
) -> None:
    """They have a status, the rows they saw and their fold scores, but no mean; nor out-of-fold predictions."""
    plan = {**PLAN, "tuning_rounds": 4, "search": "halving"}
    run = trained(workspace, split_of(noisy(), "churn", data={"positive": "yes"}, training=plan))
    partial = [item for item in run.record.candidates if item.status is CandidateStatus.PARTIAL]
    whole = [item for item in run.record.candidates if "-tuned-" in item.name and item.is_complete]
    names = [item.name for item in partial]

    assert len(partial) == 16
    assert [item.rows for item in partial] == [31] * 12 + [93] * 4
    assert {(item.mean, item.sd, len(item.fold_scores)) for item in partial} == {(None, None, 3)}
    assert names[0] == "decision_tree-tuned-1-rung-1"
    assert partial[0].error == "tried on about 31 of 280 rows a fold"
    assert len(whole) == 1
    assert whole[0].rows is None
    assert run.record.winner not in names
    assert "Tried on fewer rows alone, by successive halving: 16 times." in run.record.why
    assert not {path.stem for path in (run.folder / "out-of-fold").iterdir()} & set(names)


@pytest.mark.usefixtures("low_ladder")
def test_the_survivor_is_the_best_of_all_on_an_easy_problem(workspace: Workspace, split_of: MakeSplit) -> None:
    """Five sizes of leaves, tried in full by a grid and by halving: both name the same size."""
    space = {"decision_tree": {"max_leaf_nodes": [2, 3, 30, 100, 300]}}
    plan = {**PLAN, "space": space, "params": {"decision_tree": {"min_samples_leaf": 1}}}
    found = {}
    for search, rounds in (("grid", 5), ("halving", 3)):
        pair = split_of(
            noisy(1_500),
            "churn",
            data={"positive": "yes"},
            training={**plan, "search": search, "tuning_rounds": rounds},
        )
        run = trained(workspace, pair)
        tuned = [item for item in run.record.candidates if "-tuned-" in item.name and item.is_complete]
        found[search] = max(tuned, key=lambda item: item.mean or 0.0).params

    assert found["halving"] == found["grid"]


@pytest.mark.usefixtures("low_ladder")
@pytest.mark.parametrize("search", ["halving", "random"])
def test_a_search_that_was_stopped_goes_on(workspace: Workspace, split_of: MakeSplit, search: str) -> None:
    """Ctrl-C in the middle of tuning; the next call finds what was finished, and ends like one in one go."""
    pair = split_of(noisy(), "churn", data={"positive": "yes"}, training={**PLAN, "tuning_rounds": 3, "search": search})
    seen: list[ProgressEvent] = []

    def stop(event: ProgressEvent) -> None:
        seen.append(event)
        if len(seen) == 10:
            raise KeyboardInterrupt

    stopped = trained(workspace, pair, progress=stop)
    events: list[ProgressEvent] = []
    resumed = trained(workspace, pair, progress=events.append)
    whole = trained(workspace, pair, resume=False)

    assert stopped.record.interrupted
    assert sum("finished before" in event.message for event in events) == 10
    assert leaderboard(resumed.record) == leaderboard(whole.record)
    tuning = [event for event in events if event.step == "tuning"]
    assert [event.done for event in tuning] == list(range(1, len(tuning) + 1))
    assert {event.total for event in tuning} == {len(tuning)}


def test_a_grid_is_tried_whole(workspace: Workspace, split_of: MakeSplit) -> None:
    """Six points, but for the one that is the family's default, which was tried already."""
    space = {"decision_tree": {"max_leaf_nodes": [8, 32], "min_samples_leaf": [5, 20, 60]}}
    pair = split_of(noisy(300), "churn", training={**PLAN, "tuning_rounds": 6, "search": "grid", "space": space})
    record = trained(workspace, pair).record
    tried = sorted(
        (item.params["max_leaf_nodes"], item.params["min_samples_leaf"])
        for item in record.candidates
        if item.family == "decision_tree"
    )

    assert tried == [(leaves, rows) for leaves in (8, 32) for rows in (5, 20, 60)]


def test_an_estimator_of_ones_own_is_tuned(workspace: Workspace, split_of: MakeSplit) -> None:
    """With a space it takes part in tuning; words and numbers among the choices arrive as they are."""
    own = {"path": "sklearn.ensemble.RandomForestClassifier", "params": {"n_estimators": 5}}
    plan = {
        "folds": 2,
        "workers": 1,
        "tuning_rounds": 4,
        "families": ["linear"],
        "search": "random",
        "custom": {"own": own},
        "space": {"own": {"max_features": ["sqrt", 0.9], "max_depth": {"low": 2, "high": 5}}},
    }
    split, problem = split_of(noisy(300), "churn", training=plan)
    record = train(split, problem, workspace, executor=InProcessExecutor()).record
    tuned = [item for item in record.candidates if "-tuned-" in item.name]

    assert len(tuned) == 4
    assert {item.family for item in tuned} == {"own"}
    assert all(item.is_complete for item in tuned)
    assert {item.params["max_features"] for item in tuned} <= {"sqrt", 0.9}
    assert {item.params["max_depth"] for item in tuned} <= {2, 3, 4, 5}


def test_a_run_of_an_earlier_version_is_read(workspace: Workspace, split_of: MakeSplit) -> None:
    """Its plan names no search, which then was Bayesian; its candidates name no rows."""
    pair = split_of(noisy(300), "churn", training={**PLAN, "tuning_rounds": 0})
    record = trained(workspace, pair).record
    data = json.loads(json.dumps(record.to_dict()))
    del data["work"]["search"]
    for item in data["candidates"]:
        del item["rows"]

    assert TrainingRun.from_dict(data) == record
    assert record.work == dataclasses.replace(record.work) if record.work else False
    assert record.task is Task.BINARY
