"""Stored runs are verified before they are read."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modelyard.core import IntegrityError, StateError
from modelyard.data import Split
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.training.engine import train
from modelyard.training.run import StoredRun, load_run


@pytest.fixture
def run(workspace: Workspace, split_of: Callable[..., tuple[Split, Problem]], table: pl.DataFrame) -> StoredRun:
    """A run of one linear model."""
    split, problem = split_of(
        table,
        "churn",
        training={"folds": 3, "tuning_rounds": 0, "workers": 1, "unit_minutes": None, "families": ["linear"]},
    )
    return train(split, problem, workspace)


def test_a_stored_run_reads_back(run: StoredRun, workspace: Workspace, table: pl.DataFrame) -> None:
    """Record, models and predictions are those that were stored."""
    again = load_run(run.record.id, workspace)

    assert again.record == run.record
    assert np.array_equal(again.model("final").predict(table), run.model("final").predict(table))
    assert np.array_equal(again.out_of_fold("linear"), run.out_of_fold("linear"))
    assert sorted(set(again.fold_of_row())) == [0, 1, 2]


@pytest.mark.parametrize("name", ["final.joblib", "folds.npy", "out-of-fold/linear.npy"])
def test_changed_files_are_refused(run: StoredRun, name: str) -> None:
    """One more byte, and the file is not read; a pickle least of all."""
    path = run.folder / name
    path.write_bytes(path.read_bytes() + b"\0")
    read: dict[str, Callable[[], object]] = {
        "final.joblib": lambda: run.model("final"),
        "folds.npy": run.fold_of_row,
        "out-of-fold/linear.npy": lambda: run.out_of_fold("linear"),
    }
    with pytest.raises(IntegrityError, match="never load a model that was changed"):
        read[name]()


def test_lost_files_are_named(run: StoredRun) -> None:
    """A file that is gone is an integrity error too."""
    (run.folder / "development.joblib").unlink()
    with pytest.raises(IntegrityError, match=r"development\.joblib.*got no file"):
        run.model("development")


def test_an_unknown_run_is_a_missing_step(workspace: Workspace) -> None:
    """The cure is to train."""
    with pytest.raises(StateError, match=r"no training run of this id; got 'absent'\. Run `modelyard train` first"):
        load_run("absent", workspace)


def test_damaged_and_foreign_records_are_refused(run: StoredRun, workspace: Workspace) -> None:
    """Half a JSON file, and a protocol that is not ours."""
    path: Path = run.folder / "run.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "protocol": 99}))
    with pytest.raises(IntegrityError, match="another version of modelyard"):
        load_run(run.record.id, workspace)
    path.write_text(path.read_text()[:100])
    with pytest.raises(IntegrityError, match="damaged"):
        load_run(run.record.id, workspace)
