"""Tables that are scored again and again."""

import datetime as dt
from collections.abc import Callable

from modelyard.data import located
from modelyard.packaging import Scorer
from modelyard.problem.sections import ScheduledScore
from modelyard.schedule.jobs.job import SCHEDULER, Yard, zone_of
from modelyard.schedule.records import Done

__all__ = ["DATE", "score_job"]

DATE = "{date}"
"""Stands for the day of the moment that is served, in the zone of the schedule."""


def score_job(work: ScheduledScore) -> Callable[[Yard, dt.datetime], Done | None]:
    """The job of one table: the version in production scores it. Killed, it goes on where it was."""

    def run(yard: Yard, slot: dt.datetime) -> Done | None:
        from modelyard.serving import BatchSettings, BatchWork, score_and_note

        version = yard.production()
        if version is None:
            return None
        day = f"{slot.astimezone(zone_of(yard.problem)):%Y-%m-%d}"
        root, package = yard.workspace.root, yard.registry.package(version)
        batch = BatchWork(
            located(work.source.replace(DATE, day), root),
            located(work.destination.replace(DATE, day), root),
            None if work.query is None else work.query.replace(DATE, day),
            BatchSettings(uncertainty=work.uncertainty, package=package.folder),
        )
        report = score_and_note(
            Scorer.load(package), batch, yard.problem, yard.workspace, SCHEDULER, progress=yard.progress
        )
        aside = f", {report.quarantined} set aside" if report.quarantined else ""
        return Done(
            f"version {version.version} scored {report.scored} of {report.rows} rows{aside}: {report.destination}"
        )

    return run
