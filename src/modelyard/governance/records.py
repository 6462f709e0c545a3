"""What the registry knows of a version: itself, its approvals, its deployments."""

import dataclasses
import datetime as dt

from modelyard.core import Record
from modelyard.governance.stages import Stage

__all__ = ["Approval", "Deployment", "ModelVersion"]


@dataclasses.dataclass(frozen=True)
class ModelVersion(Record):
    """One immutable version of a model.

    Parameters
    ----------
    name, version
        The model, and 1, 2, 3 …
    digest
        Of the whole package; approvals bind to it.
    folder
        Name of the package's folder below ``.modelyard/packages``.
    run_id
        The training run it came from.
    stage
        See :class:`Stage`.
    author, requested_by
        Who built the package, and who registered it; by policy neither may approve.
    created_at
        When it was registered.
    approvals
        How many people have approved it.
    """

    name: str
    version: int
    digest: str
    folder: str
    run_id: str
    stage: Stage
    author: str
    requested_by: str
    created_at: dt.datetime
    approvals: int = 0

    @property
    def subject(self) -> str:
        """Name and version, as the ledger writes them."""
        return f"{self.name}/{self.version}"


@dataclasses.dataclass(frozen=True)
class Approval(Record):
    """Somebody's yes to the bytes of one version, as far as the policy of that time asked them to show something.

    Parameters
    ----------
    name, version, digest
        What was approved.
    approver, reason, at
        Who, why, when.
    policy
        Digest of what the gates asked then; None of an approval given before there were gates.
    conditions
        Under which; see :mod:`modelyard.governance.conditions`.
    expires_at
        When it stops counting; None if never.
    """

    name: str
    version: int
    digest: str
    approver: str
    reason: str
    at: dt.datetime
    policy: str | None = None
    conditions: tuple[str, ...] = ()
    expires_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True)
class Deployment(Record):
    """One step of the deployment log; the latest one says what is in production.

    Parameters
    ----------
    name, version, digest
        What was put into production.
    kind
        ``promote`` or ``rollback``.
    actor, reason, at
        Who, why, when.
    """

    name: str
    version: int
    digest: str
    kind: str
    actor: str
    reason: str
    at: dt.datetime
