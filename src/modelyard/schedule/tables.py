"""The scheduler's two tables. They are overwritten: what they lose costs one run too many, and no history."""

import sqlalchemy as sa

from modelyard.store import metadata

__all__ = ["schedule_jobs", "schedule_leases"]

# Which moment of a job was served last, and how often it has failed since. `failures` counts a run from its beginning, so
# that one that kills its process is one that failed.
schedule_jobs = sa.Table(
    "schedule_jobs",
    metadata,
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("job", sa.Text, primary_key=True),
    sa.Column("served", sa.Float),
    sa.Column("began", sa.Float),
    sa.Column("ended", sa.Float),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("retry", sa.Float),
    sa.Column("said", sa.Text, nullable=False),
)

# Who does what is due, and until when nobody else may.
schedule_leases = sa.Table(
    "schedule_leases",
    metadata,
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", sa.Float, nullable=False),
)
