"""Messages on their way, and how each attempt at them ended."""

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from modelyard.core import Actor, digest_json, new_id
from modelyard.governance.alert_log.records import AlertMessage, Attempt, Outcome
from modelyard.governance.alert_log.rows import text
from modelyard.governance.alert_log.tables import alert_attempts, alert_messages
from modelyard.store import LedgerTransaction

__all__ = ["enter_attempt", "enter_messages", "read_attempts", "read_messages", "read_waiting"]


def enter_messages(
    transaction: LedgerTransaction, alert: str, key: str, bodies: Mapping[str, Mapping[str, Any]], actor: Actor
) -> None:
    """Put one message for each sink into the outbox; ``bodies`` are by sink, and get the message's id as ``id``."""
    for sink, content in bodies.items():
        id_ = new_id()
        body = {**content, "id": id_}
        row = transaction.append(
            actor, "alert.message", key, {"message": id_, "alert": alert, "sink": sink, "body": digest_json(body)}
        )
        values = {"id": id_, "alert": alert, "sink": sink, "body": text(body), "at": row.at.isoformat()}
        transaction.connection.execute(alert_messages.insert().values(values))


def enter_attempt(
    transaction: LedgerTransaction, message: AlertMessage, outcome: Outcome, tries: int, said: str, actor: Actor
) -> None:
    """How one round of tries ended."""
    details = {"message": message.id, "outcome": outcome.value, "tries": tries, "said": said}
    row = transaction.append(actor, "alert.attempt", message.sink, details)
    values = {"message": message.id, "outcome": outcome.value, "said": said, "tries": tries, "at": row.at.isoformat()}
    transaction.connection.execute(alert_attempts.insert().values(values))


def read_messages(connection: sa.Connection, alert: str | None = None) -> tuple[AlertMessage, ...]:
    """All messages, or those about one alert, oldest first."""
    query = sa.select(alert_messages).order_by(alert_messages.c.at, alert_messages.c.id)
    if alert is not None:
        query = query.where(alert_messages.c.alert == alert)
    return tuple(_message(row) for row in connection.execute(query).mappings().all())


def read_waiting(connection: sa.Connection) -> tuple[AlertMessage, ...]:
    """Messages that are neither delivered nor given up, oldest first."""
    ended = sa.select(alert_attempts.c.message).where(alert_attempts.c.outcome != Outcome.FAILED.value)
    query = sa.select(alert_messages).where(alert_messages.c.id.not_in(ended))
    query = query.order_by(alert_messages.c.at, alert_messages.c.id)
    return tuple(_message(row) for row in connection.execute(query).mappings().all())


def read_attempts(connection: sa.Connection) -> tuple[Attempt, ...]:
    """The delivery record: every round of tries, oldest first."""
    rows = connection.execute(sa.select(alert_attempts).order_by(alert_attempts.c.id)).mappings().all()
    return tuple(Attempt.from_dict({str(key): value for key, value in row.items() if key != "id"}) for row in rows)


def _message(row: sa.RowMapping) -> AlertMessage:
    return AlertMessage.from_dict({**{str(key): value for key, value in row.items()}, "body": json.loads(row["body"])})
