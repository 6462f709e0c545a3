"""The hash chain: each ledger row carries the hash of the row before it."""

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from modelyard.core import IntegrityError, Record, canonical_json, digest_bytes

__all__ = ["GENESIS", "LedgerRow", "Verification", "check_chain", "read_row", "row_hash"]

GENESIS = "0" * 64
"""What the first row has in place of the hash of a row before it."""


@dataclasses.dataclass(frozen=True)
class LedgerRow(Record):
    """One thing that happened, never changed afterwards.

    Parameters
    ----------
    sequence
        1, 2, 3 … without gaps.
    at
        When, in UTC.
    actor, actor_source
        Who, and how the name was established; see :class:`modelyard.core.Actor`.
    action
        What was done, as ``noun.verb`` in the past: ``test.opened``, ``version.approved``.
    subject
        What it was done to: a digest, a name and version.
    details
        Further facts; JSON-ready.
    previous
        Hash of the row before; 64 zeros for the first.
    hash
        :func:`row_hash` of all the other fields.
    """

    sequence: int
    at: dt.datetime
    actor: str
    actor_source: str
    action: str
    subject: str
    details: Mapping[str, Any]
    previous: str
    hash: str


@dataclasses.dataclass(frozen=True)
class Verification(Record):
    """The outcome of checking a ledger.

    Parameters
    ----------
    ok
        True if nothing contradicts the chain, the triggers and the head file.
    rows
        Rows read.
    first_bad_sequence
        Number of the first row that is wrong or missing; None if all is well or no single row is to blame.
    problem
        What is wrong, in one sentence; ``""`` if nothing is.
    """

    ok: bool
    rows: int
    first_bad_sequence: int | None = None
    problem: str = ""


def row_hash(values: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of a row: all fields but ``hash``, with ``at`` as text and ``details`` as data."""
    names = ("sequence", "at", "actor", "actor_source", "action", "subject", "details", "previous")
    return digest_bytes(canonical_json({name: values[name] for name in names}))


def read_row(stored: Mapping[str, Any]) -> LedgerRow:
    """A row as it is stored (see :func:`check_chain`) as a record; its hash is not checked.

    Raises
    ------
    IntegrityError
        If the row cannot be read.
    """
    try:
        return LedgerRow.from_dict({**stored, "details": json.loads(stored["details"])})
    except (TypeError, ValueError) as error:
        raise IntegrityError(
            "a row of the ledger cannot be read: it was changed",
            where=f"row {stored['sequence']}",
            got=str(error),
            cure="Run: modelyard ledger verify",
        ) from error


def check_chain(rows: Iterable[Mapping[str, Any]]) -> Verification:
    """Follow the chain through stored rows, in order of sequence, and stop at the first that does not fit.

    ``rows`` hold the stored texts: ``details`` as JSON text, ``at`` as ISO 8601 text.
    """
    count, previous = 0, GENESIS
    for row in rows:
        expected = count + 1
        problem = _row_problem(row, expected, previous)
        if problem:
            return Verification(ok=False, rows=count + 1, first_bad_sequence=expected, problem=problem)
        count, previous = expected, row["hash"]
    return Verification(ok=True, rows=count)


def _row_problem(row: Mapping[str, Any], expected: int, previous: str) -> str:
    """Why ``row`` cannot be row number ``expected`` after the hash ``previous``; ``""`` if it can."""
    if row["sequence"] != expected:
        return f"row {expected} is missing: row {row['sequence']} stands in its place"
    if row["previous"] != previous:
        return f"row {expected} does not follow the row before it: one of the two was changed"
    try:
        details = json.loads(row["details"])
        canonical = canonical_json(details).decode("utf-8")
        computed = row_hash({**row, "details": details})
    except (TypeError, ValueError, RecursionError):
        return f"row {expected} cannot be read: it was changed"
    if canonical != row["details"] or computed != row["hash"]:
        return f"row {expected} was changed after it was written: its hash does not fit its content"
    return ""
