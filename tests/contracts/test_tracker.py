"""What every tracker must do, whatever it writes to: the duties of ``modelyard.store.Tracker``."""

import json
import sqlite3
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.core import ConfigError, ModelyardError, StateError
from modelyard.store import LocalTracker, Tracker, load_tracker

Read = Callable[[Path], Mapping[str, float]]


def _local_metrics(folder: Path) -> Mapping[str, float]:
    lines = [json.loads(line) for line in (folder / "tracking.jsonl").read_text(encoding="utf-8").splitlines()]
    return {name: value for line in lines for name, value in line.get("metrics", {}).items() if value is not None}


def _mlflow_metrics(folder: Path) -> Mapping[str, float]:
    connection = sqlite3.connect(folder / "mlflow.db")
    rows = connection.execute("SELECT key, value FROM latest_metrics WHERE is_nan = 0").fetchall()
    connection.close()
    return dict(rows)


READERS: Mapping[str, Read] = {"local": _local_metrics, "mlflow": _mlflow_metrics}


@pytest.fixture(params=sorted(READERS))
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each tracker in turn."""
    with warnings.catch_warnings():
        if request.param == "mlflow":
            warnings.simplefilter("ignore")  # MLflow's own deprecations are not ours to mend
            pytest.importorskip("mlflow")
        yield str(request.param)


@pytest.fixture
def tracker(name: str, tmp_path: Path) -> Tracker:
    """The tracker, made as a project makes it."""
    return load_tracker(name, folder=tmp_path, experiment="an experiment", uri=None)


def test_it_keeps_the_protocol(tracker: Tracker) -> None:
    """It is a Tracker."""
    assert isinstance(tracker, Tracker)


def test_a_run_is_readable_by_others_after_each_call(name: str, tracker: Tracker, tmp_path: Path) -> None:
    """Figures of candidates and of the run are on disk before the call returns; files of any kind are taken."""
    read = READERS[name]
    tracker.start("run-1", "churn", {"folds": 5, "nested": {"a": [1, None]}, "none": None, "path": tmp_path})
    tracker.log_candidate("linear", {"status": "done", "C": np.float64(0.1)}, {"roc_auc": 0.8})

    assert read(tmp_path) == {"roc_auc": 0.8}

    tracker.log_candidate("broken", {"status": "failed"}, {})
    tracker.log_metrics({"roc_auc_sd": np.float64(0.25), "rows": 7})

    assert read(tmp_path) == {"roc_auc": 0.8, "roc_auc_sd": 0.25, "rows": 7.0}

    (tmp_path / "a file.json").write_text("{}", encoding="utf-8")
    tracker.log_artifact(tmp_path / "a file.json")
    tracker.finish("finished")


def test_data_sets_and_folds_are_taken(name: str, tracker: Tracker, tmp_path: Path) -> None:
    """What the run learnt from, and figures of single folds, beside those of the candidate."""
    tracker.start("run-1", "churn", {})
    facts = {"rows": 7, "columns": {"age": "numeric", "plan": "category"}, "split": "s-1"}
    tracker.log_dataset("churn", "0" * 64, "churn.csv", facts)
    tracker.log_candidate("linear", {"status": "done"}, {"roc_auc": 0.8}, {"roc_auc": [0.7, 0.9]})
    tracker.finish("finished")

    assert READERS[name](tmp_path)["roc_auc"] == 0.8


def test_what_is_not_finite_is_no_error(name: str, tracker: Tracker, tmp_path: Path) -> None:
    """NaN is left out or null, and the rest is there."""
    tracker.start("run-1", "churn", {})
    tracker.log_metrics({"bad": float("nan"), "good": 1.5})
    tracker.finish("interrupted")

    assert READERS[name](tmp_path) == {"good": 1.5}


def test_two_runs_stand_beside_each_other(name: str, tmp_path: Path) -> None:
    """A second tracker on the same folder adds to it."""
    for run in ("run-1", "run-2"):
        tracker = load_tracker(name, folder=tmp_path, experiment="an experiment", uri=None)
        tracker.start(run, "churn", {})
        tracker.log_metrics({run: 1.0})
        tracker.finish("finished")

    assert READERS[name](tmp_path) == {"run-1": 1.0, "run-2": 1.0}


def test_nothing_is_logged_before_the_start(tracker: Tracker, tmp_path: Path) -> None:
    """Every other call first is a StateError."""
    calls: tuple[Callable[[], Any], ...] = (
        lambda: tracker.log_candidate("linear", {}, {}),
        lambda: tracker.log_dataset("churn", "0", "churn.csv", {"rows": 0, "columns": {}, "split": ""}),
        lambda: tracker.log_metrics({"a": 1.0}),
        lambda: tracker.log_artifact(tmp_path),
        lambda: tracker.finish("finished"),
    )
    for call in calls:
        with pytest.raises(StateError, match="not started"):
            call()


def test_a_place_that_cannot_be_written_is_an_error_of_ours(name: str, tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "taken").write_text("x", encoding="utf-8")
    tracker = load_tracker(name, folder=tmp_path / "taken", experiment="e", uri=None)
    with pytest.raises(ModelyardError):
        tracker.start("run-1", "churn", {})


def test_an_unknown_tracker_is_refused(tmp_path: Path) -> None:
    """The known ones are named."""
    with pytest.raises(ConfigError, match="local, mlflow"):
        load_tracker("nowhere", folder=tmp_path, experiment="e", uri=None)


def test_the_local_tracker_names_the_run_in_each_line(tmp_path: Path) -> None:
    """So that runs in one file can be told apart."""
    tracker = LocalTracker(tmp_path, "an experiment")
    tracker.start("run-1", "churn", {"a": 1})
    tracker.finish("finished")
    lines = [json.loads(line) for line in (tmp_path / "tracking.jsonl").read_text(encoding="utf-8").splitlines()]

    assert [(line["run_id"], line["event"]) for line in lines] == [("run-1", "start"), ("run-1", "finish")]
    assert (lines[0]["params"], lines[0]["experiment"], lines[1]["status"]) == ({"a": 1}, "an experiment", "finished")
