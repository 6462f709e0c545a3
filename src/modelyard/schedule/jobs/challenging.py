"""Retraining, if a trigger of the project file was pulled."""

import datetime as dt

from modelyard.retraining import retrain_if_due
from modelyard.schedule.jobs.job import Yard
from modelyard.schedule.records import Done

__all__ = ["retrain"]


def retrain(yard: Yard, _slot: dt.datetime) -> Done | None:
    """Ask triggers and guards, and retrain if it is due, in the name of who started the process."""
    if not yard.problem.retraining.triggers.any or yard.production() is None:
        return None
    attempt = retrain_if_due(yard.workspace, yard.problem, yard.person, progress=yard.progress, clock=yard.clock)
    if attempt.decision is not None:
        return Done(f"{attempt.due.because} {attempt.decision.reason}".strip())
    return Done(attempt.due.sentence, is_noted=False) if attempt.due.pulled else None
