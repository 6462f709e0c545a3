"""Events in the ledger: those that people note, and those that the software knows by itself."""

import dataclasses
import datetime as dt
from collections.abc import Mapping

from modelyard.core import Actor, ConfigError, Record
from modelyard.governance import require_permission
from modelyard.store import Ledger, LedgerRow

__all__ = ["Event", "note_event", "parse_moment", "read_events"]

_NOTED = "event.noted"
_LONGEST_TITLE = 120
_LONGEST_KIND = 40

_KNOWN: Mapping[str, tuple[str, str]] = {
    "version.promoted": ("deployment", "version {version} promoted"),
    "version.rolled_back": ("rollback", "back to version {version}: {reason}"),
    "rollout.started": ("rollout", "rollout of version {version} begins"),
    "rollout.aborted": ("rollback", "rollout of version {version} aborted: {why}"),
    "model.retrained": ("retraining", "retraining: {outcome}"),
    "data.changed": ("data", "the source has changed: {what}"),
}
"""Rows of the ledger that are events: kind and words, filled from the row."""


@dataclasses.dataclass(frozen=True)
class Event(Record):
    """Something that happened at a moment or over a time.

    Parameters
    ----------
    at, until
        When it was, or began, and when it ended; None for a moment.
    kind
        A word: ``market``, ``campaign``, ``outage``; of its own accord ``deployment``, ``rollback``, ``rollout``,
        ``retraining`` and ``data``.
    title
        What happened, in a few words.
    actor
        Who noted or did it.
    """

    at: dt.datetime
    until: dt.datetime | None
    kind: str
    title: str
    actor: str


def note_event(
    ledger: Ledger,
    model: str,
    actor: Actor,
    title: str,
    *,
    at: dt.datetime,
    until: dt.datetime | None = None,
    kind: str = "event",
) -> Event:
    """Note what happened; moments may lie in the past or in the future.

    Raises
    ------
    ConfigError
        If the title or the kind is empty or too long, or the end comes before the beginning.
    NotPermittedError
        If the actor may not handle alerts.
    """
    require_permission(actor, "handle_alerts")
    title, kind = " ".join(title.split()), " ".join(kind.split())
    for name, text, longest in (("title", title, _LONGEST_TITLE), ("--kind", kind, _LONGEST_KIND)):
        if not 0 < len(text) <= longest:
            raise ConfigError(
                "an event needs a few words", where=name, got=f"{len(text)} letters", cure=f"Say it in 1 to {longest}"
            )
    if until is not None and until < at:
        raise ConfigError(
            "the event ends before it begins", where="--until", got=until.isoformat(), cure="Give a later moment"
        )
    event = Event(at, until, kind, title, actor.name)
    ledger.append(actor, _NOTED, model, event.to_dict())
    return event


def read_events(
    ledger: Ledger, model: str, *, since: dt.datetime | None = None, until: dt.datetime | None = None
) -> tuple[Event, ...]:
    """Events that touch the time between two moments, oldest first: noted ones, and those of the model's own life."""
    found = [event for row in ledger.rows() if (event := _event(row, model)) is not None]
    kept = [
        event
        for event in found
        if (since is None or (event.until or event.at) >= since) and (until is None or event.at <= until)
    ]
    return tuple(sorted(kept, key=lambda event: event.at))


def parse_moment(text: str, where: str) -> dt.datetime:
    """A day or a moment in ISO 8601; without a zone it is UTC.

    Raises
    ------
    ConfigError
        If it is none.

    >>> parse_moment("2026-03-01", "--at").isoformat()
    '2026-03-01T00:00:00+00:00'
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            "this is no moment", where=where, got=repr(text), cure="Write it as 2026-03-01 or 2026-03-01T09:30"
        ) from error
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def _event(row: LedgerRow, model: str) -> Event | None:
    """The event that a row tells of; None if it tells of none."""
    if row.action == _NOTED:
        return Event.from_dict(row.details) if row.subject == model else None
    if row.action not in _KNOWN:
        return None
    name, _, version = row.subject.rpartition("/")
    if name and name != model:
        return None
    kind, words = _KNOWN[row.action]
    title = words.format_map(_Words({**row.details, "version": version}))
    return Event(row.at, None, kind, title[:_LONGEST_TITLE], row.actor)


class _Words(dict[str, object]):
    """What a row says by name; what it does not say is a dash."""

    def __missing__(self, key: str) -> str:
        return "–"
