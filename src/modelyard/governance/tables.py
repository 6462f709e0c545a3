"""The registry's tables. What was, stays; what is, is the latest row. Only the lease of a rollout is overwritten."""

import sqlalchemy as sa

from modelyard.store import metadata
from modelyard.store.tables import append_only

__all__ = [
    "approvals",
    "deployments",
    "revocations",
    "rollout_changes",
    "rollout_leases",
    "rollouts",
    "stage_changes",
    "token_scopes",
    "tokens",
    "versions",
]


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

rollouts = sa.Table(
    "model_rollouts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("champion", sa.Integer, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)

rollout_changes = sa.Table(
    "model_rollout_changes",
    metadata,
    _identity(),
    sa.Column("rollout", sa.Text, nullable=False),
    sa.Column("phase", sa.Text, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("weight", sa.Integer, nullable=False),
    sa.Column("waits", sa.Boolean, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("numbers", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)

# Which process drives a rollout, until when, and how far it has come within the step: worth nothing once it is over.
rollout_leases = sa.Table(
    "model_rollout_leases",
    metadata,
    sa.Column("rollout", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", sa.Float, nullable=False),
    sa.Column("change", sa.Integer, nullable=False),
    sa.Column("progress", sa.Text, nullable=False),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("roles", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Text, nullable=False),
)

# A token without a row here is for every model of the database; with one, or several, for these alone.
token_scopes = sa.Table(
    "token_scopes",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
)

revocations = sa.Table("token_revocations", metadata, sa.Column("hash", sa.Text, primary_key=True))

for _table in (
    versions,
    stage_changes,
    approvals,
    deployments,
    rollouts,
    rollout_changes,
    tokens,
    token_scopes,
    revocations,
):
    append_only(_table)
