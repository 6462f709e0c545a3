"""The hash chain: each ledger row carries the hash of the row before it."""

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring as _quoted
from typing import Any, Self

import msgspec

from modelyard.core import IntegrityError, Record, canonical_json, digest_bytes

__all__ = ["GENESIS", "LedgerRow", "Verification", "check_chain", "read_row", "row_hash"]

GENESIS = "0" * 64
"""What the first row has in place of the hash of a row before it."""

_FAST = msgspec.json.Decoder()


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
        True if nothing contradicts the chain, the triggers, the head file and the checkpoints.
    rows
        Rows read.
    first_bad_sequence
        Number of the first row that is wrong or missing; None if all is well or no single row is to blame.
    problem
        What is wrong, in one sentence; ``""`` if nothing is.
    checkpoints
        Signed checkpoints that agree with the rows.
    uncovered
        Rows after the newest of them, which no signature vouches for; None if no checkpoints are asked for.
    """

    ok: bool
    rows: int
    first_bad_sequence: int | None = None
    problem: str = ""
    checkpoints: int = 0
    uncovered: int | None = None

    def unless(self, problem: str) -> Self:
        """The same, unless there is a problem."""
        return dataclasses.replace(self, ok=False, problem=problem) if problem else self


def row_hash(values: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of a row: all fields but ``hash``, with ``at`` as text and ``details`` as data."""
    names = ("sequence", "at", "actor", "actor_source", "action", "subject", "details", "previous")
    return digest_bytes(canonical_json({name: values[name] for name in names}))


def read_row(stored: Mapping[Any, Any]) -> LedgerRow:
    """A row as it is stored, by column, as a record; its hash is not checked.

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


def check_chain(rows: Iterable[Sequence[Any]]) -> Verification:
    """Follow the chain through stored rows, in order of sequence, and stop at the first that does not fit.

    Parameters
    ----------
    rows
        Each with the fields of a :class:`LedgerRow` in their order, as they are stored: ``at`` and ``details`` as text.
    """
    count, previous = 0, GENESIS
    for row in rows:
        expected = count + 1
        problem = _row_problem(row, expected, previous)
        if problem:
            return Verification(ok=False, rows=expected, first_bad_sequence=expected, problem=problem)
        count, previous = expected, row[-1]
    return Verification(ok=True, rows=count)


def _row_problem(row: Sequence[Any], expected: int, previous: str) -> str:
    """Why ``row`` cannot be row number ``expected`` after the hash ``previous``; ``""`` if it can."""
    sequence, at, actor, actor_source, action, subject, details, before, stored = row
    if sequence != expected:
        return f"row {expected} is missing: row {sequence} stands in its place"
    if before != previous:
        return f"row {expected} does not follow the row before it: one of the two was changed"
    # The canonical JSON of the row, put together from its texts: the same bytes as of ``row_hash``, several times as fast.
    # No other row gives them: each field but the details is quoted, and stands at a known place from one of the ends.
    try:
        text = (
            f'{{"action":{_quoted(action)},"actor":{_quoted(actor)},"actor_source":{_quoted(actor_source)},'
            f'"at":{_quoted(at)},"details":{details},"previous":{_quoted(before)},"sequence":{sequence},'
            f'"subject":{_quoted(subject)}}}'
        )
        computed = hashlib.sha256(text.encode("utf-8")).hexdigest()
        _require_readable(details)
    except (TypeError, ValueError, RecursionError):
        return f"row {expected} cannot be read: it was changed"
    if computed != stored:
        return f"row {expected} was changed after it was written: its hash does not fit its content"
    return ""


def _require_readable(details: str) -> None:
    """Raise unless :func:`read_row` can read these details; its own parser is asked only where the fast one fails."""
    try:
        _FAST.decode(details)
    except (msgspec.DecodeError, RecursionError):
        json.loads(details)
