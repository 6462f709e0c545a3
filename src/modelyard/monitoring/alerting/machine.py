"""What becomes of alerts when something is seen, or is no longer seen. Pure: time and state come in, moves go out."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Sequence

from modelyard.core import Severity
from modelyard.governance.alert_log import Alert, AlertPhase, Change
from modelyard.monitoring.alerting.conditions import Condition, Seen
from modelyard.problem.sections import AlertRule

__all__ = ["Move", "judge", "news_of"]


@dataclasses.dataclass(frozen=True)
class Move:
    """One step of one alert.

    Parameters
    ----------
    change
        What happens to it.
    alert
        Which; None for one that begins with this step.
    condition
        What is seen of it; None where nothing is.
    reason
        Why, if it does not go without saying.
    """

    change: Change
    alert: Alert | None
    condition: Condition | None = None
    reason: str = ""


def judge(
    seen: Seen, alerts: Sequence[Alert], rules: Callable[[str], AlertRule], now: dt.datetime, *, levels: int = 1
) -> tuple[Move, ...]:
    """What one look means for the alerts of a model.

    Parameters
    ----------
    seen
        The look.
    alerts
        Those that are not over.
    rules
        The rule of each kind.
    now
        The moment of the look.
    levels
        How many times an alert may go one step up.
    """
    active = {alert.key: alert for alert in alerts}
    moves: list[Move] = []
    for condition in seen.conditions:
        moves += _sighting(condition, active.get(condition.key), rules(condition.kind), seen.window)
    present = {condition.key for condition in seen.conditions}
    for alert in alerts:
        if alert.key not in present and alert.kind in seen.judged:
            was_open = alert.phase is not AlertPhase.PENDING
            moves.append(Move(Change.RESOLVED if was_open else Change.WITHDRAWN, alert, reason="seen no longer"))
        elif alert.phase is AlertPhase.OPEN and alert.escalations < levels and _is_late(alert, rules(alert.kind), now):
            moves.append(Move(Change.ESCALATED, alert, reason="nobody acknowledged it"))
    return tuple(moves)


def news_of(alert: Alert, rule: AlertRule, last_told: dt.datetime | None, now: dt.datetime) -> Change | None:
    """What people should be told of an alert now; None if nothing, or not yet.

    Parameters
    ----------
    alert
        As it stands after its moves.
    rule
        Of its kind.
    last_told
        When anybody was last told of the same key, in this alert or an earlier one.
    """
    if alert.phase is not AlertPhase.OPEN or not alert.owed:
        return None
    loud = [news for news in (Change.ESCALATED, Change.WORSENED) if news in alert.owed]
    if loud:
        return loud[0]
    if last_told is not None and (now - last_told).total_seconds() < rule.cooldown_s:
        return None
    return Change.OPENED if Change.OPENED in alert.owed else alert.owed[-1]


def _sighting(condition: Condition, alert: Alert | None, rule: AlertRule, window: str) -> Iterator[Move]:
    """The step of an alert that is seen, if it is one."""
    if alert is None:
        yield Move(Change.OPENED if rule.persistence == 1 else Change.SEEN, None, condition)
    elif alert.phase is AlertPhase.PENDING:
        if window != alert.window:
            lasted = alert.windows + 1 >= rule.persistence
            yield Move(Change.OPENED if lasted else Change.SEEN, alert, condition)
    elif condition.severity.rank > Severity(alert.severity).rank:
        yield Move(Change.WORSENED, alert, condition)
    elif not set(condition.subjects) <= set(alert.subjects):
        yield Move(Change.CHANGED, alert, condition, "more is concerned than before")


def _is_late(alert: Alert, rule: AlertRule, now: dt.datetime) -> bool:
    """True if somebody was told of the alert, and nobody took it in time."""
    since, wait = alert.escalated_at, rule.escalate_after_s
    if since is None or wait is None or alert.told_at is None:
        return False
    return (now - since).total_seconds() >= wait
