"""What the registry's tables and the ledger say, read on one connection: versions with their stage, approvals, deployments."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from modelyard.core import StateError
from modelyard.governance.records import Approval, Deployment, ModelVersion
from modelyard.governance.standing.told import told
from modelyard.governance.tables import approvals, deployments, stage_changes, versions
from modelyard.store import LedgerRow

__all__ = [
    "APPROVED",
    "APPROVED_AGAIN",
    "earlier_version",
    "read_approvals",
    "read_deployments",
    "read_version",
    "read_versions",
]

APPROVED = "version.approved"
APPROVED_AGAIN = "version.approved_again"


def read_versions(connection: sa.Connection, name: str | None = None) -> tuple[ModelVersion, ...]:
    """All versions, or those of one model, oldest first."""
    query = sa.select(versions).order_by(versions.c.name, versions.c.version)
    if name is not None:
        query = query.where(versions.c.name == name)
    return tuple(_as_version(connection, row) for row in connection.execute(query).mappings().all())


def read_version(connection: sa.Connection, name: str, number: int) -> ModelVersion:
    """One version.

    Raises
    ------
    StateError
        If there is none of that number.
    """
    known = read_versions(connection, name)
    for item in known:
        if item.version == number:
            return item
    there = ", ".join(str(item.version) for item in known) or "none"
    raise StateError("there is no such version", where=f"{name}/{number}", cure=f"Versions of {name}: {there}")


def read_approvals(connection: sa.Connection, name: str, number: int) -> tuple[Approval, ...]:
    """Every approval of a version, in order; one that expired or that another policy voided may have been given again."""
    rows = told(connection, APPROVED, APPROVED_AGAIN, subject=f"{name}/{number}")
    return tuple(_as_approval(name, number, row) for row in rows)


def read_deployments(connection: sa.Connection, name: str) -> tuple[Deployment, ...]:
    """The deployment log of a model, oldest first."""
    query = sa.select(deployments).where(deployments.c.name == name).order_by(deployments.c.id)
    return tuple(Deployment.from_dict(_without_id(row)) for row in connection.execute(query).mappings().all())


def earlier_version(log: Sequence[Deployment]) -> int | None:
    """The version that a rollback puts back: the one before the present one was promoted; None if there is none.

    A promotion steps forward, a rollback takes the last step back. So a second rollback goes back further, never
    forward again to the version that was just rolled back.
    """
    steps: list[int] = []
    for deployment in log:
        if deployment.kind == "rollback":
            steps.pop()
        else:
            steps.append(deployment.version)
    return steps[-2] if len(steps) > 1 else None


def _as_approval(name: str, number: int, row: LedgerRow) -> Approval:
    """The row's approval; rows of before there were gates name neither policy nor expiry."""
    details = row.details
    days = details.get("expires_in_days")
    return Approval(
        name,
        number,
        str(details["digest"]),
        row.actor,
        str(details["reason"]),
        row.at,
        policy=details.get("policy"),
        conditions=tuple(details.get("conditions", ())),
        expires_at=None if days is None else row.at + dt.timedelta(days=days),
    )


def _without_id(row: sa.RowMapping) -> dict[str, Any]:
    return {str(key): value for key, value in row.items() if key != "id"}


def _as_version(connection: sa.Connection, row: sa.RowMapping) -> ModelVersion:
    """A version row with its latest stage, and the approvals that bind to its digest."""
    same = (stage_changes.c.name == row["name"], stage_changes.c.version == row["version"])
    latest = sa.select(stage_changes.c.stage).where(*same).order_by(stage_changes.c.id.desc()).limit(1)
    bound = (
        approvals.c.name == row["name"],
        approvals.c.version == row["version"],
        approvals.c.digest == row["digest"],
    )
    count = sa.select(sa.func.count()).select_from(approvals).where(*bound)
    stage = connection.execute(latest).scalar_one()
    return ModelVersion.from_dict({**row, "stage": stage, "approvals": connection.execute(count).scalar_one()})
