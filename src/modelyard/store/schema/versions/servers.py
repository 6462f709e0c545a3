"""PostgreSQL refuses UPDATE, DELETE and TRUNCATE of guarded tables, and gaps in the ledger; it had no triggers before."""

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0003"
down_revision = "0002"

_TABLES = (
    "ledger",
    "model_versions",
    "model_stages",
    "model_approvals",
    "model_deployments",
    "model_rollouts",
    "model_rollout_changes",
    "tokens",
    "token_revocations",
)
_REFUSE = """
BEGIN
  RAISE EXCEPTION USING MESSAGE = 'rows of ' || TG_TABLE_NAME || ' are never changed', ERRCODE = '23000';
END
"""
_NEXT = """
BEGIN
  IF NEW.sequence <> COALESCE((SELECT MAX(sequence) FROM ledger), 0) + 1 THEN
    RAISE EXCEPTION USING MESSAGE = 'rows of ledger are never changed', ERRCODE = '23000';
  END IF;
  RETURN NEW;
END
"""


def upgrade() -> None:
    """Two functions, and the triggers that call them."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    there = set(sa.inspect(connection).get_table_names())
    for name, body in (("modelyard_never_changed", _REFUSE), ("modelyard_next_of_ledger", _NEXT)):
        op.execute(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $modelyard${body}$modelyard$"
        )
    for table in _TABLES:
        if table in there:
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION modelyard_never_changed()"
            )
    op.execute(
        "CREATE TRIGGER ledger_next_only BEFORE INSERT ON ledger "
        "FOR EACH ROW EXECUTE FUNCTION modelyard_next_of_ledger()"
    )
