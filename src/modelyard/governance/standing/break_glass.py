"""Promotions that went past the gates: allowed to one operator, loud until somebody else has reviewed them."""

import dataclasses
import datetime as dt
from collections.abc import Iterable

import sqlalchemy as sa

from modelyard.core import Finding, Record, Severity
from modelyard.governance.standing.told import told
from modelyard.store import LedgerRow

__all__ = ["BROKEN", "REVIEWED", "BrokenGlass", "glass_findings", "read_broken_glass"]

BROKEN = "glass.broken"
REVIEWED = "glass.reviewed"


@dataclasses.dataclass(frozen=True)
class BrokenGlass(Record):
    """One promotion past the gates.

    Parameters
    ----------
    subject
        Name and version.
    by, reason, at
        Who did it, why, when.
    skipped
        The gates that had said no.
    review_by
        By when somebody else must have reviewed it.
    reviewed_by, review, reviewed_at
        Who has, what they said, when; None as long as nobody has.
    """

    subject: str
    by: str
    reason: str
    at: dt.datetime
    skipped: tuple[str, ...]
    review_by: dt.datetime
    reviewed_by: str | None = None
    review: str | None = None
    reviewed_at: dt.datetime | None = None

    @property
    def is_open(self) -> bool:
        """True as long as nobody has reviewed it."""
        return self.reviewed_by is None


def read_broken_glass(connection: sa.Connection, name: str) -> tuple[BrokenGlass, ...]:
    """All of a model's, oldest first. A review closes what was open for its version by then."""
    found: list[BrokenGlass] = []
    for row in told(connection, BROKEN, REVIEWED):
        if row.subject.rpartition("/")[0] != name:
            continue
        details = row.details
        if row.action == BROKEN:
            due = dt.datetime.fromisoformat(details["review_by"])
            skipped = tuple(details["skipped"])
            found.append(BrokenGlass(row.subject, row.actor, str(details["reason"]), row.at, skipped, due))
        else:
            found = [_reviewed(item, row) if item.is_open and item.subject == row.subject else item for item in found]
    return tuple(found)


def _reviewed(item: BrokenGlass, row: LedgerRow) -> BrokenGlass:
    """The same, closed by a review."""
    return dataclasses.replace(item, reviewed_by=row.actor, review=str(row.details["reason"]), reviewed_at=row.at)


def glass_findings(broken: Iterable[BrokenGlass], now: dt.datetime) -> tuple[Finding, ...]:
    """An error for each that nobody has reviewed."""
    return tuple(_finding(item, now) for item in broken if item.is_open)


def _finding(item: BrokenGlass, now: dt.datetime) -> Finding:
    late = " The time for the review is over." if now > item.review_by else ""
    return Finding(
        id="break-glass",
        severity=Severity.ERROR,
        subject=item.subject,
        message=f"{item.subject} was promoted past the gates ({', '.join(item.skipped)}) by {item.by}: {item.reason}",
        why=f"One person alone decided, and nobody has reviewed it; that is due by {item.review_by:%Y-%m-%d %H:%M} UTC.{late}",
        action="Somebody else who is approver or validator runs: modelyard review-break-glass "
        f'{item.subject.rpartition("/")[2]} --reason "..."',
        evidence=item.to_dict(),
        row="G3",
    )
