"""What a version must have before requests come to it: an owner who answers for it, and a yes from every gate."""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from modelyard.core import Actor, GateRefusedError
from modelyard.governance.conditions import held_steps, planned_steps, states_of
from modelyard.governance.gating import Evidence, GateDecision, Standing, enter_decision, judge
from modelyard.governance.history import read_approvals
from modelyard.governance.identity import is_same_person
from modelyard.governance.records import Approval, ModelVersion
from modelyard.governance.stages import Stage, require_transition
from modelyard.governance.standing import Validation, alerts_since, first_request, read_stagings, read_validations
from modelyard.governance.standing.independence import made_by
from modelyard.governance.tables import stage_changes
from modelyard.problem.schema import Policy
from modelyard.rollout import Plan
from modelyard.store import LedgerTransaction

__all__ = ["decide", "require_owner", "require_way", "set_stage", "standing_of"]


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


def require_way(version: ModelVersion, to: Stage) -> None:
    """Let a version pass whose stage may be followed by ``to``.

    Raises
    ------
    StateError
        If it may not.
    """
    # A candidate with all approvals is approved in all but name: the policy asked for more when they came.
    stage = Stage.APPROVED if version.stage is Stage.CANDIDATE else version.stage
    require_transition(version.subject, stage, to)


def decide(
    transaction: LedgerTransaction,
    version: ModelVersion,
    policy: Policy,
    evidence: Evidence,
    step: str,
    actor: Actor,
    now: dt.datetime,
    plan: Plan | None = None,
) -> GateDecision:
    """Ask every gate, by the policy as it is now, and write down what it said, be it yes or no.

    With the ``plan`` of a rollout, conditions are asked whether it will meet them.
    """
    standing = standing_of(transaction.connection, version, policy, now, plan)
    decision = judge(version, policy, evidence, standing, step, now)
    enter_decision(transaction, decision, actor)
    return decision


def standing_of(
    connection: sa.Connection, version: ModelVersion, policy: Policy, now: dt.datetime, plan: Plan | None = None
) -> Standing:
    """What people and alerts say of a version under the policy as it is now, which may have become stricter."""
    validations = read_validations(connection, version)
    validators = [item.validator for item in validations] if policy.tier == "high" else []
    counted: dict[str, Approval] = {}
    void: list[str] = []
    for approval in read_approvals(connection, version.name, version.version):
        why = _void(approval, version, policy, validators, now)
        if why:
            void.append(f"that of {approval.approver} {why}")
        else:
            counted[approval.approver] = approval
    void = [words for words in void if not any(words.startswith(f"that of {name} ") for name in counted)]
    validation = _validation(validations, version, policy, now)
    given = tuple(counted.values())
    rollouts = held_steps(connection, version) if any(item.conditions for item in given) else ()
    conditions = states_of(given, (*rollouts, planned_steps(plan)) if plan else rollouts)
    staging = next(reversed(read_stagings(connection, version)), None)
    return Standing(given, tuple(void), validation, _alerts(connection, version), conditions, staging)


def _alerts(connection: sa.Connection, version: ModelVersion) -> int | None:
    """Open alerts that began since the version has been asked: those before are its predecessor's, which it may well cure."""
    since = first_request(connection, version.name, version.version)
    return alerts_since(connection, version.name, since or dt.datetime.max.replace(tzinfo=dt.UTC))


def _void(
    approval: Approval, version: ModelVersion, policy: Policy, validators: Sequence[str], now: dt.datetime
) -> str:
    """Why an approval does not count; ``""`` if it does."""
    if approval.digest != version.digest:
        return "was of other bytes"
    if policy.two_person and made_by(approval.approver, version):
        return "is of their own model"
    if any(is_same_person(approval.approver, name) for name in validators):
        return "is of a validator"
    if approval.policy not in (None, policy.digest):
        return "was given when the gates asked for something else"
    days = policy.rules.approval_days
    ends = [approval.expires_at] if approval.expires_at else []
    ends += [approval.at + dt.timedelta(days=days)] if days is not None else []
    return f"expired on {min(ends):%Y-%m-%d}" if ends and min(ends) <= now else ""


def _validation(
    found: Sequence[Validation], version: ModelVersion, policy: Policy, now: dt.datetime
) -> Validation | None:
    """The latest word of somebody who may say it, of what is asked now, and not too old."""
    for item in reversed(found):
        days = policy.rules.review_days
        is_fresh = days is None or item.at + dt.timedelta(days=days) > now
        if item.policy == policy.digest and is_fresh and not made_by(item.validator, version):
            return item
    return None


def set_stage(transaction: LedgerTransaction, version: ModelVersion, stage: Stage) -> None:
    """One more stage row."""
    row = {"name": version.name, "version": version.version, "stage": stage.value}
    transaction.connection.execute(stage_changes.insert().values(row))
