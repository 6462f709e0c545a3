"""From a look at a model to rows and messages, in one transaction."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modelyard.core import Actor, Clock, Severity, system_clock
from modelyard.governance.alert_log import (
    Alert,
    Change,
    enter_alert,
    enter_change,
    enter_messages,
    read_alerts,
    read_silences,
)
from modelyard.monitoring.alerting.conditions import Seen
from modelyard.monitoring.alerting.machine import Move, judge, news_of
from modelyard.monitoring.alerting.notice import notice_of
from modelyard.problem import Problem
from modelyard.store import Ledger, LedgerTransaction

__all__ = ["raise_alerts"]

Runbook = Callable[[str], str]


def raise_alerts(
    ledger: Ledger,
    problem: Problem,
    seen: Seen,
    actor: Actor,
    *,
    runbook: Runbook = lambda kind: f"runbooks/{kind}.md",
    clock: Clock = system_clock,
) -> tuple[Alert, ...]:
    """Open, change, escalate and resolve the alerts of a model, and put what is to be told into the outbox.

    Everything is one transaction: an alert without its ledger row, or without its messages, is never seen. Calling it
    twice with the same look changes nothing the second time.

    Parameters
    ----------
    ledger
        Beside whose rows alerts are kept.
    problem
        Its section ``alerts`` has the rules.
    seen
        See :func:`modelyard.monitoring.alerting.conditions.report_conditions`.
    actor
        In whose name monitoring runs.
    runbook
        From a kind to the place of its page.
    clock
        The moment of the look.

    Returns
    -------
    tuple of Alert
        All alerts of the model that are not over, and those that ended now.
    """
    ledger.create_tables()
    now = clock()
    with ledger.transaction() as transaction:
        active = [alert for alert in read_alerts(transaction.connection, seen.model) if not alert.phase.is_over]
        levels = max(1, len(problem.escalation))
        moves = judge(seen, active, lambda kind: problem.alerts.rules[kind], now, levels=levels)
        moved = [_enter(transaction, move, seen.window, actor) for move in moves]
        after = read_alerts(transaction.connection, seen.model)
        ended = {id_ for move, id_ in zip(moves, moved, strict=True) if move.change is Change.RESOLVED}
        _Telling(transaction, problem, seen, runbook, actor, now).tell(after, ended)
        kept = {alert.id for alert in active} | set(moved)
        return tuple(alert for alert in read_alerts(transaction.connection, seen.model) if alert.id in kept)


def _enter(transaction: LedgerTransaction, move: Move, window: str, actor: Actor) -> str:
    """The rows of a move; returns the alert's id."""
    shown = move.condition or move.alert
    if shown is None:
        raise TypeError("a move is of something")
    sighting = {
        "severity": shown.severity.value,
        "title": shown.title,
        "window": window,
        "subjects": list(shown.subjects),
        "message": shown.message,
        "action": shown.action,
    }
    if move.alert is None:
        return enter_alert(transaction, shown.key, shown.kind, first=move.change, seen=sighting, actor=actor)
    enter_change(transaction, move.alert.id, move.alert.key, move.change, sighting, actor=actor, reason=move.reason)
    return move.alert.id


class _Telling:
    """What goes into the outbox after a look."""

    def __init__(
        self,
        transaction: LedgerTransaction,
        problem: Problem,
        seen: Seen,
        runbook: Runbook,
        actor: Actor,
        now: dt.datetime,
    ) -> None:
        self._transaction = transaction
        self._problem = problem
        self._seen = seen
        self._runbook = runbook
        self._actor = actor
        self._now = now
        self._silences = read_silences(transaction.connection)

    def tell(self, alerts: Sequence[Alert], ended: set[str]) -> None:
        """Messages about everything that is owed and not held back."""
        last_told = _last_told(alerts)
        for alert in alerts:
            if any(silence.covers(alert.key, self._now) for silence in self._silences):
                continue
            rule = self._problem.alerts.rules[alert.kind]
            news = news_of(alert, rule, last_told.get(alert.key), self._now)
            if alert.id in ended and alert.told_at is not None:
                news = Change.RESOLVED
            if news is not None:
                self._put(alert, news)

    def _put(self, alert: Alert, news: Change) -> None:
        """One message for each sink that wants it."""
        place = self._runbook(alert.kind)
        notice = notice_of(
            alert,
            news,
            self._problem,
            versions=self._seen.versions,
            runbook=place,
            advice="" if news is Change.RESOLVED else self._seen.advice,
            at=self._now,
        )
        body = notice.to_dict()
        bodies = {
            name: body
            for name, sink in self._problem.alerts.sinks.items()
            if alert.severity.rank >= Severity(sink.least).rank
            and (news is Change.ESCALATED or not sink.only_escalations)
        }
        told = {"severity": alert.severity.value, "title": alert.title, "window": alert.window}
        details: Mapping[str, Any] = {**told, "news": news.value, "sinks": sorted(bodies)}
        enter_change(self._transaction, alert.id, alert.key, Change.TOLD, details, actor=self._actor)
        enter_messages(self._transaction, alert.id, alert.key, bodies, self._actor)


def _last_told(alerts: Sequence[Alert]) -> dict[str, dt.datetime]:
    """By key, when somebody was last told."""
    found: dict[str, dt.datetime] = {}
    for alert in alerts:
        if alert.told_at is not None:
            found[alert.key] = max(alert.told_at, found.get(alert.key, alert.told_at))
    return found
