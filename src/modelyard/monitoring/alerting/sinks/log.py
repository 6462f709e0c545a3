"""The process's own log: always there, and read by whatever collects logs on the machine."""

import logging
from pathlib import Path

from modelyard.core import Severity
from modelyard.monitoring.alerting.notice import Notice
from modelyard.problem.sections import SinkPlan

__all__ = ["LogSink"]

_logger = logging.getLogger("modelyard.alerts")
_LEVELS = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING, Severity.ERROR: logging.ERROR}


class LogSink:
    """One record a message on the logger ``modelyard.alerts``, with the notice as ``record.alert``."""

    def __init__(self, plan: SinkPlan, root: Path) -> None:
        self._plan = plan
        self._root = root

    def deliver(self, notice: Notice) -> None:
        """Log the message."""
        level = logging.INFO if notice.news == "resolved" else _LEVELS[notice.severity]
        _logger.log(level, "%s %s", notice.headline, notice.message, extra={"alert": notice.to_dict()})
