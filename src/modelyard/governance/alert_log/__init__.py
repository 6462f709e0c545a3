"""The log of alerts: what was seen of each, who was told, who took it, as rows beside the ledger's.

Takes: moves that :mod:`modelyard.monitoring.alerting` decided on, and what people say of alerts.
Gives: alerts as they stand, silences, messages that wait for their sink, and what the ledger must tell of all of them.
Never: changes a row, or sends anything.
"""

from modelyard.governance.alert_log.account import alert_account
from modelyard.governance.alert_log.desk import AlertDesk
from modelyard.governance.alert_log.folding import fold, read_alerts
from modelyard.governance.alert_log.outbox import (
    enter_attempt,
    enter_messages,
    read_attempts,
    read_messages,
    read_waiting,
)
from modelyard.governance.alert_log.records import (
    Alert,
    AlertChange,
    AlertMessage,
    AlertPhase,
    Attempt,
    Change,
    Outcome,
    Silence,
)
from modelyard.governance.alert_log.rows import enter_alert, enter_change, enter_silence, read_changes, read_silences

__all__ = [
    "Alert",
    "AlertChange",
    "AlertDesk",
    "AlertMessage",
    "AlertPhase",
    "Attempt",
    "Change",
    "Outcome",
    "Silence",
    "alert_account",
    "enter_alert",
    "enter_attempt",
    "enter_change",
    "enter_messages",
    "enter_silence",
    "fold",
    "read_alerts",
    "read_attempts",
    "read_changes",
    "read_messages",
    "read_silences",
    "read_waiting",
]
