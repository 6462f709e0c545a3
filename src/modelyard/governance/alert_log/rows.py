"""Rows of alerts, their changes and silences: written within the ledger's transaction, read on one connection."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from modelyard.core import Actor, Severity, canonical_json, new_id
from modelyard.governance.alert_log.records import Alert, AlertChange, Change, Silence
from modelyard.governance.alert_log.tables import alert_changes, alert_silences, alerts
from modelyard.store import LedgerTransaction

__all__ = ["enter_alert", "enter_change", "enter_silence", "read_changes", "read_silences", "text"]


def enter_alert(
    transaction: LedgerTransaction, key: str, kind: str, *, first: Change, seen: Mapping[str, Any], actor: Actor
) -> str:
    """A new alert with its first change; returns its id.

    Parameters
    ----------
    key
        ``model/signal/source``.
    first
        ``seen`` if it has to last before anybody is told, else ``opened``.
    seen
        As :func:`enter_change` takes it.
    """
    model, signal, source = key.split("/")
    id_ = new_id()
    row = transaction.append(actor, "alert.begun", key, {"alert": id_, "kind": kind})
    values = {"id": id_, "key": key, "model": model, "kind": kind, "signal": signal, "source": source}
    transaction.connection.execute(alerts.insert().values({**values, "at": row.at.isoformat()}))
    enter_change(transaction, id_, key, first, seen, actor=actor)
    return id_


def enter_change(
    transaction: LedgerTransaction,
    alert: str,
    key: str,
    change: Change,
    seen: Mapping[str, Any],
    *,
    actor: Actor,
    reason: str = "",
) -> dt.datetime:
    """One more change of an alert, with its ledger row; returns the moment.

    Parameters
    ----------
    seen
        ``severity``, ``title`` and ``window``; everything else is kept as the change's details.
    """
    kept = dict(seen)
    severity = Severity(kept.pop("severity")).value
    title, window = str(kept.pop("title")), str(kept.pop("window"))
    told = {"alert": alert, "severity": severity, "title": title, "window": window, "reason": reason, "details": kept}
    row = transaction.append(actor, f"alert.{change.value}", key, told)
    values = {
        "alert": alert,
        "change": change.value,
        "severity": severity,
        "title": title,
        "details": text(kept),
        "window": window,
        "actor": actor.name,
        "reason": reason,
        "at": row.at.isoformat(),
    }
    transaction.connection.execute(alert_changes.insert().values(values))
    return row.at


def enter_silence(
    transaction: LedgerTransaction, pattern: str, until: dt.datetime, reason: str, actor: Actor
) -> Silence:
    """A silence; the newest one of a pattern counts, so one that is over at once ends those before."""
    details = {"until": until.isoformat(), "reason": reason}
    row = transaction.append(actor, "alerts.silenced", pattern, details)
    silence = Silence(pattern, reason, until, actor.name, row.at)
    transaction.connection.execute(alert_silences.insert().values(silence.to_dict()))
    return silence


def read_silences(connection: sa.Connection) -> tuple[Silence, ...]:
    """The newest silence of each pattern, oldest first; some may be over."""
    query = sa.select(alert_silences).order_by(alert_silences.c.id)
    latest: dict[str, Silence] = {}
    for row in connection.execute(query).mappings():
        silence = Silence.from_dict({str(key): value for key, value in row.items() if key != "id"})
        latest.pop(silence.pattern, None)
        latest[silence.pattern] = silence
    return tuple(latest.values())


def read_changes(connection: sa.Connection, model: str) -> tuple[tuple[Alert, tuple[AlertChange, ...]], ...]:
    """Every alert of a model as it was when it began, with all of its changes, oldest first."""
    found: dict[str, tuple[Alert, list[AlertChange]]] = {}
    query = sa.select(alerts).where(alerts.c.model == model).order_by(alerts.c.at, alerts.c.id)
    for row in connection.execute(query).mappings():
        found[row["id"]] = (Alert.from_dict({str(key): value for key, value in row.items()}), [])
    changes = sa.select(alert_changes).join(alerts, alerts.c.id == alert_changes.c.alert)
    changes = changes.where(alerts.c.model == model).order_by(alert_changes.c.id)
    for row in connection.execute(changes).mappings():
        values = {str(key): value for key, value in row.items() if key != "id"}
        found[row["alert"]][1].append(AlertChange.from_dict({**values, "details": json.loads(values["details"])}))
    return tuple((alert, tuple(happened)) for alert, happened in found.values())


def text(value: Any) -> str:
    """JSON-ready data as it is kept in a column."""
    return canonical_json(value).decode("utf-8")
