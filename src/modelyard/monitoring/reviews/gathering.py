"""From reports, the log, alerts and events to a review."""

import dataclasses
import datetime as dt
import statistics
from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from modelyard.core import Severity
from modelyard.governance.alert_log import Alert, AlertChange, AlertPhase, Change, Silence, fold
from modelyard.monitoring.causes import Action
from modelyard.monitoring.events import Event
from modelyard.monitoring.records import MonitorReport
from modelyard.monitoring.reviews.records import AlertTally, Review, Signal, Traffic
from modelyard.problem import Task

__all__ = ["Handled", "gather_review"]

_LOW_PRECISION = 0.5
_FEWEST_RATED = 3

History = Sequence[tuple[Alert, Sequence[AlertChange]]]


@dataclasses.dataclass(frozen=True)
class Handled:
    """What the log of alerts holds: every alert with its changes, silences, and messages that wait."""

    history: History
    silences: Sequence[Silence]
    waiting: int


def gather_review(
    report: MonitorReport,
    predictions: pl.DataFrame,
    handled: Handled,
    events: Sequence[Event],
    *,
    version: str,
    since: dt.datetime,
    until: dt.datetime,
) -> Review:
    """Everything of a time on one record.

    Parameters
    ----------
    report
        Of the whole log of the version in production; what lies outside the time is left out here.
    predictions
        The log of all versions, with ``version`` and ``at``.
    handled
        From the log of alerts.
    events
        Those that touch the time.
    since, until
        The time; its end does not belong to it.
    """
    inside = [since <= window.end < until for window in report.judged_windows]
    names = {window.name for window, keep in zip(report.judged_windows, inside, strict=True) if keep}
    performance = tuple(window for window in report.performance if since <= window.end < until)
    alerts = tuple(fold(alert, _before(changes, until)) for alert, changes in handled.history)
    told = tuple(one for one in alerts if _touches(one, since))
    tally = _tally(handled, told, since, until)
    review = Review(
        model=report.model,
        version=version,
        since=since,
        until=until,
        verdict=report.verdict,
        traffic=_traffic(predictions, since, until),
        windows=len(names),
        metric=report.metric,
        performance=performance,
        drift=_drift(report, inside),
        quality=_quality(report, names),
        tally=tally,
        alerts=told,
        incidents=tuple(_incidents(told, events)),
        events=tuple(events),
        steps=(),
    )
    return dataclasses.replace(review, steps=tuple(_steps(review, report, handled)))


def _before(changes: Iterable[AlertChange], until: dt.datetime) -> list[AlertChange]:
    """What had happened by the end; a verdict on an alert's use counts whenever it came."""
    return [change for change in changes if change.at < until or change.change is Change.RATED]


def _touches(alert: Alert, since: dt.datetime) -> bool:
    """True for an alert that was open at some moment of the time."""
    return alert.opened_at is not None and (alert.ended_at is None or alert.ended_at >= since)


def _traffic(predictions: pl.DataFrame, since: dt.datetime, until: dt.datetime) -> tuple[Traffic, ...]:
    """Rows by version, and those of the time of equal length before."""
    if predictions.is_empty():
        return ()
    at = pl.col("at").dt.replace_time_zone("UTC") if _is_naive(predictions) else pl.col("at")
    now = ((at >= since) & (at < until)).sum().alias("now")
    earlier = ((at >= since - (until - since)) & (at < since)).sum().alias("before")
    counts = predictions.group_by(pl.col("version").cast(pl.String)).agg(now, earlier)
    counts = counts.filter(pl.col("now") + pl.col("before") > 0).sort("now", "version", descending=[True, False])
    return tuple(Traffic(row["version"] or "–", row["now"], row["before"]) for row in counts.iter_rows(named=True))


def _is_naive(predictions: pl.DataFrame) -> bool:
    return getattr(predictions.schema["at"], "time_zone", None) is None


def _drift(report: MonitorReport, inside: Sequence[bool]) -> tuple[Signal, ...]:
    found = []
    for trail in report.trails:
        alarms = [result for result, keep in zip(trail.results, inside, strict=True) if keep and result.alarm]
        if alarms:
            found.append(Signal(trail.feature, "moved", len(alarms), max(result.psi for result in alarms)))
    return tuple(sorted(found, key=lambda one: (-one.windows, -one.worst)))


def _quality(report: MonitorReport, names: set[str]) -> tuple[Signal, ...]:
    groups: dict[tuple[str, str], list[float]] = {}
    for result in report.quality:
        if result.window in names:
            groups.setdefault((result.feature, result.signal.value), []).append(result.share or 0.0)
    found = [Signal(feature, what, len(shares), max(shares)) for (feature, what), shares in groups.items()]
    return tuple(sorted(found, key=lambda one: (-one.windows, -one.worst)))


def _tally(handled: Handled, told: Sequence[Alert], since: dt.datetime, until: dt.datetime) -> AlertTally:
    opened = [one for one in told if one.opened_at is not None and one.opened_at >= since]
    ids = {one.id for one in opened}
    waits = [wait for alert, changes in handled.history if alert.id in ids for wait in _until_taken(changes, until)]
    return AlertTally(
        opened=len(opened),
        ended=sum(one.phase.is_over for one in told),
        still_open=sum(not one.phase.is_over for one in told),
        useful=sum(one.useful is True for one in opened),
        useless=sum(one.useful is False for one in opened),
        unrated=sum(one.useful is None for one in opened),
        taken_after_s=statistics.median(waits) if waits else None,
        silences=tuple(
            f"{one.pattern} until {one.until:%Y-%m-%d}: {one.reason}"
            for one in handled.silences
            if one.at < until < one.until
        ),
    )


def _until_taken(changes: Sequence[AlertChange], until: dt.datetime) -> list[float]:
    """Seconds from the opening to the first acknowledgement; nothing if there was none in time."""
    opened = next((one.at for one in changes if one.change is Change.OPENED), None)
    taken = next((one.at for one in changes if one.change is Change.ACKNOWLEDGED and one.at < until), None)
    return [(taken - opened).total_seconds()] if opened is not None and taken is not None else []


def _incidents(told: Sequence[Alert], events: Sequence[Event]) -> Iterator[str]:
    """What went wrong for people."""
    for one in told:
        if one.severity is Severity.ERROR and one.opened_at is not None:
            end = f"over on {one.ended_at:%Y-%m-%d}" if one.ended_at else "not over"
            yield f"{one.opened_at:%Y-%m-%d}: {one.title} ({end}; {one.taken_by or 'nobody'} took it)"
    for event in events:
        if event.kind == "rollback":
            yield f"{event.at:%Y-%m-%d}: {event.title}"


def _steps(review: Review, report: MonitorReport, handled: Handled) -> Iterator[str]:
    """What to do next, the most urgent first."""
    free = [one for one in review.alerts if one.phase is AlertPhase.OPEN]
    if free:
        yield f"Take the {len(free)} alerts that nobody has taken: `modelyard alerts`."
    if handled.waiting:
        yield f"Look at the sinks: {handled.waiting} messages wait for one that is down."
    if report.diagnosis.action is not Action.IGNORE:
        yield f"Likely cause: {report.diagnosis.verdict.words}. What it asks for: {report.diagnosis.action.words}."
    if not sum(one.rows for one in review.traffic):
        yield "Find out why there was no traffic: no data is not good news."
    elif not review.windows:
        yield "No window had enough rows to be judged: choose longer ones under `monitoring.window`."
    if report.task is not Task.CLUSTERING and not any(window.value is not None for window in review.performance):
        yield "Send labels: without them only inputs and scores were watched."
    tally = review.tally
    if tally.unrated:
        yield f"Say of {tally.unrated} alerts whether they were of use: `modelyard alerts --useful ID`, or `ID:no`."
    precision = tally.precision
    if precision is not None and precision < _LOW_PRECISION and tally.useful + tally.useless >= _FEWEST_RATED:
        yield "Most rated alerts were of no use: raise `severity` or `persistence` of their rules under `alerts.rules`."
