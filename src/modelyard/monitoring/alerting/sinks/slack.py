"""Slack's incoming webhooks, which others understand too: Mattermost, Rocket.Chat, Discord with ``/slack``."""

from pathlib import Path
from typing import Any

from modelyard.core import Severity, canonical_json
from modelyard.monitoring.alerting.notice import Notice
from modelyard.monitoring.alerting.sinks.posting import post
from modelyard.problem.sections import SinkPlan

__all__ = ["SlackSink", "slack_message"]

_COLOURS = {Severity.INFO: "#4c78a8", Severity.WARNING: "#e0a100", Severity.ERROR: "#c0392b"}
_OVER = "#2e7d32"
_LONGEST = 2900  # Slack takes 3,000 characters a block
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class SlackSink:
    """Posts each notice in Slack's format."""

    def __init__(self, plan: SinkPlan, root: Path) -> None:
        self._plan = plan
        self._root = root

    def deliver(self, notice: Notice) -> None:
        """Post the message."""
        post(self._plan, self._root, canonical_json(slack_message(notice)), {"X-Modelyard-Delivery": notice.id})


def slack_message(notice: Notice) -> dict[str, Any]:
    """The notice as Slack shows it: a line for notifications, and blocks with a coloured bar.

    Data may hold what Slack would read as a mention or a link; the three characters that begin one are escaped.
    """
    lines = "\n".join(notice.lines).translate(_ESCAPES)[:_LONGEST]
    headline = notice.headline.translate(_ESCAPES)
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": f"*{headline[:_LONGEST]}*"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": lines}},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": f"alert `{notice.alert}` message `{notice.id}`"}]},
    ]
    colour = _OVER if notice.news == "resolved" else _COLOURS[notice.severity]
    return {"text": headline, "attachments": [{"color": colour, "blocks": blocks}]}
