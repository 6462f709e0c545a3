"""Where messages about alerts go.

Takes: a notice, and what the project file says of the sink.
Gives: log lines, JSON lines, signed webhooks, Slack's JSON, mails; others by the entry points ``modelyard.alert_sinks``.
Never: holds a password, follows a redirect, or says that something arrived which did not.
"""

from modelyard.monitoring.alerting.sinks.protocol import AlertSink
from modelyard.monitoring.alerting.sinks.registry import make_sink
from modelyard.monitoring.alerting.sinks.signature import sign, verify_signature

__all__ = ["AlertSink", "make_sink", "sign", "verify_signature"]
