"""Which form the tables of a store have."""

import sqlalchemy as sa

from modelyard.core import StateError

__all__ = ["FOREIGN", "HEAD", "require_known", "revision_of", "stamp"]

HEAD = "0003"
"""The form that this release makes and needs; one file in ``versions`` for each. New tables alone are no new form."""

FOREIGN = "foreign"
"""In place of a revision: there is a table ``ledger``, and it is not ours. It is left alone; whoever reads it is told."""

_KNOWN = ("0001", "0002", HEAD, FOREIGN)
_LEDGER = frozenset(
    ("sequence", "at", "actor", "actor_source", "action", "subject", "details", "previous", "hash"),
)

# Where Alembic keeps the revision; so its own command could be used as well.
_stamps = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))


def revision_of(connection: sa.Connection) -> str | None:
    """The revision of a store; None if it has no ledger yet.

    Releases before the first stamp are known by their triggers: no step is taken because one is merely missing, for
    that is what tampering looks like.
    """
    inspector = sa.inspect(connection)
    if inspector.has_table(_stamps.name):
        return connection.execute(sa.select(_stamps.c.version_num)).scalar_one_or_none()
    if not inspector.has_table("ledger"):
        return None
    if not {item["name"] for item in inspector.get_columns("ledger")} >= _LEDGER:
        return FOREIGN
    if connection.dialect.name != "sqlite":
        return "0002"
    query = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = 'ledger_next_only'"
    return HEAD if connection.exec_driver_sql(query).one_or_none() is None else "0001"


def require_known(revision: str | None, where: str) -> None:
    """Let a store pass whose form this release knows.

    Raises
    ------
    StateError
        If a later release made it.
    """
    if revision is not None and revision not in _KNOWN:
        raise StateError(
            "a later release of modelyard made this store",
            where=where,
            got=f"revision {revision}, known are those up to {HEAD}",
            cure="Install that release, or a later one: pip install --upgrade modelyard",
        )


def stamp(connection: sa.Connection, revision: str = HEAD) -> None:
    """Note the revision of tables that were just made."""
    _stamps.create(connection, checkfirst=True)
    connection.execute(_stamps.insert().values(version_num=revision))
