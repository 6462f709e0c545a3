"""What a version must have before requests come to it: an owner who answers for it, and enough approvals."""

from collections.abc import Sequence

import sqlalchemy as sa

from modelyard.core import GateRefusedError, WaitingForApprovalError
from modelyard.governance.history import read_approvals
from modelyard.governance.identity import is_same_person
from modelyard.governance.records import Approval, ModelVersion
from modelyard.governance.roles import roles_that_may
from modelyard.governance.stages import Stage, require_transition
from modelyard.governance.tables import stage_changes
from modelyard.problem.schema import Policy
from modelyard.store import LedgerTransaction

__all__ = ["counted_approvals", "made_by", "require_owner", "require_promotable", "set_stage"]


def require_owner(version: ModelVersion, owner: str) -> None:
    """Let a model that has an owner pass.

    Raises
    ------
    GateRefusedError
        If nobody is named.
    """
    if not owner.strip():
        raise GateRefusedError(
            "no model goes into production without an owner",
            where=version.subject,
            cure="Fill in 'owner' in the project file",
        )


def require_promotable(connection: sa.Connection, version: ModelVersion, policy: Policy, to: Stage) -> list[Approval]:
    """The approvals with which a version may come to stage ``to``, by the policy as it is now.

    Raises
    ------
    StateError
        If its stage does not allow it.
    WaitingForApprovalError
        If approvals are missing.
    """
    # A candidate with all approvals is approved in all but name: the policy asked for more when they came.
    stage = Stage.APPROVED if version.stage is Stage.CANDIDATE else version.stage
    require_transition(version.subject, stage, to)
    counted = counted_approvals(read_approvals(connection, version.name, version.version), version, policy)
    if len(counted) < policy.approvals:
        raise WaitingForApprovalError(
            "the version waits for approval",
            where=version.subject,
            got=f"{len(counted)} of {policy.approvals} approvals",
            cure=f'Somebody who is {roles_that_may("approve")} runs: modelyard approve {version.version} --reason "..."',
        )
    return counted


def counted_approvals(given: Sequence[Approval], version: ModelVersion, policy: Policy) -> list[Approval]:
    """The approvals that hold for these bytes under the policy as it is now, which may have become stricter."""
    bound = [approval for approval in given if approval.digest == version.digest]
    return [approval for approval in bound if not (policy.two_person and made_by(approval.approver, version))]


def made_by(name: str, version: ModelVersion) -> bool:
    """True if somebody of this name built or registered the version."""
    return any(is_same_person(name, maker) for maker in (version.author, version.requested_by))


def set_stage(transaction: LedgerTransaction, version: ModelVersion, stage: Stage) -> None:
    """One more stage row."""
    row = {"name": version.name, "version": version.version, "stage": stage.value}
    transaction.connection.execute(stage_changes.insert().values(row))
