"""Monitoring and reviews."""

import datetime as dt
from typing import Literal

from modelyard.schedule.jobs.job import SCHEDULER, Yard
from modelyard.schedule.records import Done

__all__ = ["monitor", "review_month", "review_week"]


def monitor(yard: Yard, _slot: dt.datetime) -> Done | None:
    """Judge the prediction log of the version in production; alerts open, end and are told of."""
    from modelyard.retraining.round import monitor_version

    version = yard.production()
    if version is None:
        return None
    report = monitor_version(yard.workspace, yard.problem, version, SCHEDULER, clock=yard.clock)
    windows = len(report.judged_windows)
    cause = "" if report.verdict.value == "quiet" else f"; likely cause: {report.diagnosis.verdict.words}"
    judged = "1 window" if windows == 1 else f"{windows} windows"
    return Done(f"version {version.version}: {report.verdict}, {judged} judged{cause}")


def review_week(yard: Yard, slot: dt.datetime) -> Done | None:
    """Look back over the seven days before."""
    return _review(yard, slot, "weekly")


def review_month(yard: Yard, slot: dt.datetime) -> Done | None:
    """Look back over the thirty days before."""
    return _review(yard, slot, "monthly")


def _review(yard: Yard, slot: dt.datetime, length: Literal["weekly", "monthly"]) -> Done | None:
    from modelyard.monitoring.reviews import make_review

    if yard.production() is None:
        return None
    made, page = make_review(yard.workspace, yard.problem, SCHEDULER, length, until=slot, clock=yard.clock)
    return Done(f"{made.since:%Y-%m-%d} to {made.until:%Y-%m-%d}: {page}")
