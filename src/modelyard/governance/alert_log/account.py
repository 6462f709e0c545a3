"""What the tables of alerts say, and what the ledger tells of them, as facts that must be the same."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from modelyard.core import digest_json
from modelyard.governance.alert_log.records import Change
from modelyard.governance.alert_log.rows import text
from modelyard.governance.alert_log.tables import (
    alert_attempts,
    alert_changes,
    alert_messages,
    alert_silences,
    alerts,
)
from modelyard.store import LedgerRow

__all__ = ["alert_account"]

Fact = tuple[Any, ...]
Rows = Sequence[Mapping[str, Any]]

_CHANGES = {f"alert.{change.value}": change.value for change in Change}


def alert_account(
    rows: Sequence[LedgerRow], found: Mapping[str, Rows]
) -> tuple[tuple[str, list[Fact], list[Fact]], ...]:
    """What kind of thing, what the ledger tells of it, and what its table holds, for each table of alerts.

    Parameters
    ----------
    rows
        The whole ledger.
    found
        The rows of each table by its name.
    """
    keys = {row["id"]: row["key"] for row in found[alerts.name]}
    sinks = {row["id"]: row["sink"] for row in found[alert_messages.name]}
    return (
        ("the alert", list(_begun(rows)), [_alert(row) for row in found[alerts.name]]),
        ("a change of the alert", list(_changed(rows)), [_change(row, keys) for row in found[alert_changes.name]]),
        ("a silence of", list(_silenced(rows)), [_silence(row) for row in found[alert_silences.name]]),
        ("a message about", list(_messages(rows)), [_message(row, keys) for row in found[alert_messages.name]]),
        ("an attempt at the sink", list(_attempts(rows)), [_attempt(row, sinks) for row in found[alert_attempts.name]]),
    )


def _begun(rows: Sequence[LedgerRow]) -> Iterator[Fact]:
    for row in rows:
        if row.action == "alert.begun":
            yield row.subject, row.details["alert"], row.details["kind"], row.at.isoformat()


def _changed(rows: Sequence[LedgerRow]) -> Iterator[Fact]:
    for row in rows:
        if row.action in _CHANGES:
            told = row.details
            kept = (told["severity"], told["title"], text(told["details"]), told["window"], told["reason"])
            yield row.subject, told["alert"], _CHANGES[row.action], *kept, row.actor, row.at.isoformat()


def _silenced(rows: Sequence[LedgerRow]) -> Iterator[Fact]:
    for row in rows:
        if row.action == "alerts.silenced":
            yield row.subject, row.details["until"], row.details["reason"], row.actor, row.at.isoformat()


def _messages(rows: Sequence[LedgerRow]) -> Iterator[Fact]:
    for row in rows:
        if row.action == "alert.message":
            told = row.details
            yield row.subject, told["message"], told["alert"], told["sink"], told["body"], row.at.isoformat()


def _attempts(rows: Sequence[LedgerRow]) -> Iterator[Fact]:
    for row in rows:
        if row.action == "alert.attempt":
            told = row.details
            yield row.subject, told["message"], told["outcome"], told["tries"], told["said"], row.at.isoformat()


def _alert(row: Mapping[str, Any]) -> Fact:
    return row["key"], row["id"], row["kind"], row["at"]


def _change(row: Mapping[str, Any], keys: Mapping[str, str]) -> Fact:
    kept = (row["severity"], row["title"], text(json.loads(row["details"])), row["window"], row["reason"])
    return keys.get(row["alert"], "unknown"), row["alert"], row["change"], *kept, row["actor"], row["at"]


def _silence(row: Mapping[str, Any]) -> Fact:
    return row["pattern"], row["until"], row["reason"], row["actor"], row["at"]


def _message(row: Mapping[str, Any], keys: Mapping[str, str]) -> Fact:
    body = digest_json(json.loads(row["body"]))
    return keys.get(row["alert"], "unknown"), row["id"], row["alert"], row["sink"], body, row["at"]


def _attempt(row: Mapping[str, Any], sinks: Mapping[str, str]) -> Fact:
    sink = sinks.get(row["message"], "unknown")
    return sink, row["message"], row["outcome"], row["tries"], row["said"], row["at"]
