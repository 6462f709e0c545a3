"""Whether the registry's tables say what the ledger says: each row of theirs was written beside a row of it."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from modelyard.governance.alert_log.account import alert_account
from modelyard.governance.alert_log.tables import ALERT_TABLES
from modelyard.governance.rollout_log import rollout_facts, told_changes, told_rollouts
from modelyard.governance.stages import Stage
from modelyard.governance.tables import approvals, deployments, rollout_changes, rollouts, stage_changes, versions
from modelyard.store import Ledger, LedgerRow, Verification

__all__ = ["verify_ledger"]

_KINDS = {"version.promoted": "promote", "version.rolled_back": "rollback"}
Fact = tuple[Any, ...]


def verify_ledger(ledger: Ledger) -> Verification:
    """Verify the ledger, and hold the registry's versions, approvals, deployments, rollouts and stages against it.

    The chain proves the ledger's rows; the tables beside it are kept by triggers alone, which whoever may write the
    file can drop. So what they say is worked out anew from the ledger.

    Returns
    -------
    Verification
        That of the ledger; not ``ok``, with the first difference, if the tables differ.
    """
    verification = ledger.verify()
    if not verification.ok:
        return verification
    problem = _difference(ledger)
    return dataclasses.replace(verification, ok=not problem, problem=problem)


def _difference(ledger: Ledger) -> str:
    """The first thing that only one of the two knows; ``""`` if there is none."""
    rows = ledger.rows()
    with ledger.reading() as connection:
        tables = (versions, approvals, deployments, rollouts, rollout_changes, stage_changes, *ALERT_TABLES)
        found = {table.name: _all_rows(connection, table) for table in tables}
    begun, changed = rollout_facts(found[rollouts.name], found[rollout_changes.name])
    for kind, told, written in (
        ("the version", list(_registered(rows)), [_version(row) for row in found[versions.name]]),
        ("an approval of", list(_approved(rows)), [_approval(row) for row in found[approvals.name]]),
        ("a deployment of", list(_deployed(rows)), [_deployment(row) for row in found[deployments.name]]),
        ("a rollout of", list(told_rollouts(rows)), begun),
        ("a change in the rollout of", list(told_changes(rows)), changed),
        *alert_account(rows, found),
    ):
        for fact in written:
            if fact not in told:
                return f"the registry has {kind} {fact[0]} that the ledger does not tell: {_words(fact)}"
        for fact in told:
            if fact not in written:
                return f"the ledger tells {kind} {fact[0]} that the registry does not have: {_words(fact)}"
    return _stage_difference(rows, found[stage_changes.name])


def _all_rows(connection: sa.Connection, table: sa.Table) -> list[dict[str, Any]]:
    """The rows of a table, as mappings by column; none if nobody has made it yet."""
    if not sa.inspect(connection).has_table(table.name):
        return []
    return [{str(key): value for key, value in row.items()} for row in connection.execute(sa.select(table)).mappings()]


def _stage_difference(rows: Sequence[LedgerRow], changes: Sequence[Mapping[str, Any]]) -> str:
    """Each version's latest stage must be one to which the ledger's rows lead."""
    latest = {f"{row['name']}/{row['version']}": row["stage"] for row in sorted(changes, key=lambda row: row["id"])}
    for subject, possible in _stages(rows).items():
        stage = latest.pop(subject, "without a stage")
        if stage not in possible:
            return f"the registry has {subject} as {stage}, by the ledger it is {' or '.join(sorted(possible))}"
    return "".join(f"the registry has a stage of {subject}, which the ledger does not tell" for subject in latest)


def _stages(rows: Sequence[LedgerRow]) -> dict[str, set[str]]:
    """The stages that each version may have; how many approvals are enough is the policy's, which is not in the ledger."""
    stages: dict[str, set[str]] = {}
    for row in rows:
        name = row.subject.rpartition("/")[0]
        if row.action == "version.registered":
            stages[row.subject] = {Stage.CANDIDATE.value}
        elif row.action == "version.approved":
            stages.setdefault(row.subject, set()).add(Stage.APPROVED.value)
        elif row.action == "version.rejected":
            stages[row.subject] = {Stage.REJECTED.value}
        elif row.action in _KINDS:
            if row.details["before"] is not None:
                stages[f"{name}/{row.details['before']}"] = {Stage.RETIRED.value}
            stages[row.subject] = {Stage.PRODUCTION.value}
        elif "stage" in row.details and row.action.startswith("rollout."):
            stages[row.subject] = {row.details["stage"]}
    return stages


def _registered(rows: Sequence[LedgerRow]) -> Iterator[Fact]:
    for row in rows:
        if row.action == "version.registered":
            told = row.details
            yield row.subject, told["digest"], told["run"], told["author"], row.actor, row.at.isoformat()


def _approved(rows: Sequence[LedgerRow]) -> Iterator[Fact]:
    for row in rows:
        if row.action == "version.approved":
            yield row.subject, row.details["digest"], row.actor, row.details["reason"], row.at.isoformat()


def _deployed(rows: Sequence[LedgerRow]) -> Iterator[Fact]:
    for row in rows:
        if row.action in _KINDS:
            told = row.details
            yield row.subject, told["digest"], _KINDS[row.action], row.actor, told["reason"], row.at.isoformat()


def _version(row: Mapping[str, Any]) -> Fact:
    return _subject(row), row["digest"], row["run_id"], row["author"], row["requested_by"], row["created_at"]


def _approval(row: Mapping[str, Any]) -> Fact:
    return _subject(row), row["digest"], row["approver"], row["reason"], row["at"]


def _deployment(row: Mapping[str, Any]) -> Fact:
    return _subject(row), row["digest"], row["kind"], row["actor"], row["reason"], row["at"]


def _subject(row: Mapping[str, Any]) -> str:
    return f"{row['name']}/{row['version']}"


def _words(fact: Fact) -> str:
    """Digest, people and reasons in a line."""
    return ", ".join(str(item)[:40] for item in fact[1:] if item)
