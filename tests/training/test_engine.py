"""Training from a split to a stored winner, on each task; stopped, killed, failing, and without anything to learn."""

import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.waiting import comes_true

from modelyard.core import ConfigError, DataError, ModelyardError, ProgressEvent, StateError
from modelyard.data import Split, load_split
from modelyard.problem import Problem, Task
from modelyard.store import LocalTracker, Workspace
from modelyard.training import CandidateRole, CandidateStatus, InProcessExecutor, LocalPoolExecutor, TrainingRun
from modelyard.training.engine import train
from modelyard.training.families.family import Family, FitData, Fitted
from modelyard.training.families.linear import Linear
from modelyard.training.metrics import score
from modelyard.training.run import load_run
from modelyard.training.target import encode_target

MakeSplit = Callable[..., tuple[Split, Problem]]
Families = Mapping[str, Family]
PLAN = {"folds": 3, "tuning_rounds": 2, "workers": 1, "unit_minutes": None}


@dataclasses.dataclass(frozen=True)
class Broken(Linear):
    """A family of one's own that cannot be fitted."""

    name: str = "broken"

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:
        """Always fails."""
        raise RuntimeError("no such luck")


def leaderboard(run: TrainingRun) -> list[tuple[Any, ...]]:
    """All that must not depend on where and when units ran."""
    return [
        (item.name, item.status, item.fold_scores, dict(item.params), item.rounds, item.mean, item.sd)
        for item in run.candidates
    ]


def test_binary(workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families) -> None:
    """Baselines first, then families, then tuning; the winner predicts P(positive) on rows it has not seen."""
    split, problem = split_of(
        table, "churn", data={"positive": "yes"}, existing_system={"rule": "tenure < 15"}, training=PLAN
    )
    run = train(split, problem, workspace, families=quick_families)
    names = [item.name for item in run.record.candidates]
    truth = encode_target(split.validation.frame["churn"], Task.BINARY, run.record.classes)

    assert names[:6] == ["naive", "existing", "linear", "random_forest", "lightgbm", "xgboost"]
    assert [name.split("-")[1:] for name in names[6:8]] == [["tuned", "1"], ["tuned", "2"]]
    assert names[8:] == ["blend"]
    assert run.record.classes == ("no", "yes")
    assert all(item.is_complete for item in run.record.candidates)
    assert [item.role for item in run.record.candidates[:3]] == [
        CandidateRole.BASELINE,
        CandidateRole.BASELINE,
        CandidateRole.CANDIDATE,
    ]
    assert run.record.candidate("naive").mean == 0.5
    assert score("roc_auc", truth, run.model("development").predict(split.validation.frame)) > 0.75
    assert run.record.winner in names[2:]
    assert "beats the naive baseline (0.5000 ± 0) beyond noise" in run.record.why
    assert not run.record.interrupted


def test_multiclass_on_wine(workspace: Workspace, split_of: MakeSplit, quick_families: Families) -> None:
    """Probabilities of three classes in the order of the record's classes, summing to one."""
    from sklearn.datasets import load_wine

    loaded = load_wine()
    frame = pl.DataFrame(loaded.data, schema=list(loaded.feature_names)).with_columns(
        pl.Series("cultivar", [f"cultivar {code}" for code in loaded.target])
    )
    split, problem = split_of(frame, "cultivar", training=PLAN)
    run = train(split, problem, workspace, families=quick_families)
    predicted = run.model("final").predict(split.validation.frame)
    truth = encode_target(split.validation.frame["cultivar"], Task.MULTICLASS, run.record.classes)

    assert run.record.task is Task.MULTICLASS
    assert run.record.metric == "log_loss"
    assert run.record.classes == ("cultivar 0", "cultivar 1", "cultivar 2")
    assert np.allclose(predicted.sum(axis=1), 1.0)
    assert (predicted.argmax(axis=1) == truth).mean() > 0.9
    assert run.out_of_fold(run.record.winner).shape == (len(split.train.frame), 3)
    assert run.record.candidate("naive").mean == pytest.approx(1.09, abs=0.02)


def test_regression_in_time(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """Walk-forward folds: the first block is never held out, and out-of-fold predictions say so."""
    split, problem = split_of(table, "amount", data={"time": "day"}, training=PLAN)
    run = train(split, problem, workspace, families=quick_families)
    never = run.fold_of_row() == -1

    assert run.record.fold_strategy == "time"
    assert "day" not in [column.name for column in run.record.columns]
    assert never.sum() == pytest.approx(len(never) / 4, rel=0.1)
    assert np.array_equal(np.isnan(run.out_of_fold("linear")), never)
    winner = run.record.candidate(run.record.winner)
    naive = run.record.candidate("naive")
    assert winner.mean is not None
    assert naive.mean is not None
    assert winner.mean < 0.8 * naive.mean


def test_groups_are_kept_whole(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """No household is in two folds."""
    split, problem = split_of(table, "churn", data={"group": "household"}, training={**PLAN, "tuning_rounds": 0})
    run = train(split, problem, workspace, families=quick_families)
    owners = pl.DataFrame({"household": split.train.frame["household"], "fold": run.fold_of_row()})

    assert run.record.fold_strategy == "group"
    assert (
        owners.group_by("household").agg(pl.col("fold").n_unique())["fold"].to_list()
        == [1] * owners["household"].n_unique()
    )


def test_final_model_learns_from_validation_too(workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame) -> None:
    """The development model knows the training part only; the final one learnt from both parts."""
    split, problem = split_of(table, "amount", training={**PLAN, "tuning_rounds": 0, "families": ["linear"]})
    run = train(split, problem, workspace)
    centers = {
        which: next(item for item in run.model(which).encoder.encodings_ if item.column == "tenure").to_dict()["center"]
        for which in ("development", "final")
    }

    assert centers["development"] == pytest.approx(split.train.frame["tenure"].mean())
    assert centers["final"] == pytest.approx(split.development.frame["tenure"].mean())


def test_executors_give_equal_leaderboards(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """In this process or in two others: the same scores, parameters, rounds and winner, bit for bit."""
    split, problem = split_of(table, "churn", training={**PLAN, "tuning_rounds": 5})
    alone = train(split, problem, workspace, executor=InProcessExecutor(), families=quick_families)
    pool = LocalPoolExecutor(workers=2)
    pooled = train(split, problem, workspace, executor=pool, families=quick_families)
    pool.close()

    assert leaderboard(pooled.record) == leaderboard(alone.record)
    assert (pooled.record.winner, pooled.record.plan) == (alone.record.winner, alone.record.plan)
    assert (pooled.record.learning_curve, pooled.record.validation_curve) == (
        alone.record.learning_curve,
        alone.record.validation_curve,
    )
    assert alone.record.validation_curve is not None
    assert np.array_equal(pooled.out_of_fold(pooled.record.winner), alone.out_of_fold(alone.record.winner))


def test_the_project_file_names_the_executor(workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame) -> None:
    """By the name under which it is registered; another name is refused, with those that there are."""
    plan = {**PLAN, "tuning_rounds": 0, "families": ["linear"], "executor": "in_process"}
    split, problem = split_of(table, "churn", training=plan)

    assert train(split, problem, workspace).record.winner == "linear"

    split, problem = split_of(table, "churn", training={**plan, "executor": "moon"})
    with pytest.raises(ConfigError, match=r"training\.executor: there is no executor of that name; got 'moon'"):
        train(split, problem, workspace)


@pytest.mark.parametrize("target", ["churn", "amount", "level"])
def test_nothing_beats_the_naive_answer_on_a_shuffled_target(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families, target: str
) -> None:
    """The wrong-way check: where there is nothing to learn, nothing is claimed."""
    shuffled = table.with_columns(pl.col(target).shuffle(seed=4))
    split, problem = split_of(shuffled, target, training=PLAN)
    run = train(split, problem, workspace, families=quick_families)
    model = run.model("final")
    predicted = model.predict(split.validation.frame)

    assert run.record.winner == "naive"
    assert "no candidate beats it beyond noise" in run.record.why
    assert np.ptp(predicted, axis=0).max() == 0.0
    assert model.family == "naive"


def test_a_failing_family_does_not_stop_the_others(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame
) -> None:
    """A family of one's own that raises is recorded with its error, and another one wins."""
    split, problem = split_of(table, "churn", training={**PLAN, "tuning_rounds": 0, "families": ["linear"]})
    run = train(split, problem, workspace, families={"linear": Linear(), "broken": Broken()})
    broken = run.record.candidate("broken")

    assert broken.status is CandidateStatus.FAILED
    assert broken.error == "fold 1: RuntimeError: no such luck"
    assert run.record.winner == "linear"
    assert "Failed: broken." in run.record.why
    with pytest.raises(StateError, match="no out-of-fold predictions"):
        run.out_of_fold("broken")


def test_if_nothing_can_be_fitted_it_is_an_error(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame
) -> None:
    """A search in which everything fails is a fault, and no run is stored that would hide it."""
    split, problem = split_of(table, "churn", training={**PLAN, "tuning_rounds": 0, "families": ["linear"]})
    with pytest.raises(ModelyardError, match="no candidate could be fitted; got linear: fold 1: RuntimeError: no such"):
        train(split, problem, workspace, families={"linear": Broken(name="linear")})

    assert [path.name[0] for path in workspace.folder("runs").iterdir()] == ["."]


def interrupt_after(units: int) -> Callable[[ProgressEvent], None]:
    """A listener that presses Ctrl-C after some units."""
    seen = []

    def listen(event: ProgressEvent) -> None:
        seen.append(event)
        if len(seen) == units:
            raise KeyboardInterrupt

    return listen


def test_ctrl_c_leaves_a_usable_result_and_the_next_call_continues(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """Complete candidates compete, the others are marked; then the rest is done, with the scores of a run in one go."""
    split, problem = split_of(table, "churn", training=PLAN)
    stopped = train(split, problem, workspace, progress=interrupt_after(4), families=quick_families)
    events: list[ProgressEvent] = []
    continued = train(split, problem, workspace, progress=events.append, families=quick_families)
    whole = train(split, problem, workspace, families=quick_families, resume=False)

    assert stopped.record.interrupted
    assert stopped.record.winner == "linear"
    assert [(item.name, item.status.value) for item in stopped.record.candidates] == [
        ("naive", "done"),
        ("linear", "done"),
        ("random_forest", "interrupted"),
        ("lightgbm", "interrupted"),
        ("xgboost", "interrupted"),
    ]
    assert sum("finished before" in event.message for event in events) == 4
    assert not continued.record.interrupted
    assert leaderboard(continued.record) == leaderboard(whole.record)
    assert load_run(stopped.record.id, workspace).record == stopped.record
    assert list(workspace.folder("runs").glob(".search-*")) == []


def test_ctrl_c_before_anything_is_complete_is_an_error(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """With no candidate to choose, nothing is stored, and the cure says that nothing is lost."""
    split, problem = split_of(table, "churn", training=PLAN)
    with pytest.raises(StateError, match=r"before any candidate was scored on all folds.*what was finished is kept"):
        train(split, problem, workspace, progress=interrupt_after(2), families=quick_families)

    assert [path.name[0] for path in workspace.folder("runs").iterdir()] == ["."]


def test_a_time_budget_stops_the_search(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """When the time is over, begun folds are finished and the rest is marked; here the clock stops it at once."""
    split, problem = split_of(table, "churn", training=PLAN, constraints={"training_minutes": 1e-9})
    with pytest.raises(StateError, match=r"raise constraints\.training_minutes"):
        train(split, problem, workspace, families=quick_families)


KILLED = """
    import sys
    from pathlib import Path
    from modelyard.data import load_split
    from modelyard.problem import Problem
    from modelyard.store import Workspace
    from modelyard.training.engine import train
    from modelyard.training.families.boosting.lightgbm import LightGBM
    from modelyard.training.families.linear import Linear
    from modelyard.training.families.forests.random_forest import RandomForest
    from modelyard.training.families.boosting.xgboost import XGBoost

    quick = (Linear(), RandomForest(trees=8), LightGBM(max_rounds=30, patience=5, fallback_rounds=10),
             XGBoost(max_rounds=30, patience=5, fallback_rounds=10))
    workspace = Workspace(Path(sys.argv[1]))
    problem = Problem.model_validate_json(sys.argv[2])
    show = lambda event: print(event.step, event.done, event.message, flush=True)
    train(load_split(sys.argv[3], workspace), problem, workspace, progress=show,
          families={family.name: family for family in quick})
"""


def test_a_killed_driver_loses_at_most_what_was_running(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """SIGKILL in the middle of a pooled run: no half result, no worker left, and the next call ends with equal scores."""
    split, problem = split_of(table, "churn", training={**PLAN, "workers": 2})
    arguments = [str(workspace.root), problem.model_dump_json(), split.record.id]
    driver = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), *arguments], stdout=subprocess.PIPE, text=True, process_group=0
    )
    assert driver.stdout is not None
    lines = [driver.stdout.readline() for _ in range(5)]
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    driver.stdout.close()
    events: list[ProgressEvent] = []
    again = load_split(split.record.id, workspace)
    resumed = train(
        again, problem, workspace, executor=InProcessExecutor(), progress=events.append, families=quick_families
    )
    whole = train(split, problem, workspace, executor=InProcessExecutor(), resume=False, families=quick_families)

    assert all(line.startswith("folds") for line in lines)
    assert sum("finished before" in event.message for event in events) >= 5
    assert leaderboard(resumed.record) == leaderboard(whole.record)
    assert resumed.record.winner == whole.record.winner
    assert comes_true(lambda: _group_is_gone(driver.pid), 20)


def _group_is_gone(group: int) -> bool:
    """Whether no process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def test_the_tracker_hears_of_everything(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, tmp_path: Path
) -> None:
    """The local tracker has a line for the start, each candidate, the winner's figures, the file and the end."""
    split, problem = split_of(table, "churn", training={**PLAN, "tuning_rounds": 0, "families": ["linear"]})
    train(split, problem, workspace, tracker=LocalTracker(tmp_path / "tracked"))
    lines = pl.read_ndjson(tmp_path / "tracked" / "tracking.jsonl")

    events = ["start", "dataset", "candidate", "candidate", "metrics", "artifact", "artifact", "artifact", "finish"]

    assert lines["event"].to_list() == events
    assert lines["status"][-1] == "finished"


def test_a_tracker_that_is_down_costs_a_warning_only(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    """The run is stored, and the log says that it is recorded locally only."""
    split, problem = split_of(
        table,
        "churn",
        training={**PLAN, "tuning_rounds": 0, "families": ["linear"]},
        tracking={"backend": "nowhere"},
    )
    run = train(split, problem, workspace)

    assert load_run(run.record.id, workspace).record == run.record
    assert "is recorded locally only: tracking.backend: there is no tracker of that name" in caplog.text


def test_a_metric_of_another_task_is_refused(workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame) -> None:
    """RMSE cannot select a classifier."""
    split, problem = split_of(table, "churn", metrics={"primary": "rmse"}, training=PLAN)
    with pytest.raises(ConfigError, match=r"not defined for a binary task; got 'rmse'\. Choose one of roc_auc"):
        train(split, problem, workspace)


def test_an_unknown_family_is_refused(workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame) -> None:
    """A family that the mapping lacks is named."""
    split, problem = split_of(table, "churn", training={**PLAN, "families": ["linear", "random_forest"]})
    with pytest.raises(ConfigError, match="no such family of models; got 'random_forest'"):
        train(split, problem, workspace, families={"linear": Linear()})


def test_too_few_positives_are_refused(workspace: Workspace, split_of: MakeSplit) -> None:
    """One positive row in the training part cannot be divided into folds."""
    frame = pl.DataFrame({"x": np.arange(40.0) % 7, "y": ["no"] * 38 + ["yes"] * 2})
    split, problem = split_of(frame, "y", training=PLAN)
    with pytest.raises(DataError, match="cannot be divided into two folds"):
        train(split, problem, workspace)
