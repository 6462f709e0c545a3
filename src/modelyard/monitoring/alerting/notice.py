"""What people and programs are told of an alert: one record, and the same in a few lines."""

import dataclasses
import datetime as dt
from collections.abc import Sequence

from modelyard.core import Record, Severity
from modelyard.governance.alert_log import Alert, Change
from modelyard.problem import Problem

__all__ = ["NOTICE_PROTOCOL", "Notice", "notice_of"]

NOTICE_PROTOCOL = 1
"""Goes up when a field is taken away or means something else; fields may be added."""

_NEWS = {
    Change.OPENED: "new",
    Change.CHANGED: "wider",
    Change.WORSENED: "worse",
    Change.ESCALATED: "nobody has taken it",
    Change.RESOLVED: "over",
}


@dataclasses.dataclass(frozen=True)
class Notice(Record):
    """One message, the same for every sink.

    Parameters
    ----------
    protocol
        See :data:`NOTICE_PROTOCOL`.
    id
        Of the message: whoever gets one twice may drop the second. Empty until it lies in the outbox.
    alert, key
        Which alert.
    news
        ``opened``, ``changed``, ``worsened``, ``escalated`` or ``resolved``; ``test`` for a try.
    model, versions, kind, signal, source
        Where it is seen.
    severity, title, subjects, message, action
        What is seen, and what to do.
    owner, contact, escalation
        Who answers for it, how to reach them, and who is next.
    runbook
        The page that says what to do, as a path or an address.
    window
        In which it was last seen.
    opened_at, at
        When it opened, and the moment of this message.
    """

    protocol: int
    id: str
    alert: str
    key: str
    news: str
    model: str
    versions: tuple[str, ...]
    kind: str
    signal: str
    source: str
    severity: Severity
    title: str
    subjects: tuple[str, ...]
    message: str
    action: str
    owner: str
    contact: str
    escalation: tuple[str, ...]
    runbook: str
    window: str
    opened_at: dt.datetime | None
    at: dt.datetime

    @property
    def headline(self) -> str:
        """Model, severity, what, and what is new of it, in one line."""
        news = _NEWS.get(Change(self.news), self.news) if self.news in {item.value for item in Change} else self.news
        return f"[{self.model}] {self.severity.value}: {self.title} ({news})"

    @property
    def lines(self) -> tuple[str, ...]:
        """Everything that a person needs, in plain lines."""
        reach = f"{self.owner} {self.contact}".strip() or "nobody: fill in 'owner' in the project file"
        opened = f"{self.opened_at:%Y-%m-%d %H:%M} UTC" if self.opened_at else "–"
        found = [self.message, f"What to do: {self.action}", f"Runbook: {self.runbook}", f"Owner: {reach}"]
        if self.news == Change.ESCALATED.value and self.escalation:
            found.append(f"Next: {', '.join(self.escalation)}")
        if len(self.subjects) > 1:
            found.append(f"Concerned ({len(self.subjects)}): {', '.join(self.subjects)}")
        return (*found, f"Source: {self.source}. Window: {self.window or '–'}. Open since: {opened}.", *self._commands)

    @property
    def _commands(self) -> Sequence[str]:
        """What to type."""
        if self.news in ("test", Change.RESOLVED.value):
            return ()
        return (f"Take it: modelyard alerts --ack {self.alert[-8:]}",)


def notice_of(
    alert: Alert,
    news: Change,
    problem: Problem,
    *,
    versions: tuple[str, ...],
    runbook: str,
    advice: str,
    at: dt.datetime,
) -> Notice:
    """The message about an alert as it stands."""
    action = alert.action if not advice else f"{alert.action} Likely cause asks for: {advice}."
    return Notice(
        protocol=NOTICE_PROTOCOL,
        id="",
        alert=alert.id,
        key=alert.key,
        news=news.value,
        model=alert.model,
        versions=versions,
        kind=alert.kind,
        signal=alert.signal,
        source=alert.source,
        severity=alert.severity,
        title=alert.title,
        subjects=alert.subjects,
        message=alert.message,
        action=action,
        owner=problem.alerts.rules[alert.kind].owner or problem.owner,
        contact=problem.contact,
        escalation=problem.escalation,
        runbook=runbook,
        window=alert.window,
        opened_at=alert.opened_at,
        at=at,
    )
