"""The first release: ledger, versions, stages, approvals, deployments and tokens. Stores begin here or later."""

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing to do: this is the form that the first release made."""
