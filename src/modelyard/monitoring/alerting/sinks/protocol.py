"""What a sink is, and what it must do."""

from typing import Protocol, runtime_checkable

from modelyard.monitoring.alerting.notice import Notice

__all__ = ["AlertSink"]


@runtime_checkable
class AlertSink(Protocol):
    """Takes messages about alerts to people or programs.

    Duties. ``deliver`` comes back only when the message was taken, and raises otherwise: a ``ModelyardError`` if trying
    again may help, a ``ConfigError`` if somebody has to mend something first. It ends within its ``timeout_s`` and some
    seconds. It is called from one thread, and may be called twice with the same message, when a process was killed
    between sending it and noting so: so the message's ``id`` is handed on wherever the other side can see it. Secrets are
    read from environment variables when they are needed, and stand in no error. A sink of another package is registered
    under the entry points ``modelyard.alert_sinks``: something that is called with the ``SinkPlan`` and the project's
    folder, and gives a sink.
    """

    def deliver(self, notice: Notice) -> None:
        """Take one message there."""
