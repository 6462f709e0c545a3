"""SQLite refuses rows whose key is taken, on every guarded table: INSERT OR REPLACE got past the trigger of DELETE."""

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0002"
down_revision = "0001"

_TAKEN = {
    "ledger": "NEW.sequence != COALESCE((SELECT MAX(sequence) FROM ledger), 0) + 1",
    "model_versions": "EXISTS (SELECT 1 FROM model_versions WHERE name = NEW.name AND digest = NEW.digest) OR "
    "EXISTS (SELECT 1 FROM model_versions WHERE name = NEW.name AND version = NEW.version)",
    "model_stages": "EXISTS (SELECT 1 FROM model_stages WHERE id = NEW.id)",
    "model_approvals": "EXISTS (SELECT 1 FROM model_approvals WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM model_approvals "
    "WHERE name = NEW.name AND version = NEW.version AND approver = NEW.approver)",
    "model_deployments": "EXISTS (SELECT 1 FROM model_deployments WHERE id = NEW.id)",
    "tokens": "EXISTS (SELECT 1 FROM tokens WHERE hash = NEW.hash)",
    "token_revocations": "EXISTS (SELECT 1 FROM token_revocations WHERE hash = NEW.hash)",
}


def upgrade() -> None:
    """One more trigger a table; the ledger's own of the first release makes room for it."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    there = set(sa.inspect(connection).get_table_names())
    op.execute("DROP TRIGGER IF EXISTS ledger_next_only")
    for table, condition in _TAKEN.items():
        if table in there:
            op.execute(
                f"CREATE TRIGGER IF NOT EXISTS {table}_no_replace BEFORE INSERT ON {table} WHEN {condition} "
                f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END"
            )
