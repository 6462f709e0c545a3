"""How many alerts are open on a version, if anything watches."""

import sqlalchemy as sa

__all__ = ["open_alerts"]


def open_alerts(connection: sa.Connection, subject: str) -> int | None:
    """How many are open on ``name/version``; None if nobody watches."""
    del connection, subject
    return None
