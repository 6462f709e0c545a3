"""Telling a tracker about a run, after the run is safe on disk; what cannot be told waits, and is told later."""

import dataclasses
import json
import logging
from pathlib import Path

from modelyard.core import IntegrityError, ModelyardError, Record, StateError, write_json_atomic
from modelyard.data import version_record
from modelyard.problem import PROJECT_FILE, Problem
from modelyard.store import Tracker, Workspace, load_tracker
from modelyard.training.records import Candidate
from modelyard.training.run import StoredRun, load_run

__all__ = ["Synced", "sync_runs", "track"]

_FAILURES = 2
"""A tracker that failed so often is not there; one failure may be that of one run."""

_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Synced(Record):
    """What became of the runs that waited for a tracker.

    Parameters
    ----------
    backend
        The tracker's name.
    sent, waiting
        Ids of runs that it has taken now, and of those that still wait.
    problem
        Why they wait, in one sentence; empty if none does.
    """

    backend: str
    sent: tuple[str, ...]
    waiting: tuple[str, ...]
    problem: str = ""


def track(run: StoredRun, problem: Problem, workspace: Workspace, tracker: Tracker | None) -> None:
    """Send a stored run to a tracker.

    A tracker that cannot be reached costs nothing but a warning in the log: the run waits on disk, and is sent
    before the next one, or by :func:`sync_runs`. The note that it waits is written before the first word is sent, so that a
    process that is killed on the way loses nothing.

    Parameters
    ----------
    tracker
        By default the one that the project file names. For one that is given nothing waits: the caller can try again.
    """
    if tracker is None:
        note = {"run": run.record.id, "backend": problem.tracking.backend}
        write_json_atomic(_outbox(workspace) / f"{run.record.id}.json", note)
        found = sync_runs(problem, workspace)
        if found.waiting:
            _LOG.warning("run %s is recorded locally only: %s", run.record.id, found.problem)
        return
    try:
        _send(run, problem, workspace, tracker)
    except ModelyardError as error:
        _LOG.warning("run %s is recorded locally only: %s", run.record.id, error.sentence)


def sync_runs(problem: Problem, workspace: Workspace) -> Synced:
    """Send the runs that wait for the project file's tracker, the oldest first; the second failure ends it.

    Runs that wait for a tracker of another name go on waiting for that one.
    """
    backend = problem.tracking.backend
    sent: list[str] = []
    failures: list[str] = []
    for note in _waiting(workspace, backend):
        run = _loaded(note, workspace)
        if run is None or len(failures) == _FAILURES:
            continue
        try:
            _send(run, problem, workspace, _configured(problem, workspace))
        except ModelyardError as error:
            failures.append(error.sentence)
            continue
        note.unlink()
        sent.append(run.record.id)
    left = tuple(note.stem for note in _waiting(workspace, backend))
    return Synced(backend, tuple(sent), left, failures[-1] if failures else "")


def _loaded(note: Path, workspace: Workspace) -> StoredRun | None:
    """The run that a note is about; one that is gone, or was changed, waits no longer."""
    try:
        return load_run(note.stem, workspace)
    except (IntegrityError, StateError) as error:
        _LOG.warning("run %s cannot be sent any more: %s", note.stem, error.sentence)
        note.unlink()
        return None


def _outbox(workspace: Workspace) -> Path:
    return workspace.state / "tracking" / "outbox"


def _waiting(workspace: Workspace, backend: str) -> list[Path]:
    """The notes of a tracker; ids of runs sort by time."""
    notes = sorted(_outbox(workspace).glob("*.json"))
    return [note for note in notes if json.loads(note.read_text(encoding="utf-8"))["backend"] == backend]


def _configured(problem: Problem, workspace: Workspace) -> Tracker:
    tracking = problem.tracking
    return load_tracker(
        tracking.backend,
        folder=workspace.state / "tracking",
        experiment=tracking.experiment or problem.name,
        uri=tracking.uri,
    )


def _send(run: StoredRun, problem: Problem, workspace: Workspace, tracker: Tracker) -> None:
    record = run.record
    settings = {
        "dataset": record.dataset_id,
        "split": record.split_id,
        "task": record.task.value,
        "target": record.target,
        "metric": record.metric,
        "folds": record.folds,
        "fold_strategy": record.fold_strategy,
        "seed": record.seed,
        "winner": record.winner,
        "trained_at": record.created_at.isoformat(),
    }
    tracker.start(record.id, problem.name, settings)
    _send_dataset(run, problem, workspace, tracker)
    for candidate in record.candidates:
        known = {"rows": candidate.rows, "resampling": candidate.resampling.value}
        told = {name: value for name, value in known.items() if value}
        params = {"family": candidate.family, "status": candidate.status.value, **told, **candidate.params}
        by_fold = {record.metric: candidate.fold_scores} if candidate.fold_scores else {}
        tracker.log_candidate(candidate.name, params, _figures(candidate, record.metric), by_fold)
    tracker.log_metrics(_figures(record.candidate(record.winner), record.metric))
    winner = run.folder / "out-of-fold" / f"{record.winner}.npy"
    for path in (run.folder / "run.json", workspace.root / PROJECT_FILE, run.folder / "folds.npy", winner):
        if path.exists():
            tracker.log_artifact(path)
    tracker.finish("interrupted" if record.interrupted else "finished")


def _send_dataset(run: StoredRun, problem: Problem, workspace: Workspace, tracker: Tracker) -> None:
    """What the run learnt from: its version by content, and where that came from."""
    version = version_record(run.record.dataset_id, workspace)
    columns = {column.name: column.kind.value for column in version.columns.columns}
    facts = {"rows": version.rows, "columns": columns, "split": run.record.split_id}
    tracker.log_dataset(problem.name, version.digest, version.source, facts)


def _figures(candidate: Candidate, metric: str) -> dict[str, float]:
    """Everything measured about a candidate, by name."""
    figures = {
        metric: candidate.mean,
        f"{metric}_sd": candidate.sd,
        "fit_seconds": candidate.fit_seconds,
        "predict_ms": candidate.predict_ms,
        "rows_per_s": candidate.rows_per_s,
        "size_mb": candidate.size_mb,
        "rounds": None if candidate.rounds is None else float(candidate.rounds),
    }
    return {name: value for name, value in figures.items() if value is not None}
