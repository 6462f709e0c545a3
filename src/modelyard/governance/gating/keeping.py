"""Decisions in the ledger, and what a refused one says to whoever asked."""

from modelyard.core import Actor, GateRefusedError, ModelyardError, WaitingForApprovalError
from modelyard.governance.gating.judging import APPROVALS, STAGING
from modelyard.governance.gating.records import GateDecision
from modelyard.store import LedgerRow, LedgerTransaction

__all__ = ["PASSED", "REFUSED", "enter_decision", "refusal"]

PASSED = "gates.passed"
REFUSED = "gates.refused"


def enter_decision(transaction: LedgerTransaction, decision: GateDecision, actor: Actor) -> LedgerRow:
    """The whole decision as a row, whichever way it went."""
    action = PASSED if decision.passed else REFUSED
    return transaction.append(actor, action, decision.subject, decision.to_dict())


def refusal(decision: GateDecision) -> ModelyardError:
    """The error of a decision that is no: who only lacks approvals has to wait, everybody else is refused."""
    failed = decision.failed
    if {gate.gate for gate in failed} - {STAGING} == {APPROVALS}:
        waits = next(gate for gate in failed if gate.gate == APPROVALS)
        return WaitingForApprovalError(
            "the version waits for approval", where=decision.subject, got=waits.got, cure=waits.cure
        )
    first = next(gate for gate in failed if gate.gate != APPROVALS)
    others = [gate.gate for gate in failed if gate is not first]
    more = f" (and {', '.join(others)}: modelyard gates)" if others else ""
    return GateRefusedError(
        f"the gate {first.gate} of tier {decision.tier} said no: it wants {first.wanted}",
        where=decision.subject,
        got=f"{first.got}{more}",
        cure=first.cure,
    )
