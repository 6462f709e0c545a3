"""From what happened to an alert to how it stands: nothing is kept that its rows do not say."""

import dataclasses
import functools
from collections.abc import Iterable

import sqlalchemy as sa

from modelyard.governance.alert_log.records import Alert, AlertChange, AlertPhase, Change
from modelyard.governance.alert_log.rows import read_changes

__all__ = ["fold", "read_alerts"]

_NEWS = (Change.OPENED, Change.CHANGED, Change.WORSENED, Change.ESCALATED)
_PHASES = {
    Change.OPENED: AlertPhase.OPEN,
    Change.WORSENED: AlertPhase.OPEN,
    Change.ACKNOWLEDGED: AlertPhase.ACKNOWLEDGED,
    Change.RESOLVED: AlertPhase.RESOLVED,
    Change.WITHDRAWN: AlertPhase.WITHDRAWN,
}
_SIGHTINGS = (Change.SEEN, Change.OPENED, Change.CHANGED, Change.WORSENED)


def read_alerts(connection: sa.Connection, model: str) -> tuple[Alert, ...]:
    """All alerts of a model as they stand, oldest first."""
    return tuple(fold(alert, changes) for alert, changes in read_changes(connection, model))


def fold(alert: Alert, changes: Iterable[AlertChange]) -> Alert:
    """An alert after its changes."""
    return functools.reduce(_after, changes, alert)


def _after(alert: Alert, change: AlertChange) -> Alert:
    """The alert after one more change."""
    what = change.change
    if what in _SIGHTINGS:
        alert = _sighted(alert, change)
    alert = dataclasses.replace(alert, phase=_PHASES.get(what, alert.phase))
    if what in _NEWS:
        alert = dataclasses.replace(alert, owed=(*alert.owed, what))
    if what is Change.OPENED:
        return dataclasses.replace(alert, opened_at=change.at, escalated_at=change.at)
    if what is Change.WORSENED:
        return dataclasses.replace(alert, taken_by="", escalated_at=change.at)
    if what is Change.ESCALATED:
        return dataclasses.replace(alert, escalations=alert.escalations + 1, escalated_at=change.at)
    if what is Change.ACKNOWLEDGED:
        return dataclasses.replace(alert, taken_by=change.actor, owed=())
    if what is Change.TOLD:
        return dataclasses.replace(alert, owed=(), told_at=change.at)
    if what is Change.RATED:
        return dataclasses.replace(alert, useful=bool(change.details["useful"]))
    return dataclasses.replace(alert, ended_at=change.at) if alert.phase.is_over else alert


def _sighted(alert: Alert, change: AlertChange) -> Alert:
    """The alert with what was seen of it."""
    seen = change.details
    return dataclasses.replace(
        alert,
        severity=change.severity,
        title=change.title,
        subjects=tuple(seen["subjects"]),
        message=seen["message"],
        action=seen["action"],
        windows=alert.windows + (change.window != alert.window),
        window=change.window,
    )
