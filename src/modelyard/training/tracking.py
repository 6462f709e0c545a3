"""Telling a tracker about a run, after the run is safe on disk."""

import logging

from modelyard.core import ModelyardError
from modelyard.problem import Problem
from modelyard.store import Tracker, Workspace, load_tracker
from modelyard.training.records import Candidate
from modelyard.training.run import StoredRun

__all__ = ["track"]

_LOG = logging.getLogger(__name__)


def track(run: StoredRun, problem: Problem, workspace: Workspace, tracker: Tracker | None) -> None:
    """Send a stored run to a tracker.

    A tracker that cannot be reached costs nothing but a warning in the log: the run itself is kept locally.

    Parameters
    ----------
    tracker
        By default the one that the project file names.
    """
    try:
        _send(run, problem, tracker or _configured(problem, workspace))
    except ModelyardError as error:
        _LOG.warning("run %s is recorded locally only: %s", run.record.id, error.sentence)


def _configured(problem: Problem, workspace: Workspace) -> Tracker:
    tracking = problem.tracking
    return load_tracker(
        tracking.backend,
        folder=workspace.state / "tracking",
        experiment=tracking.experiment or problem.name,
        uri=tracking.uri,
    )


def _send(run: StoredRun, problem: Problem, tracker: Tracker) -> None:
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
    }
    tracker.start(record.id, problem.name, settings)
    for candidate in record.candidates:
        params = {"family": candidate.family, "status": candidate.status.value, **candidate.params}
        tracker.log_candidate(candidate.name, params, _figures(candidate, record.metric))
    tracker.log_metrics(_figures(record.candidate(record.winner), record.metric))
    tracker.log_artifact(run.folder / "run.json")
    tracker.finish("interrupted" if record.interrupted else "finished")


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
