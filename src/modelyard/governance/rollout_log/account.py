"""What the tables of rollouts say, and what the ledger tells of them, as facts that must be the same."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from modelyard.core import canonical_json, digest_bytes
from modelyard.store import LedgerRow

__all__ = ["rollout_facts", "told_changes", "told_rollouts"]

Fact = tuple[Any, ...]
_STARTED = "rollout.started"


def told_rollouts(rows: Sequence[LedgerRow]) -> Iterator[Fact]:
    """Every rollout that the ledger tells."""
    for row in rows:
        if row.action == _STARTED:
            told = row.details
            yield row.subject, told["rollout"], told["digest"], told["champion"], told["plan"], row.actor, _at(row)


def told_changes(rows: Sequence[LedgerRow]) -> Iterator[Fact]:
    """Every change of a rollout that the ledger tells."""
    for row in rows:
        if row.action.startswith("rollout.") and row.action != _STARTED:
            told, phase = row.details, row.action.removeprefix("rollout.")
            place = (phase, told["step"], told["weight"], told["waits"], told["why"])
            yield row.subject, told["rollout"], *place, _text(told["numbers"]), row.actor, _at(row)


def rollout_facts(
    rollouts: Sequence[Mapping[str, Any]], changes: Sequence[Mapping[str, Any]]
) -> tuple[list[Fact], list[Fact]]:
    """The same of the tables' rows: rollouts, and changes."""
    subjects = {row["id"]: f"{row['name']}/{row['version']}" for row in rollouts}
    begun = [
        (
            subjects[row["id"]],
            row["id"],
            row["digest"],
            row["champion"],
            digest_bytes(row["plan"].encode("utf-8")),
            row["actor"],
            row["at"],
        )
        for row in rollouts
    ]
    changed = [
        (
            subjects.get(row["rollout"], "unknown"),
            row["rollout"],
            row["phase"],
            row["step"],
            row["weight"],
            row["waits"],
            row["why"],
            row["numbers"],
            row["actor"],
            row["at"],
        )
        for row in changes
    ]
    return begun, changed


def _at(row: LedgerRow) -> str:
    return row.at.isoformat()


def _text(value: Any) -> str:
    return canonical_json(value).decode("utf-8")
