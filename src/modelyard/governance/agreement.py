"""Whether the registry's tables say what the ledger says: each row of theirs was written beside a row of it."""

import itertools
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from modelyard.governance.alert_log.account import alert_account
from modelyard.governance.alert_log.tables import ALERT_TABLES
from modelyard.governance.rollout_log import rollout_facts, told_changes, told_rollouts
from modelyard.governance.stages import Stage
from modelyard.governance.tables import (
    approvals,
    deployments,
    revocations,
    rollout_changes,
    rollouts,
    stage_changes,
    token_scopes,
    tokens,
    versions,
)
from modelyard.store import Ledger, LedgerRow, Verification
from modelyard.store.chain import read_row
from modelyard.store.tables import ledger_table

__all__ = ["verify_ledger"]

_TABLES = (
    versions,
    approvals,
    deployments,
    rollouts,
    rollout_changes,
    stage_changes,
    tokens,
    token_scopes,
    revocations,
    *ALERT_TABLES,
)
_NUMBERED = (approvals, deployments, rollout_changes, stage_changes)
_TOLD = ("version.", "rollout.", "token.", "store.", "alert.", "alerts.")
_KINDS = {"version.promoted": "promote", "version.rolled_back": "rollback"}
_SHORT_HASH = 12
"""Digits of a token's hash that earlier releases told."""

Fact = tuple[Any, ...]
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def verify_ledger(ledger: Ledger) -> Verification:
    """Verify the ledger, and hold versions, approvals, deployments, rollouts, stages and tokens against it.

    The chain proves the ledger's rows; the tables beside it are kept by triggers alone, which whoever may write the
    file can drop. So what they say is worked out anew from the ledger, at one moment of both.

    Returns
    -------
    Verification
        That of the ledger; not ``ok``, with the first difference, if the tables differ.
    """
    return ledger.verify(beside=_difference)


def _difference(connection: sa.Connection) -> str:
    """The first thing that only one of the two knows; ``""`` if there is none."""
    try:
        told = _told(connection)
        found = {table.name: _all_rows(connection, table) for table in _TABLES}
        return (
            _fact_difference(told, found)
            or _stage_difference(told, found[stage_changes.name])
            or _revocation_difference(told, found)
            or (_number_difference(found) if connection.dialect.name == "sqlite" else "")
        )
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        return f"a row of the registry cannot be read: it was changed ({type(error).__name__}: {error})"


def _told(connection: sa.Connection) -> tuple[LedgerRow, ...]:
    """The ledger's rows about the registry."""
    about = sa.or_(*(ledger_table.c.action.startswith(prefix) for prefix in _TOLD))
    query = sa.select(ledger_table).where(about).order_by(ledger_table.c.sequence)
    return tuple(read_row(row) for row in connection.execute(query).mappings())


def _all_rows(connection: sa.Connection, table: sa.Table) -> list[dict[str, Any]]:
    """The rows of a table in the order in which they were added; none if nobody has made it yet."""
    if not sa.inspect(connection).has_table(table.name):
        return []
    query = sa.select(table).order_by(*table.primary_key.columns)
    return [{str(key): value for key, value in row.items()} for row in connection.execute(query).mappings()]


def _fact_difference(rows: Sequence[LedgerRow], found: Rows) -> str:
    begun, changed = rollout_facts(found[rollouts.name], found[rollout_changes.name])
    folders = {row.subject: row.details.get("folder") for row in rows if row.action == "version.registered"}
    hashes = {row.details["hash"] for row in rows if row.action == "token.created"}
    since = _same_clock_since(rows)
    for kind, told, written, is_ordered in (
        (
            "the version",
            list(_registered(rows, since)),
            [_version(row, folders, since) for row in found[versions.name]],
            False,
        ),
        (
            "an approval of",
            list(_approved(rows, since)),
            [_approval(row, since) for row in found[approvals.name]],
            True,
        ),
        (
            "a deployment of",
            list(_deployed(rows, since)),
            [_deployment(row, since) for row in found[deployments.name]],
            True,
        ),
        ("a rollout of", list(told_rollouts(rows)), begun, False),
        ("a change in the rollout of", list(told_changes(rows)), changed, True),
        ("a token of", list(_created(rows)), [_token(row, hashes) for row in found[tokens.name]], False),
        ("a token for one model of", list(_scoped(rows)), list(_scopes(found)), False),
        *((*account, False) for account in alert_account(rows, found)),
    ):
        for fact in _only_in(written, told):
            return f"the registry has {kind} {fact[0]} that the ledger does not tell: {_words(fact)}"
        for fact in _only_in(told, written):
            return f"the ledger tells {kind} {fact[0]} that the registry does not have: {_words(fact)}"
        if is_ordered and told != written:
            swapped = next(fact for fact, other in zip(written, told, strict=True) if fact != other)
            return f"the registry has {kind} {swapped[0]} in another place than the ledger tells: {_words(swapped)}"
    return ""


def _same_clock_since(rows: Sequence[LedgerRow]) -> str:
    """From when on tables and ledger hold the same time of an event; the first release looked at the clock twice."""
    upgraded = [row for row in rows if row.action == "store.upgraded" and row.details.get("from") == "0001"]
    return upgraded[0].at.isoformat() if upgraded else ""


def _at(time: str, since: str) -> str | None:
    return None if time < since else time


def _only_in(facts: Sequence[Fact], others: Sequence[Fact]) -> Iterator[Fact]:
    """Facts that the others lack, or have less often."""
    left = Counter(map(repr, others))
    for fact in facts:
        if not left[repr(fact)]:
            yield fact
        left[repr(fact)] -= 1


def _stage_difference(rows: Sequence[LedgerRow], changes: Sequence[Mapping[str, Any]]) -> str:
    """The stages must be those through which the ledger's rows lead, in their order."""
    waiting = deque((_subject(change), change["stage"]) for change in changes)
    now: dict[str, str] = {}
    for row in rows:
        for subject, stage in _stages(row):
            if "stage" in row.details and now.get(subject) == stage:
                continue  # the row tells where the version stands; it stood there before
            following = waiting[0] if waiting else (subject, now.get(subject))
            # Earlier releases did not tell which approval was enough: the first that may have been, was.
            is_silent = row.action == "version.approved" and "stage" not in row.details
            if is_silent and (following != (subject, stage) or now.get(subject) != Stage.CANDIDATE.value):
                continue
            if not waiting or following != (subject, stage):
                whose = "it" if following[0] == subject else subject
                return f"the registry has {following[0]} as {following[1]}, by the ledger {whose} is {stage}"
            now[subject] = waiting.popleft()[1]
    for subject, stage in waiting:
        return f"the registry has {subject} as {stage}, by the ledger it is {now.get(subject, 'unknown')}"
    return ""


def _stages(row: LedgerRow) -> Iterator[tuple[str, str]]:
    """The stages into which a row of the ledger brings versions, in the order in which they were written."""
    name, verb = row.subject.rpartition("/")[0], row.action.partition(".")[2]
    if row.action in _KINDS:
        if row.details["before"] is not None:
            yield f"{name}/{row.details['before']}", Stage.RETIRED.value
        yield row.subject, Stage.PRODUCTION.value
    elif row.action == "version.registered":
        yield row.subject, Stage.CANDIDATE.value
    elif row.action.startswith(("version.", "rollout.")) and "stage" in row.details:
        yield row.subject, row.details["stage"]
    elif row.action.startswith("version.") and verb in {stage.value for stage in Stage}:
        yield row.subject, verb


def _revocation_difference(rows: Sequence[LedgerRow], found: Rows) -> str:
    """Tokens are void if, and only if, the ledger says so; earlier releases told how many of an owner's, not which."""
    void = {row["hash"] for row in found[revocations.name]}
    revoked = [row for row in rows if row.action == "token.revoked"]
    told = set(itertools.chain.from_iterable(row.details.get("hashes", ()) for row in revoked))
    if told - void:
        return "the ledger tells of a token that was revoked, and the registry takes it for valid"
    owners = {row["hash"]: row["owner"] for row in found[tokens.name]}
    silent = Counter(owners.get(value) for value in void - told)
    counted: Counter[str | None] = Counter()
    for row in revoked:
        if "hashes" not in row.details:
            counted[row.subject] += row.details["tokens"]
    for owner in silent | counted:
        if silent[owner] != counted[owner]:
            return f"the registry has {silent[owner]} tokens of {owner} as revoked, the ledger tells {counted[owner]}"
    return ""


def _number_difference(found: Rows) -> str:
    """SQLite numbers rows without gaps; a server need not."""
    for table in _NUMBERED:
        for number, row in enumerate(found[table.name], 1):
            if row["id"] != number:
                return f"row {number} of {table.name} is missing: row {row['id']} stands in its place"
    return ""


def _registered(rows: Sequence[LedgerRow], since: str) -> Iterator[Fact]:
    for row in rows:
        if row.action == "version.registered":
            told = row.details
            what = (told["digest"], told["run"], told["author"])
            yield row.subject, *what, row.actor, _at(row.at.isoformat(), since), told.get("folder")


def _approved(rows: Sequence[LedgerRow], since: str) -> Iterator[Fact]:
    for row in rows:
        if row.action == "version.approved":
            yield row.subject, row.details["digest"], row.actor, row.details["reason"], _at(row.at.isoformat(), since)


def _deployed(rows: Sequence[LedgerRow], since: str) -> Iterator[Fact]:
    for row in rows:
        if row.action in _KINDS:
            told = row.details
            yield (
                row.subject,
                told["digest"],
                _KINDS[row.action],
                row.actor,
                told["reason"],
                _at(row.at.isoformat(), since),
            )


def _created(rows: Sequence[LedgerRow]) -> Iterator[Fact]:
    for row in rows:
        if row.action == "token.created":
            told = row.details
            yield row.subject, told["hash"], " ".join(told["roles"]), told["expires_at"]


def _scoped(rows: Sequence[LedgerRow]) -> Iterator[Fact]:
    for row in rows:
        if row.action == "token.created":
            yield from ((row.subject, model, row.details["hash"]) for model in row.details.get("models", ()))


def _scopes(found: Rows) -> Iterator[Fact]:
    owners = {row["hash"]: row["owner"] for row in found[tokens.name]}
    for row in found[token_scopes.name]:
        yield owners.get(row["hash"], "nobody"), row["model"], row["hash"]


def _version(row: Mapping[str, Any], folders: Mapping[str, str | None], since: str) -> Fact:
    folder = row["folder"] if folders.get(_subject(row)) is not None else None  # earlier releases did not tell it
    what = (row["digest"], row["run_id"], row["author"])
    return _subject(row), *what, row["requested_by"], _at(row["created_at"], since), folder


def _token(row: Mapping[str, Any], hashes: set[str]) -> Fact:
    short = row["hash"][:_SHORT_HASH]
    return row["owner"], short if short in hashes else row["hash"], row["roles"], row["expires_at"]


def _approval(row: Mapping[str, Any], since: str) -> Fact:
    return _subject(row), row["digest"], row["approver"], row["reason"], _at(row["at"], since)


def _deployment(row: Mapping[str, Any], since: str) -> Fact:
    return _subject(row), row["digest"], row["kind"], row["actor"], row["reason"], _at(row["at"], since)


def _subject(row: Mapping[str, Any]) -> str:
    return f"{row['name']}/{row['version']}"


def _words(fact: Fact) -> str:
    """Digest, people and reasons in a line."""
    return ", ".join(str(item)[:40] for item in fact[1:] if item)
