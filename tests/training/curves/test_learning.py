"""The learning curve: planted truths are told apart, quiet ones stay quiet, and the figures are those of the folds."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from modelyard.core import Progress, ProgressEvent, silent
from modelyard.data import Split
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.training import InProcessExecutor
from modelyard.training.curves import LearningCurve, MoreRows
from modelyard.training.curves.learning import is_affordable
from modelyard.training.engine import train
from modelyard.training.families.family import Family
from modelyard.training.records import TrainingRun
from modelyard.training.run import load_run

MakeSplit = Callable[..., tuple[Split, Problem]]
Families = Mapping[str, Family]
PLAN = {
    "families": ["linear"],
    "folds": 3,
    "tuning_rounds": 0,
    "workers": 1,
    "unit_minutes": None,
    "learning_curve": True,
}


def planted(rows: int, columns: int, noise: float, scale: float = 1.0) -> pl.DataFrame:
    """A linear truth with noise."""
    generator = np.random.default_rng(0)
    matrix = generator.normal(size=(rows, columns))
    target = matrix @ (scale * generator.normal(size=columns)) + noise * generator.normal(size=rows)
    return pl.DataFrame({f"x{index}": matrix[:, index] for index in range(columns)} | {"amount": target})


def really(matrix: npt.NDArray[np.float64], rows: int) -> float:
    """The error after learning from that many rows, on the last thousands."""
    learnt, later = matrix[:rows], matrix[-4_000:]
    weights = np.linalg.lstsq(learnt[:, :-1], learnt[:, -1], rcond=None)[0]
    return float(np.sqrt(np.mean((later[:, -1] - later[:, :-1] @ weights) ** 2)))


def curve_of(run: TrainingRun) -> LearningCurve:
    """The run's curve, which must be there."""
    assert run.learning_curve is not None
    return run.learning_curve


def test_few_parameters_and_noise_are_learnt_soon(workspace: Workspace, split_of: MakeSplit) -> None:
    """A linear truth of four numbers needs no more rows, and its model does not overfit."""
    split, problem = split_of(planted(2_000, 4, 2.0), "amount", training=PLAN)
    curve = curve_of(train(split, problem, workspace).record)

    assert curve.more_rows is MoreRows.DO_NOT_HELP
    assert curve.answer.startswith("More rows of this kind do not help. Twice as many rows would improve RMSE by")
    assert curve.forecasts[0].high < curve.margin
    assert curve.diagnosis.startswith("It does not overfit: RMSE is ")


def test_many_parameters_want_more_rows(workspace: Workspace, split_of: MakeSplit) -> None:
    """With 80 numbers to learn from some 400 rows more help, and the forecast covers what more rows really bring."""
    plan = {"metrics": {"primary": "rmse"}, "training": PLAN, "features": {"selection": "none"}}
    truth = planted(12_000, 80, 4.0, scale=0.5)
    split, problem = split_of(truth[:1_000], "amount", **plan)
    curve = curve_of(train(split, problem, workspace).record)
    real = [really(truth.to_numpy(), times * curve.rows) for times in (1, 2, 10)]

    assert curve.more_rows is MoreRows.HELP
    assert curve.answer.startswith("More rows help.")
    assert curve.forecasts[0].low <= real[0] - real[1] <= curve.forecasts[0].high
    assert curve.forecasts[1].low <= real[0] - real[2] <= curve.forecasts[1].high
    assert curve.forecasts[1].gain > curve.forecasts[0].gain > curve.margin


def test_points_are_nested_and_end_in_the_leaderboard(workspace: Workspace, split_of: MakeSplit) -> None:
    """Five sizes up to all rows, where the figure is that of the folds; intervals hold their figures."""
    split, problem = split_of(planted(1_000, 4, 1.0), "amount", training=PLAN)
    run = train(split, problem, workspace).record
    curve = curve_of(run)
    rows = [point.rows for point in curve.points]

    assert rows == sorted(rows)
    assert len(rows) == 5
    assert rows[-1] == pytest.approx(curve.rows * 2 / 3, rel=0.01)
    assert curve.points[-1].held == pytest.approx(run.candidate(run.winner).mean, abs=1e-12)
    assert all(point.held_low <= point.held <= point.held_high for point in curve.points)


def test_boosting_takes_the_rounds_of_the_folds(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """The last point repeats the folds' own models; equal runs have equal curves."""
    plan = {**PLAN, "families": ["lightgbm"]}
    frame = pl.concat([table, table.with_columns(pl.col("tenure") + 0.5)])
    split, problem = split_of(frame, "churn", data={"positive": "yes"}, training=plan)
    here = train(split, problem, workspace, executor=InProcessExecutor(), families=quick_families).record
    there = train(split, problem, workspace, families=quick_families).record

    assert curve_of(here).points[-1].held == pytest.approx(here.candidate("lightgbm").mean, abs=1e-12)
    assert curve_of(here) == curve_of(there)


@pytest.mark.parametrize("key", ["time", "group"])
def test_in_time_and_by_groups(workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, key: str) -> None:
    """The parts follow the folds' rule; a history is called a history."""
    column = {"time": "day", "group": "household"}[key]
    frame = pl.concat([table.with_columns(pl.col("day", "household") + 500 * part) for part in range(4)])
    split, problem = split_of(frame, "amount", data={key: column}, training=PLAN)
    curve = curve_of(train(split, problem, workspace).record)

    assert len(curve.points) == 5
    assert ("history" in curve.answer) == (key == "time")
    assert curve.more_rows is not MoreRows.HELP


def test_too_few_rows_say_so(workspace: Workspace, split_of: MakeSplit) -> None:
    """No curve from fewer than 200 rows a fold, but a sentence."""
    split, problem = split_of(planted(300, 2, 1.0), "amount", training=PLAN)
    curve = curve_of(train(split, problem, workspace).record)

    assert curve.points == ()
    assert curve.more_rows is MoreRows.UNCERTAIN
    assert curve.answer.startswith("Whether more rows help cannot be told: a fold learns from 1")


def test_it_is_drawn_where_it_is_cheap(workspace: Workspace, split_of: MakeSplit) -> None:
    """By itself not after a single candidate; never if forbidden; a stored run keeps it; Ctrl-C forgoes it."""
    frame = planted(900, 3, 1.0)

    def run(progress: Progress = silent, **keys: Any) -> TrainingRun:
        split, problem = split_of(frame, "amount", training={**PLAN, **keys})
        stored = train(split, problem, workspace, progress=progress)
        return load_run(stored.record.id, workspace).record

    def stop(event: ProgressEvent) -> None:
        if event.step == "curve":
            raise KeyboardInterrupt

    assert run(learning_curve="auto").learning_curve is None
    assert run(learning_curve=False).learning_curve is None
    assert run(learning_curve=True).learning_curve is not None
    assert run(stop).learning_curve is None
    assert not run(stop).interrupted


def test_auto_counts_what_was_tried(workspace: Workspace, split_of: MakeSplit, quick_families: Families) -> None:
    """After all four families a linear winner's curve is cheap, and a boosted one's is not yet."""
    plan = {"folds": 2, "tuning_rounds": 0, "workers": 1, "unit_minutes": None}
    split, problem = split_of(planted(400, 3, 1.0), "amount", training=plan)
    record = train(split, problem, workspace, families=quick_families).record

    assert is_affordable(record.candidates, record.candidate("linear"))
    assert not is_affordable(record.candidates, record.candidate("lightgbm"))
    assert is_affordable((*record.candidates, *record.candidates), record.candidate("lightgbm"))
