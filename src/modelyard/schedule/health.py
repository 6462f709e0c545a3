"""A file that says that the process lives: a supervisor, or Prometheus, reads how old it is."""

import json
from collections.abc import Sequence

from modelyard.schedule.records import JobState, Tick

__all__ = ["health_text"]


def health_text(model: str, tick: Tick, states: Sequence[JobState], *, prometheus: bool) -> str:
    """When the last look was, when the next is due, and which jobs fail; as JSON or for Prometheus' textfile collector."""
    if not prometheus:
        failing = {state.job: state.said for state in states if state.failures}
        content = {
            "model": model,
            "at": tick.at.isoformat(),
            "next": tick.next and tick.next.isoformat(),
            "failing": failing,
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    from modelyard.serving.rest.metrics import family, sample

    name = "modelyard_schedule_tick_timestamp_seconds"
    lines = [
        *family(name, "gauge", "When the schedule last looked."),
        sample(name, {"model": model}, tick.at.timestamp()),
    ]
    name = "modelyard_schedule_job_failures"
    lines += family(name, "gauge", "Failures in a row, by job.")
    lines += [sample(name, {"model": model, "job": state.job}, state.failures) for state in states]
    return "\n".join(lines) + "\n"
