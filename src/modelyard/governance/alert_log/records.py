"""An alert as it stands, what happened to it, silences, and messages on their way."""

import dataclasses
import datetime as dt
import enum
import fnmatch
from collections.abc import Mapping
from typing import Any

from modelyard.core import Record, Severity

__all__ = ["Alert", "AlertChange", "AlertMessage", "AlertPhase", "Attempt", "Change", "Outcome", "Silence"]


class Change(enum.StrEnum):
    """What can happen to an alert."""

    SEEN = "seen"
    OPENED = "opened"
    CHANGED = "changed"
    WORSENED = "worsened"
    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    TOLD = "told"
    RATED = "rated"


class AlertPhase(enum.StrEnum):
    """Where an alert stands: not lasting yet, waiting for somebody, in somebody's hands, or over."""

    PENDING = "pending"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"

    @property
    def is_over(self) -> bool:
        """True if nothing more will happen to it but a verdict on its use."""
        return self in (AlertPhase.RESOLVED, AlertPhase.WITHDRAWN)


@dataclasses.dataclass(frozen=True)
class AlertChange(Record):
    """One thing that happened to an alert.

    Parameters
    ----------
    alert
        Its id.
    change
        What happened.
    severity, title
        Of the alert from then on.
    details
        What was seen: ``subjects``, ``message``, ``action``; of ``told`` the ``news``, of ``rated`` whether it was
        ``useful``.
    window
        The newest window that was judged; empty for what people do.
    actor, reason, at
        Who, why, when.
    """

    alert: str
    change: Change
    severity: Severity
    title: str
    details: Mapping[str, Any]
    window: str
    actor: str
    reason: str
    at: dt.datetime


@dataclasses.dataclass(frozen=True)
class Alert(Record):
    """An alert as its changes left it.

    Parameters
    ----------
    id
        Its own.
    key
        ``model/signal/source``: what is seen under one key is one alert until it is over.
    model, kind, signal, source
        Which model; which rule and runbook; which finding; which source of columns.
    at
        When it was first seen.
    phase
        Where it stands.
    severity, title, subjects, message, action
        As last seen: columns or metrics concerned, the worst finding's sentence, and what to do.
    windows
        In how many windows it was seen, while that counts.
    window
        The newest window in which it was seen.
    opened_at, ended_at
        When it opened and when it was over; None if it did not or is not.
    taken_by
        Who acknowledged it; empty for nobody.
    escalations
        How many times somebody further up was told, and the moment of the last one, or of the opening.
    owed
        News that nobody was told yet, in order.
    told_at
        When somebody was last told; None for never.
    useful
        What people said of it afterwards; None for nothing.
    """

    id: str
    key: str
    model: str
    kind: str
    signal: str
    source: str
    at: dt.datetime
    phase: AlertPhase = AlertPhase.PENDING
    severity: Severity = Severity.INFO
    title: str = ""
    subjects: tuple[str, ...] = ()
    message: str = ""
    action: str = ""
    windows: int = 0
    window: str = ""
    opened_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    taken_by: str = ""
    escalations: int = 0
    escalated_at: dt.datetime | None = None
    owed: tuple[Change, ...] = ()
    told_at: dt.datetime | None = None
    useful: bool | None = None


@dataclasses.dataclass(frozen=True)
class Silence(Record):
    """Nobody is told of what matches ``pattern`` (``*`` and ``?`` are understood) until a moment; it is judged all the same."""

    pattern: str
    reason: str
    until: dt.datetime
    actor: str
    at: dt.datetime

    def covers(self, key: str, now: dt.datetime) -> bool:
        """True if it holds for a key now."""
        return now < self.until and fnmatch.fnmatchcase(key, self.pattern)


@dataclasses.dataclass(frozen=True)
class AlertMessage(Record):
    """What one sink is to be told: at least once, always under the same id."""

    id: str
    alert: str
    sink: str
    body: Mapping[str, Any]
    at: dt.datetime


class Outcome(enum.StrEnum):
    """How an attempt ended; after ``failed`` the message goes on waiting."""

    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclasses.dataclass(frozen=True)
class Attempt(Record):
    """One round of tries to deliver a message."""

    message: str
    outcome: Outcome
    said: str
    tries: int
    at: dt.datetime
