"""The registry's tables. All of them are append-only: what was, stays; what is, is the latest row."""

import sqlalchemy as sa

from modelyard.store import metadata
from modelyard.store.tables import append_only

__all__ = ["approvals", "deployments", "revocations", "stage_changes", "tokens", "versions"]


def _identity() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)


versions = sa.Table(
    "model_versions",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("folder", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.UniqueConstraint("name", "digest"),
)

stage_changes = sa.Table(
    "model_stages",
    metadata,
    _identity(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
)

approvals = sa.Table(
    "model_approvals",
    metadata,
    _identity(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("approver", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.UniqueConstraint("name", "version", "approver"),
)

deployments = sa.Table(
    "model_deployments",
    metadata,
    _identity(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("roles", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Text, nullable=False),
)

revocations = sa.Table("token_revocations", metadata, sa.Column("hash", sa.Text, primary_key=True))

for _table in (versions, stage_changes, approvals, deployments, tokens, revocations):
    append_only(_table)
