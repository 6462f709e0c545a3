"""What people decide about a version, as rows: approvals, and promotions past the gates."""

import datetime as dt
from collections.abc import Sequence

from modelyard.core import Actor, StateError
from modelyard.governance.gating import GateDecision
from modelyard.governance.history import APPROVED, APPROVED_AGAIN, read_approvals
from modelyard.governance.records import ModelVersion
from modelyard.governance.stages import Stage
from modelyard.governance.standing.break_glass import BROKEN
from modelyard.governance.tables import approvals
from modelyard.problem.schema import Policy
from modelyard.store import LedgerTransaction

__all__ = ["enter_approval", "enter_broken_glass"]


def enter_approval(
    transaction: LedgerTransaction,
    version: ModelVersion,
    actor: Actor,
    said: Sequence[str],
    policy: Policy,
    stage: Stage,
) -> None:
    """The row of an approval, with the stage in which it leaves the version; and beside it, of a person's first, that of the table."""
    reason, *conditions = said
    known = read_approvals(transaction.connection, version.name, version.version)
    is_first = actor.name not in [item.approver for item in known]
    days = policy.rules.approval_days
    details = {
        "digest": version.digest,
        "reason": reason,
        "policy": policy.digest,
        "conditions": conditions,
        "expires_in_days": days,
        "stage": stage.value,
    }
    row = transaction.append(actor, APPROVED if is_first else APPROVED_AGAIN, version.subject, details)
    if is_first:
        values = {"name": version.name, "version": version.version, "digest": version.digest, "approver": actor.name}
        stored = {**values, "reason": reason, "at": row.at.isoformat()}
        transaction.connection.execute(approvals.insert().values(stored))


def enter_broken_glass(
    transaction: LedgerTransaction, decision: GateDecision, actor: Actor, reason: str, policy: Policy
) -> None:
    """What was skipped, why, and by when it must be reviewed."""
    if decision.passed:
        raise StateError(
            "every gate says yes, so there is no glass to break",
            where=decision.subject,
            cure="Promote without --break-glass",
        )
    due = decision.at + dt.timedelta(days=policy.rules.break_glass_days)
    skipped = [gate.gate for gate in decision.failed]
    details = {"digest": decision.digest, "reason": reason, "skipped": skipped, "review_by": due.isoformat()}
    transaction.append(actor, BROKEN, decision.subject, details)
