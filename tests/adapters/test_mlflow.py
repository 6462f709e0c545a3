"""The MLflow tracker writes what MLflow's own client reads back."""

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelyard.adapters.mlflow import MlflowTracker
from modelyard.core import MissingExtraError, ModelyardError, StateError
from modelyard.store import Tracker, load_tracker


@pytest.fixture(autouse=True)
def _vendor_warnings() -> Iterator[None]:
    """MLflow's own deprecations are not ours to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, list[Any]]:
    """MLflow's client, the parent run and its children, after one training run was sent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = tmp_path_factory.mktemp("mlflow")
        artefact = folder / "run.json"
        artefact.write_text("{}")
        tracker = MlflowTracker(folder / "store", "churn")
        tracker.start("run-7", "churn", {"folds": 5})
        tracker.log_metrics({"half": 1.0})  # a first try that ended here
        tracker.log_candidate("half", {}, {})
        tracker = MlflowTracker(folder / "store", "churn")
        tracker.start("run-7", "churn", {"folds": 5})
        facts = {"rows": 7, "columns": {"age": "numeric", "plan": "category"}, "split": "s-1"}
        tracker.log_dataset("churn", "0a1b" * 16, "churn.csv", facts)
        figures = {"roc_auc": 0.84, "undefined": float("nan")}
        tracker.log_candidate("linear", {"C": 1.0, "status": "done"}, figures, {"roc_auc": [0.8, 0.88]})
        tracker.log_candidate("xgboost", {"status": "failed"}, {})
        tracker.log_metrics({"roc_auc": 0.84})
        tracker.log_artifact(artefact)
        tracker.finish("interrupted")

        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=tracker.tracking_uri)
        experiment = client.get_experiment_by_name("churn")
        runs = client.search_runs([experiment.experiment_id])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parents[0].info.run_id]
    return client, parents[0], sorted(children, key=lambda run: str(run.info.run_name))


def test_parent_holds_settings_and_figures(recorded: tuple[Any, Any, list[Any]]) -> None:
    """The parent run has our id as a tag, the settings as parameters, and the winner's figures."""
    _, parent, _ = recorded

    assert parent.data.tags["modelyard.run"] == "run-7"
    assert parent.data.params == {"folds": "5"}
    assert parent.data.metrics == {"roc_auc": 0.84}
    assert parent.info.status == "KILLED"


def test_each_candidate_is_a_child_run(recorded: tuple[Any, Any, list[Any]]) -> None:
    """Children carry parameters, metrics and the status of their candidate."""
    _, _, children = recorded

    assert [(run.info.run_name, run.info.status) for run in children] == [("linear", "FINISHED"), ("xgboost", "FAILED")]
    assert children[0].data.params == {"C": "1.0", "status": "done"}
    assert children[0].data.metrics == {"roc_auc": 0.84, "roc_auc_by_fold": 0.88}


def test_folds_are_steps_of_one_metric(recorded: tuple[Any, Any, list[Any]]) -> None:
    """So that MLflow draws them as a line."""
    client, _, children = recorded
    history = client.get_metric_history(children[0].info.run_id, "roc_auc_by_fold")

    assert [(item.step, item.value) for item in history] == [(1, 0.8), (2, 0.88)]


def test_the_data_set_is_an_input_of_the_run(recorded: tuple[Any, Any, list[Any]]) -> None:
    """With its digest, its columns, and the split as a tag."""
    _, parent, _ = recorded
    (used,) = parent.inputs.dataset_inputs

    assert (used.dataset.name, used.dataset.digest) == ("churn", "0a1b" * 9)
    assert json.loads(used.dataset.source) == {"uri": "churn.csv", "digest": "0a1b" * 16}
    assert json.loads(used.dataset.profile) == {"num_rows": 7, "num_elements": 14}
    assert {tag.key: tag.value for tag in used.tags} == {"mlflow.data.context": "training", "modelyard.split": "s-1"}


def test_artefacts_are_copied(recorded: tuple[Any, Any, list[Any]]) -> None:
    """A file given to the tracker is among the parent's artefacts."""
    client, parent, _ = recorded

    assert [item.path for item in client.list_artifacts(parent.info.run_id)] == ["run.json"]


def test_it_is_registered_and_keeps_the_protocol(tmp_path: Path) -> None:
    """``tracking.backend: mlflow`` finds it, and it is a Tracker."""
    tracker = load_tracker("mlflow", folder=tmp_path, experiment="churn", uri=None)

    assert isinstance(tracker, MlflowTracker)
    assert isinstance(tracker, Tracker)


def test_an_unusable_store_is_one_clear_error(tmp_path: Path) -> None:
    """A tracking URI that leads nowhere is our error, with the URI and a cure."""
    (tmp_path / "file").write_text("not a folder")
    tracker = MlflowTracker(tmp_path, "churn", uri=f"sqlite:///{tmp_path}/file/mlflow.db")

    with pytest.raises(ModelyardError, match=r"file/mlflow.db: MLflow could not .*Start the tracking server"):
        tracker.start("run-7", "churn", {})


def test_a_call_before_start_is_refused(tmp_path: Path) -> None:
    """Nothing can be logged to a run that was not begun."""
    with pytest.raises(StateError, match="Call start first"):
        MlflowTracker(tmp_path, "churn").log_metrics({"roc_auc": 0.84})


def test_missing_mlflow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without MLflow the error gives the line that installs it."""
    monkeypatch.setitem(sys.modules, "mlflow", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'modelyard\[mlflow\]'"):
        MlflowTracker(tmp_path, "churn").start("run-7", "churn", {})


def test_importing_the_adapter_does_not_import_mlflow() -> None:
    """The vendor's package costs seconds, so it waits until it is used."""
    code = "import sys, modelyard.adapters.mlflow; print('mlflow' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert result.stdout.strip() == "False"
