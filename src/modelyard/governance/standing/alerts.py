"""How many alerts are open on a model, if anything watches it."""

import datetime as dt

import sqlalchemy as sa

from modelyard.governance.tables import deployments, rollouts

__all__ = ["alerts_since", "first_request"]

_alerts = sa.table("alerts", sa.column("id"), sa.column("model"), sa.column("kind"), sa.column("at"))
_changes = sa.table("alert_changes", sa.column("alert"), sa.column("change"))
_BEGINS, _ENDS = ("opened", "worsened"), ("resolved", "withdrawn")


def alerts_since(connection: sa.Connection, name: str, since: dt.datetime | None = None) -> int | None:
    """Open alerts of a model, first seen at ``since`` or later; None if nobody has ever watched.

    An alert is open once somebody was told of it, until it is resolved or withdrawn. Those of the schedule are about no
    version, and do not count against one.
    """
    if not all(sa.inspect(connection).has_table(table.name) for table in (_alerts, _changes)):
        return None
    begun, over = (
        sa.select(_changes.c.alert).where(_changes.c.change.in_(words)).scalar_subquery() for words in (_BEGINS, _ENDS)
    )
    query = sa.select(sa.func.count()).select_from(_alerts)
    query = query.where(_alerts.c.model == name, _alerts.c.id.in_(begun), _alerts.c.id.not_in(over))
    if since is not None:
        query = query.where(_alerts.c.at >= since.isoformat(), _alerts.c.kind != "schedule")
    return int(connection.execute(query).scalar_one())


def first_request(connection: sa.Connection, name: str, version: int) -> dt.datetime | None:
    """Since when a version has been asked: its first deployment or rollout; None if it never was."""
    moments = [
        connection.execute(
            sa.select(sa.func.min(table.c.at)).where(table.c.name == name, table.c.version == version)
        ).scalar_one()
        for table in (deployments, rollouts)
    ]
    return min((dt.datetime.fromisoformat(moment) for moment in moments if moment is not None), default=None)
