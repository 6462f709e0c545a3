"""Trackers: where a training run is recorded beside the ledger."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from modelyard.core import ModelyardError, StateError, load_registered, system_clock

__all__ = ["LocalTracker", "Tracker", "load_tracker"]

_GROUP = "modelyard.trackers"


@runtime_checkable
class Tracker(Protocol):
    """Receives one training run.

    Duties. Calls come from one thread, in this order: ``start`` once, then any number of logs, then ``finish``
    once; a call before ``start`` is a ``StateError``. A tracker writes what it was given before the call returns. A
    figure that is not finite is left out or null, never an error. A tracker that cannot reach its service raises a
    ``ModelyardError`` within a minute: the run then waits, and is sent again from its start. So a run id that was
    begun before is not there twice afterwards; its last start counts.
    """

    def start(self, run_id: str, name: str, params: Mapping[str, Any]) -> None:
        """Begin a run with its settings."""

    def log_dataset(self, name: str, digest: str, source: str, facts: Mapping[str, Any]) -> None:
        """The rows that the run learnt from: ``facts`` are ``rows``, ``columns`` (name to type) and ``split``."""

    def log_candidate(
        self,
        name: str,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        by_fold: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        """One candidate: its parameters, its figures by name, and those that there are for each fold."""

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Figures of the run as a whole."""

    def log_artifact(self, path: Path) -> None:
        """A file that belongs to the run; it is copied or referred to."""

    def finish(self, status: str) -> None:
        """End the run: ``finished``, ``interrupted`` or ``failed``."""


class LocalTracker:
    """JSON lines in a folder: one line a call, flushed at once. Each line names its run.

    Parameters
    ----------
    folder
        Where ``tracking.jsonl`` is appended to.
    experiment
        Written with the start of each run.
    uri
        Taken for the sake of one signature for all trackers; not used.
    """

    def __init__(self, folder: Path, experiment: str = "", uri: str | None = None) -> None:
        self._path = folder / "tracking.jsonl"
        self._experiment = experiment
        self._uri = uri
        self._run_id = ""

    def start(self, run_id: str, name: str, params: Mapping[str, Any]) -> None:
        """Begin a run with its settings."""
        self._run_id = run_id
        self._append("start", {"name": name, "experiment": self._experiment, "params": dict(params)})

    def log_dataset(self, name: str, digest: str, source: str, facts: Mapping[str, Any]) -> None:
        """The rows that the run learnt from."""
        self._append("dataset", {"name": name, "digest": digest, "source": source, "facts": dict(facts)})

    def log_candidate(
        self,
        name: str,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        by_fold: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        """One candidate: its parameters, its figures by name, and those that there are for each fold."""
        folds = {key: list(values) for key, values in (by_fold or {}).items()}
        self._append("candidate", {"name": name, "params": dict(params), "metrics": dict(metrics), "by_fold": folds})

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Figures of the run as a whole."""
        self._append("metrics", {"metrics": dict(metrics)})

    def log_artifact(self, path: Path) -> None:
        """The path of a file that belongs to the run."""
        self._append("artifact", {"path": str(path)})

    def finish(self, status: str) -> None:
        """End the run."""
        self._append("finish", {"status": status})

    def _append(self, event: str, values: Mapping[str, Any]) -> None:
        if not self._run_id:
            raise StateError("the tracker was not started", where="tracking: local", cure="Call start first")
        entry = {"at": system_clock().isoformat(), "run_id": self._run_id, "event": event, **values}
        line = json.dumps(_plain(entry), ensure_ascii=False, allow_nan=False) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(line)
        except OSError as error:
            raise ModelyardError(
                "the run could not be tracked",
                where=str(self._path),
                got=error.strerror or str(error),
                cure="Free some space or fix the permissions",
            ) from error


def _plain(value: Any) -> Any:
    """A value as JSON holds it: what is not finite is null, NumPy's scalars are numbers, the rest is text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return _plain(value.item()) if hasattr(value, "item") else str(value)


def load_tracker(name: str, *, folder: Path, experiment: str, uri: str | None) -> Tracker:
    """The tracker registered under ``name`` in the entry points ``modelyard.trackers``.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    registered = load_registered(_GROUP, name, kind="tracker", where="tracking.backend")
    tracker: Tracker = registered(folder=folder, experiment=experiment, uri=uri)
    return tracker
