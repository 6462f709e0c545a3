"""MLflow as a tracker: a parent run for the training run, a child run for each candidate."""

import contextlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelyard.adapters.mlflow_link import reached, require_mlflow
from modelyard.core import StateError

__all__ = ["MlflowTracker"]

_PARENT = "mlflow.parentRunId"
_STATUS = {"finished": "FINISHED", "interrupted": "KILLED", "failed": "FAILED", "done": "FINISHED"}
_OURS = "modelyard.run"
_LONGEST_PARAM = 6_000
_LONGEST_DIGEST = 36
_TYPES = {"numeric": "double", "boolean": "boolean", "date": "datetime"}


class MlflowTracker:
    """Sends a training run to MLflow; implements :class:`modelyard.store.Tracker`.

    Parameters
    ----------
    folder
        Where the embedded store lies: ``mlflow.db`` (SQLite) and ``artifacts``. Look at it with
        ``mlflow ui --backend-store-uri sqlite:///<folder>/mlflow.db``.
    experiment
        Name of the experiment; made if it is not there.
    uri
        Another tracking URI, such as a server's; by default the embedded store.

    Raises
    ------
    MissingExtraError
        On first use, if MLflow is not installed.
    """

    def __init__(self, folder: Path, experiment: str, uri: str | None = None) -> None:
        self._folder = folder
        self._experiment = experiment
        self._uri = uri
        self._client: Any = None
        self._experiment_id = ""
        self._run_id = ""

    @property
    def tracking_uri(self) -> str:
        """The URI that runs are sent to."""
        return self._uri or f"sqlite:///{(self._folder / 'mlflow.db').absolute()}"

    def start(self, run_id: str, name: str, params: Mapping[str, Any]) -> None:
        """Begin the parent run; its tag ``modelyard.run`` holds our id. What an earlier try left of it is deleted."""
        require_mlflow("tracking with MLflow")
        with self._reached():
            self._open_experiment()
            self._delete(f"tags.`{_OURS}` = '{run_id}'")
            self._run_id = self._begin(name, params, {_OURS: run_id})

    def log_dataset(self, name: str, digest: str, source: str, facts: Mapping[str, Any]) -> None:
        """The data set as an input of the parent run."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        parent = self._parent()
        columns = [{"name": key, "type": _TYPES.get(str(kind), "string")} for key, kind in facts["columns"].items()]
        dataset = Dataset(
            name=name,
            digest=digest[:_LONGEST_DIGEST],
            source_type="modelyard",
            source=json.dumps({"uri": source, "digest": digest}),
            schema=json.dumps({"mlflow_colspec": columns}),
            profile=json.dumps({"num_rows": facts["rows"], "num_elements": facts["rows"] * len(columns)}),
        )
        tags = [InputTag("mlflow.data.context", "training"), InputTag("modelyard.split", str(facts["split"]))]
        with self._reached():
            self._client.log_inputs(parent, datasets=[DatasetInput(dataset, tags)])

    def log_candidate(
        self,
        name: str,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        by_fold: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        """One candidate as a child run, ended at once with the status that ``params`` names; folds are steps from 1."""
        parent = self._parent()
        with self._reached():
            child = self._begin(name, params, {_PARENT: parent})
            self._log_metrics(child, metrics)
            for key, values in (by_fold or {}).items():
                for fold, value in enumerate(values, 1):
                    self._log_metrics(child, {f"{key}_by_fold": value}, step=fold)
            self._client.set_terminated(child, _STATUS.get(str(params.get("status")), "FINISHED"))

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Figures of the run as a whole, on the parent run."""
        parent = self._parent()
        with self._reached():
            self._log_metrics(parent, metrics)

    def log_artifact(self, path: Path) -> None:
        """Copy a file to the parent run's artefacts."""
        parent = self._parent()
        with self._reached():
            self._client.log_artifact(parent, str(path))

    def finish(self, status: str) -> None:
        """End the parent run."""
        parent = self._parent()
        with self._reached():
            self._client.set_terminated(parent, _STATUS.get(status, "FAILED"))

    def _open_experiment(self) -> None:
        """Open the store; find the experiment, or make it."""
        from mlflow import MlflowClient

        self._folder.mkdir(parents=True, exist_ok=True)
        self._client = MlflowClient(tracking_uri=self.tracking_uri)
        found = self._client.get_experiment_by_name(self._experiment)
        if found is not None:
            self._experiment_id = found.experiment_id
            return
        location = None if self._uri else (self._folder / "artifacts").absolute().as_uri()
        self._experiment_id = self._client.create_experiment(self._experiment, artifact_location=location)

    def _delete(self, filter_string: str) -> None:
        """Delete runs and their children; MLflow keeps what is deleted until its own clean-up."""
        for run in self._client.search_runs([self._experiment_id], filter_string):
            self._delete(f"tags.`{_PARENT}` = '{run.info.run_id}'")
            self._client.delete_run(run.info.run_id)

    def _begin(self, name: str, params: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        """A new run with its parameters; returns MLflow's id."""
        from mlflow.entities import Param

        run = self._client.create_run(self._experiment_id, run_name=name, tags=dict(tags))
        run_id = str(run.info.run_id)
        logged = [Param(key, str(value)[:_LONGEST_PARAM]) for key, value in params.items()]
        self._client.log_batch(run_id, params=logged)
        return run_id

    def _log_metrics(self, run_id: str, metrics: Mapping[str, float], *, step: int = 0) -> None:
        from mlflow.entities import Metric
        from mlflow.utils.time import get_current_time_millis

        now = get_current_time_millis()
        finite = {key: float(value) for key, value in metrics.items() if math.isfinite(value)}
        self._client.log_batch(run_id, metrics=[Metric(key, value, now, step) for key, value in finite.items()])

    def _parent(self) -> str:
        if not self._run_id:
            raise StateError("the tracker was not started", where="tracking: mlflow", cure="Call start first")
        return self._run_id

    def _reached(self) -> contextlib.AbstractContextManager[None]:
        return reached(self.tracking_uri, "MLflow could not record the run")
