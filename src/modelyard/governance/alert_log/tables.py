"""The tables of alerts; rows are only ever added."""

import sqlalchemy as sa

from modelyard.store import metadata
from modelyard.store.tables import append_only

__all__ = ["ALERT_TABLES", "alert_attempts", "alert_changes", "alert_messages", "alert_silences", "alerts"]


def _identity() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)


def _texts(*names: str) -> tuple[sa.Column[str], ...]:
    return tuple(sa.Column(name, sa.Text, nullable=False) for name in names)


alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    *_texts("key", "model", "kind", "signal", "source", "at"),
)

alert_changes = sa.Table(
    "alert_changes",
    metadata,
    _identity(),
    *_texts("alert", "change", "severity", "title", "details", "window", "actor", "reason", "at"),
)

alert_silences = sa.Table(
    "alert_silences",
    metadata,
    _identity(),
    *_texts("pattern", "reason", "until", "actor", "at"),
)

alert_messages = sa.Table(
    "alert_messages",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    *_texts("alert", "sink", "body", "at"),
)

alert_attempts = sa.Table(
    "alert_attempts",
    metadata,
    _identity(),
    *_texts("message", "outcome", "said", "at"),
    sa.Column("tries", sa.Integer, nullable=False),
)

ALERT_TABLES = (alerts, alert_changes, alert_silences, alert_messages, alert_attempts)
"""All of them; the ledger is held against each."""

for _table in ALERT_TABLES:
    append_only(_table)
