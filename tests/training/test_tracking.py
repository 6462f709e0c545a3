"""Runs that a tracker could not take wait on disk, and none is lost or sent twice."""

import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from modelyard.data import Split
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.training.engine import train
from modelyard.training.executor import InProcessExecutor
from modelyard.training.run import StoredRun
from modelyard.training.tracking import sync_runs

MakeSplit = Callable[..., tuple[Split, Problem]]
PLAN = {"folds": 3, "tuning_rounds": 0, "families": ["linear"]}


def events(workspace: Workspace) -> list[tuple[str, str]]:
    """Run and event of each line that the local tracker wrote."""
    lines = (workspace.state / "tracking" / "tracking.jsonl").read_text(encoding="utf-8").splitlines()
    return [(line["run_id"], line["event"]) for line in map(json.loads, lines)]


def waiting(workspace: Workspace) -> list[str]:
    """Ids of the runs in the outbox."""
    return sorted(path.stem for path in (workspace.state / "tracking" / "outbox").glob("*.json"))


def trained(split: Split, problem: Problem, workspace: Workspace, times: int) -> list[str]:
    """Ids of runs, in their order."""
    return [train(split, problem, workspace, executor=InProcessExecutor()).record.id for _ in range(times)]


@pytest.fixture
def blocked(workspace: Workspace) -> Path:
    """A folder where the local tracker wants to write its file."""
    path = workspace.state / "tracking" / "tracking.jsonl"
    path.mkdir(parents=True)
    return path


def test_runs_that_could_not_be_sent_are_sent_before_the_next(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, blocked: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Two wait, with a warning each; the third takes them along, oldest first, each whole and once."""
    split, problem = split_of(table, "churn", training=PLAN)
    early = trained(split, problem, workspace, 2)

    assert waiting(workspace) == early
    assert caplog.text.count("is recorded locally only") == 2

    blocked.rmdir()
    late = trained(split, problem, workspace, 1)
    told = events(workspace)

    assert [run for run, event in told if event == "start"] == [*early, *late]
    assert [run for run, event in told if event == "finish"] == [*early, *late]
    assert waiting(workspace) == []


def test_sync_sends_what_waits(workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, blocked: Path) -> None:
    """It says what was sent, what waits and why; a second call has nothing to do."""
    split, problem = split_of(table, "churn", training=PLAN)
    (run,) = trained(split, problem, workspace, 1)
    before = sync_runs(problem, workspace)

    assert (before.sent, before.waiting) == ((), (run,))
    assert "the run could not be tracked" in before.problem

    blocked.rmdir()
    after = sync_runs(problem, workspace)

    assert (after.sent, after.waiting, after.problem) == ((run,), (), "")
    assert sync_runs(problem, workspace).sent == ()
    assert [event for _, event in events(workspace)].count("finish") == 1


def test_runs_wait_for_the_tracker_that_they_were_meant_for(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame
) -> None:
    """A run for a tracker that is not there does not go to another one."""
    split, problem = split_of(table, "churn", training=PLAN, tracking={"backend": "nowhere"})
    (run,) = trained(split, problem, workspace, 1)
    local = sync_runs(problem.with_values(tracking={"backend": "local"}), workspace)

    assert (local.sent, local.waiting) == ((), ())
    assert sync_runs(problem, workspace).waiting == (run,)
    assert "there is no tracker of that name" in sync_runs(problem, workspace).problem


def test_a_run_that_is_gone_waits_no_longer(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, blocked: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named in the log, and does not keep the others."""
    split, problem = split_of(table, "churn", training=PLAN)
    gone, kept = trained(split, problem, workspace, 2)
    (workspace.folder("runs", gone) / "run.json").unlink()
    blocked.rmdir()
    with caplog.at_level(logging.WARNING):
        found = sync_runs(problem, workspace)

    assert (found.sent, found.waiting) == ((kept,), ())
    assert f"run {gone} cannot be sent any more" in caplog.text


class Server:
    """A real MLflow server on this machine, in a process group of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._folder.mkdir(exist_ok=True)
        store, artefacts = f"sqlite:///{self._folder}/mlflow.db", f"{self._folder}/artifacts"
        command = f"server --host 127.0.0.1 --port {self._port} --workers 1 --backend-store-uri {store}".split()
        command += ["--artifacts-destination", artefacts]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        end = time.monotonic() + 180
        while time.monotonic() < end:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=2)
                connection.request("GET", "/health")
                connection.getresponse().read()
                connection.close()
            except OSError:
                time.sleep(0.3)
            else:
                return
        pytest.fail("the MLflow server did not start")

    def kill(self) -> None:
        """End it without a word, by the id of the group that it leads."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that answers."""
    pytest.importorskip("mlflow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own deprecations are not ours to mend
        made = Server(tmp_path / "server")
        made.start()
        yield made
        made.kill()


def _recorded(uri: str) -> tuple[Any, Any, list[Any]]:
    """The client, the one parent run that is not deleted, and its children."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    runs = client.search_runs([client.get_experiment_by_name("model").experiment_id])
    (parent,) = (run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    return client, parent, [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]


@pytest.mark.slow
def test_a_server_that_dies_in_the_middle_loses_nothing(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the first candidate: the run is stored and waits; the server that comes back has it whole, once."""
    from modelyard.adapters.mlflow import MlflowTracker

    log_candidate = MlflowTracker.log_candidate

    def log_and_kill(self: MlflowTracker, *args: Any) -> None:
        log_candidate(self, *args)
        server.kill()

    split, problem = split_of(table, "churn", training=PLAN, tracking={"backend": "mlflow", "uri": server.uri})
    monkeypatch.setattr(MlflowTracker, "log_candidate", log_and_kill)
    start = time.monotonic()
    run: StoredRun = train(split, problem, workspace, executor=InProcessExecutor())
    spent_s = time.monotonic() - start

    assert waiting(workspace) == [run.record.id]
    assert spent_s < 90

    monkeypatch.undo()
    server.start()
    found = sync_runs(problem, workspace)
    client, parent, children = _recorded(server.uri)
    scored = next(child for child in children if child.info.run_name == "linear")
    history = client.get_metric_history(scored.info.run_id, "roc_auc_by_fold")

    assert (found.sent, found.waiting, found.problem) == ((run.record.id,), (), "")
    assert (parent.data.tags["modelyard.run"], parent.info.status) == (run.record.id, "FINISHED")
    assert sorted(child.info.run_name for child in children) == ["linear", "naive"]
    assert [item.value for item in history] == list(run.record.candidate("linear").fold_scores)
    assert parent.inputs.dataset_inputs[0].dataset.digest.startswith(run.record.dataset_id)
    assert {item.path for item in client.list_artifacts(parent.info.run_id)} >= {"run.json", "folds.npy"}
