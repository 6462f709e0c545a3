from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.release import ALONE, release

from modelyard import Project
from modelyard.data import load_split
from modelyard.retraining import Outcome
from modelyard.retraining.windows.recipe import WEIGHT
from modelyard.training.run import load_run


@pytest.mark.slow
@pytest.mark.parametrize("window", ["auto", "{sliding: 400}"])
def test_a_retraining_learns_from_the_window(stream: Any, tmp_path: Path, window: str) -> None:
    """The outcome turned during the new rows: the window forgets, is kept with its figures, and the challenger wins."""
    rows = stream(3000, change=0.6)
    rows[:1500].write_parquet(tmp_path / "old.parquet")
    rows[1500:].write_parquet(tmp_path / "new.parquet")
    Project.new(tmp_path / "shop", data=tmp_path / "old.parquet", target="bought")
    settings = (*ALONE, "data.time=at", f"retraining.window={window}")
    project = Project.open(tmp_path / "shop", settings=settings)
    release(project)
    decision = project.retrain(tmp_path / "new.parquet")

    assert decision.outcome is Outcome.CHALLENGER, decision.reason
    assert decision.window is not None
    assert decision.run_id is not None
    split = load_split(load_run(decision.run_id, project.workspace).record.split_id, project.workspace)
    if window == "auto":
        assert decision.window.cuts
        assert len(decision.window.trials) == 5
    else:
        assert split.train.frame.height == 400
    project.approve(2, "a test")
    project.promote(2)
    assert project.score(tmp_path / "new.parquet", tmp_path / "scores.parquet").scored == 1500
    assert WEIGHT not in pl.read_parquet(tmp_path / "scores.parquet").columns
    assert project.retrain(tmp_path / "new.parquet").rows_new == 0
