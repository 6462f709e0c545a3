"""The way to the newest form: Alembic's, which is imported when there is something to do."""

from pathlib import Path

import sqlalchemy as sa

from modelyard.core import MissingExtraError
from modelyard.store.schema.revision import HEAD, stamp

__all__ = ["upgrade"]


def upgrade(connection: sa.Connection, revision: str) -> None:
    """Bring the tables from ``revision`` to the newest one, within the transaction that has begun.

    Raises
    ------
    MissingExtraError
        If Alembic is not installed.
    """
    try:
        from alembic import command
        from alembic.config import Config
    except ImportError as error:
        needed_for = f"bringing the store of an earlier release from revision {revision} to {HEAD}"
        raise MissingExtraError("alembic", extra="migrations", needed_for=needed_for) from error
    if not sa.inspect(connection).has_table("alembic_version"):
        stamp(connection, revision)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
