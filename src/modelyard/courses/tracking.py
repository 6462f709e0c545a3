"""Telling a tracker about a course's run, after the run is safe on disk."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from modelyard.core import ModelyardError
from modelyard.courses.ground import Ground
from modelyard.store import load_tracker

__all__ = ["track_course"]

_LOG = logging.getLogger(__name__)


def track_course(
    ground: Ground,
    run_id: str,
    settings: Mapping[str, Any],
    candidates: Iterable[tuple[str, Mapping[str, Any], Mapping[str, float]]],
    figures: Mapping[str, float],
) -> None:
    """Send a run to the tracker that the project file names; one that cannot be reached costs a warning in the log.

    Parameters
    ----------
    candidates
        Name, parameters and figures of each.
    figures
        Of the winner.
    """
    tracking = ground.problem.tracking
    try:
        tracker = load_tracker(
            tracking.backend,
            folder=ground.workspace.state / "tracking",
            experiment=tracking.experiment or ground.problem.name,
            uri=tracking.uri,
        )
        tracker.start(run_id, ground.problem.name, settings)
        for name, params, measured in candidates:
            tracker.log_candidate(name, params, measured)
        tracker.log_metrics(figures)
        tracker.finish("finished")
    except ModelyardError as error:
        _LOG.warning("run %s is recorded locally only: %s", run_id, error.sentence)
