"""A webhook: the notice as JSON, signed."""

import os
import time
from pathlib import Path

from modelyard.core import ConfigError, canonical_json
from modelyard.monitoring.alerting.notice import Notice
from modelyard.monitoring.alerting.sinks.posting import post
from modelyard.monitoring.alerting.sinks.signature import sign
from modelyard.problem.sections import SinkPlan

__all__ = ["WebhookSink", "secret_of"]


class WebhookSink:
    """Posts each notice with its id (``X-Modelyard-Delivery``), the moment, and, with a key, the signature."""

    def __init__(self, plan: SinkPlan, root: Path) -> None:
        self._plan = plan
        self._root = root

    def deliver(self, notice: Notice) -> None:
        """Post the message."""
        body = canonical_json(notice.to_dict())
        timestamp = int(time.time())
        headers = {"X-Modelyard-Delivery": notice.id, "X-Modelyard-Timestamp": str(timestamp)}
        if self._plan.secret is not None:
            headers["X-Modelyard-Signature"] = sign(secret_of(self._plan.secret), timestamp, body)
        post(self._plan, self._root, body, headers)


def secret_of(variable: str) -> str:
    """The value of an environment variable.

    Raises
    ------
    ConfigError
        If it is not set.
    """
    value = os.environ.get(variable, "")
    if not value:
        raise ConfigError(
            f"the environment variable {variable} is not set",
            where="alerts.sinks",
            cure=f"Set it before the command: export {variable}=…",
        )
    return value
