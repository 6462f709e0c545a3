"""Alerts: who is told of what monitoring found, once, and until it is over.

Takes: findings of a report, the project's rules, what the log of alerts holds.
Gives: moves of alerts beside the ledger's rows, and messages at sinks, each at least once under one id.
Never: tells of one thing twice within its cooldown, counts silence of the data as an all-clear, or loses a message whose
sink is down.
"""

from modelyard.monitoring.alerting.conditions import Condition, Seen, conditions_of, report_conditions
from modelyard.monitoring.alerting.delivery import Delivery, deliver_waiting, try_sink
from modelyard.monitoring.alerting.following import AlertRun, follow_up
from modelyard.monitoring.alerting.kinds import kind_of
from modelyard.monitoring.alerting.machine import Move, judge
from modelyard.monitoring.alerting.notice import Notice
from modelyard.monitoring.alerting.raising import raise_alerts
from modelyard.monitoring.alerting.recent import recent_loss
from modelyard.monitoring.alerting.sources import source_of

__all__ = [
    "AlertRun",
    "Condition",
    "Delivery",
    "Move",
    "Notice",
    "Seen",
    "conditions_of",
    "deliver_waiting",
    "follow_up",
    "judge",
    "kind_of",
    "raise_alerts",
    "recent_loss",
    "report_conditions",
    "source_of",
    "try_sink",
]
