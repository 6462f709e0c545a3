"""What people do with alerts: look, take them, silence them for a time, say whether they were of use."""

import datetime as dt
from collections.abc import Sequence

from modelyard.core import Actor, Clock, ConfigError, StateError, system_clock
from modelyard.governance.alert_log.folding import read_alerts
from modelyard.governance.alert_log.outbox import read_attempts, read_messages, read_waiting
from modelyard.governance.alert_log.records import (
    Alert,
    AlertChange,
    AlertMessage,
    AlertPhase,
    Attempt,
    Change,
    Silence,
)
from modelyard.governance.alert_log.rows import enter_change, enter_silence, read_changes, read_silences
from modelyard.governance.roles import require_permission
from modelyard.store import Ledger

__all__ = ["AlertDesk"]

_LONGEST = dt.timedelta(days=366)
_FEWEST_LETTERS = 4


class AlertDesk:
    """The alerts of one model as people handle them.

    Parameters
    ----------
    ledger
        Beside whose rows they are kept.
    model
        The model's name.
    actor
        Who acts.
    clock
        Says whether a silence still holds.
    """

    def __init__(self, ledger: Ledger, model: str, actor: Actor, *, clock: Clock = system_clock) -> None:
        self._ledger = ledger
        self._model = model
        self._actor = actor
        self._clock = clock

    def all(self) -> tuple[Alert, ...]:
        """Every alert there ever was, oldest first."""
        self._ledger.create_tables()
        with self._ledger.reading() as connection:
            return read_alerts(connection, self._model)

    def open(self) -> tuple[Alert, ...]:
        """Alerts that somebody should know of: open or acknowledged, the most severe first."""
        active = [one for one in self.all() if one.phase in (AlertPhase.OPEN, AlertPhase.ACKNOWLEDGED)]
        return tuple(sorted(active, key=lambda one: -one.severity.rank))

    def history(self) -> tuple[tuple[Alert, tuple[AlertChange, ...]], ...]:
        """Every alert as it began, with all that happened to it."""
        self._ledger.create_tables()
        with self._ledger.reading() as connection:
            return read_changes(connection, self._model)

    def acknowledge(self, id_: str, reason: str = "") -> Alert:
        """Take an alert: it is not escalated any more, unless it gets worse.

        Parameters
        ----------
        id_
            Its id, or as many of the last letters as name no other.

        Raises
        ------
        StateError
            If there is no such alert, or it is not open.
        NotPermittedError
            If the actor may not handle alerts.
        """
        alert = self._named(id_)
        if alert.phase is not AlertPhase.OPEN:
            raise StateError(
                "the alert waits for nobody",
                where=alert.key,
                got=alert.phase.value,
                cure="Run: modelyard alerts, to see those that do",
            )
        return self._change(alert, Change.ACKNOWLEDGED, {}, reason)

    def rate(self, id_: str, *, useful: bool, reason: str = "") -> Alert:
        """Say whether an alert was worth a person's time; reviews count it.

        Raises
        ------
        StateError
            If there is no such alert, or nobody ever saw it.
        NotPermittedError
            If the actor may not handle alerts.
        """
        alert = self._named(id_)
        if alert.opened_at is None:
            raise StateError(
                "the alert never opened, so nobody can say whether it was of use",
                where=alert.key,
                got=alert.phase.value,
                cure="Run: modelyard alerts --history, to see those that did",
            )
        return self._change(alert, Change.RATED, {"useful": useful}, reason)

    def silence(self, pattern: str, length: dt.timedelta, reason: str) -> Silence:
        """Have nobody told of what matches for some time; it is judged and kept all the same.

        Parameters
        ----------
        pattern
            A key, ``model/signal/source``, or a pattern with ``*``.
        length
            For how long, at most a year; no time at all ends the silence.

        Raises
        ------
        ConfigError
            If there is no reason, or the time is negative or too long.
        NotPermittedError
            If the actor may not handle alerts.
        """
        require_permission(self._actor, "handle_alerts")
        if not reason.strip():
            raise ConfigError("a silence needs a reason", where=pattern, cure='Say why: --reason "..."')
        if not dt.timedelta(0) <= length <= _LONGEST:
            raise ConfigError(
                "a silence lasts between no time and a year", where=pattern, got=str(length), cure="Give: --for 7d"
            )
        self._ledger.create_tables()
        with self._ledger.transaction() as transaction:
            return enter_silence(transaction, pattern, self._clock() + length, reason.strip(), self._actor)

    def silences(self) -> tuple[Silence, ...]:
        """Those that hold now."""
        self._ledger.create_tables()
        with self._ledger.reading() as connection:
            return tuple(one for one in read_silences(connection) if self._clock() < one.until)

    def waiting(self) -> tuple[AlertMessage, ...]:
        """Messages that no sink took yet, oldest first."""
        self._ledger.create_tables()
        with self._ledger.reading() as connection:
            return read_waiting(connection)

    def deliveries(self) -> tuple[tuple[AlertMessage, tuple[Attempt, ...]], ...]:
        """Every message with every attempt at it."""
        self._ledger.create_tables()
        with self._ledger.reading() as connection:
            messages, attempts = read_messages(connection), read_attempts(connection)
        return tuple((one, tuple(try_ for try_ in attempts if try_.message == one.id)) for one in messages)

    def _change(self, alert: Alert, change: Change, details: dict[str, object], reason: str) -> Alert:
        """Enter what somebody did, and give the alert as it stands then."""
        seen = {"severity": alert.severity, "title": alert.title, "window": alert.window, **details}
        with self._ledger.transaction() as transaction:
            enter_change(transaction, alert.id, alert.key, change, seen, actor=self._actor, reason=reason)
            return _with_id(read_alerts(transaction.connection, self._model), alert.id)

    def _named(self, id_: str) -> Alert:
        """The alert of that id, or whose id alone ends so, for who may handle it."""
        require_permission(self._actor, "handle_alerts")
        known = self.all()
        found = [one for one in known if one.id == id_ or (len(id_) >= _FEWEST_LETTERS and one.id.endswith(id_))]
        if len(found) != 1:
            what = "there is no such alert" if not found else "several alerts end so"
            raise StateError(
                what, where=self._model, got=repr(id_), cure="Run: modelyard alerts, and name one of the ids"
            )
        return found[0]


def _with_id(alerts: Sequence[Alert], id_: str) -> Alert:
    return next(one for one in alerts if one.id == id_)
