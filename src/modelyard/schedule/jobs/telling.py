"""What people must be told that no monitoring shows: jobs that fail, what expires, what waits; and the outbox."""

import datetime as dt

from modelyard.core import Severity
from modelyard.monitoring.alerting import Condition, Seen, deliver_waiting, raise_alerts
from modelyard.monitoring.alerting.following import Runbooks
from modelyard.schedule.book import JobRow, read_rows
from modelyard.schedule.expiring import Reminder, reminders
from modelyard.schedule.jobs.job import SCHEDULER, Yard
from modelyard.schedule.records import Done

__all__ = ["KIND", "tell"]

KIND = "schedule"
"""The kind of these alerts."""


def tell(yard: Yard, _slot: dt.datetime) -> Done | None:
    """Open, end and escalate alerts, and take waiting messages to their sinks; a sink that is down keeps its messages waiting."""
    problem, now = yard.problem, yard.clock()
    production = yard.production()
    versions = () if production is None else (str(production.version),)
    seen = Seen(problem.name, versions, f"{now:%Y-%m-%d %H:%M}", _conditions(yard, now), frozenset({KIND}))
    place = Runbooks(yard.workspace, problem, None).place
    raise_alerts(yard.workspace.ledger, problem, seen, SCHEDULER, runbook=place, clock=yard.clock)
    sent = deliver_waiting(yard.workspace, problem, SCHEDULER, pace=yard.pace, clock=yard.clock)
    said = [f"{sent.delivered} sent"] if sent.delivered else []
    said += [f"{sent.expired} given up"] if sent.expired else []
    said += [f"{sent.waiting} waiting ({'; '.join(sent.failures)})"] if sent.failures else []
    return Done(f"messages: {', '.join(said)}", is_noted=False) if said else None


def _conditions(yard: Yard, now: dt.datetime) -> tuple[Condition, ...]:
    """Jobs that failed too often, and reminders, as far as the rule of the kind lets them through."""
    problem = yard.problem
    rows = read_rows(yard.workspace.ledger, problem.name)
    failing = [
        _failing(problem.name, job, row) for job, row in rows.items() if row.failures >= problem.schedule.alert_after
    ]
    reminding = [_reminding(problem.name, item) for item in reminders(yard.workspace, problem, now)]
    least = problem.alerts.rules[KIND].severity
    if least == "off":
        return ()
    return tuple(item for item in (*failing, *reminding) if item.severity.rank >= Severity(least).rank)


def _failing(model: str, job: str, row: JobRow) -> Condition:
    return Condition(
        key=f"{model}/schedule-failed/{job}",
        kind=KIND,
        signal="schedule-failed",
        source=job,
        severity=Severity.ERROR,
        title=f"the job {job} fails",
        subjects=(job,),
        message=f"The job {job} failed {row.failures} times in a row: {row.said}",
        action="Mend what it says; it is tried again by itself.",
    )


def _reminding(model: str, item: Reminder) -> Condition:
    return Condition(
        key=f"{model}/{item.signal}/{item.source}",
        kind=KIND,
        signal=item.signal,
        source=item.source,
        severity=Severity.WARNING,
        title=item.message.rstrip("."),
        subjects=(item.source,),
        message=item.message,
        action=item.action,
    )
