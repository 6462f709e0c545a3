"""What a correction is: who decided what about which rows, and why."""

import dataclasses
import datetime as dt
import enum

from modelyard.core import Record

__all__ = ["Correction", "CorrectionLine", "Verdict"]


class Verdict(enum.StrEnum):
    """What somebody decided about one value of one row."""

    LABEL = "label"
    """The label is wrong, and this is the right one."""
    CONFIRMED = "confirmed"
    """The value is right, however strange it looks."""
    MISSING = "missing"
    """The value is an error; nobody knows the right one."""
    LEFT_OUT = "left_out"
    """The row is an error and teaches nothing."""


@dataclasses.dataclass(frozen=True)
class CorrectionLine(Record):
    """A decision about one value of one row.

    Parameters
    ----------
    key
        The row's declared id; ``""`` if none is declared.
    position, digest
        Place in the training part that was reviewed (None if unknown), and digest of the row's content there
        (``""`` if unknown); see :func:`~modelyard.data.splits.content.row_digests`.
    column
        The column decided on; ``""`` for the whole row.
    given
        The value that was looked at, as text; a row with another value by now is left alone.
    verdict
        The decision.
    becomes
        The right label, where the verdict is that.
    """

    key: str
    position: int | None
    digest: str
    column: str
    given: str
    verdict: Verdict
    becomes: str = ""


@dataclasses.dataclass(frozen=True)
class Correction(Record):
    """A reviewed sheet that was read back.

    Parameters
    ----------
    id
        The first 12 hexadecimal digits of ``lines_digest``.
    at, by, reason
        When, by whom, and why.
    file, file_digest
        The sheet's name, and its bytes in the object store.
    lines_digest
        SHA-256 of the decisions.
    dataset_id
        The data set version on which it was recorded.
    labels, missing, left_out, confirmed
        Lines that then fitted a readable row, by their verdict.
    not_applied
        Lines that did not: their row is sealed, not in the table, or has another value by now.
    """

    id: str
    at: dt.datetime
    by: str
    reason: str
    file: str
    file_digest: str
    lines_digest: str
    dataset_id: str
    labels: int
    missing: int
    left_out: int
    confirmed: int
    not_applied: int

    @property
    def summary(self) -> str:
        """What was decided, in one clause for people.

        >>> now = dt.datetime(2026, 1, 1)
        >>> Correction("a", now, "ada", "why", "s.csv", "", "", "d", 1, 0, 2, 0, 3).summary
        '1 label corrected, 2 rows left out; 3 lines fit no row that may be looked at'
        """
        said = [
            f"{count:,} {noun if count == 1 else nouns} {done}"
            for count, noun, nouns, done in (
                (self.labels, "label", "labels", "corrected"),
                (self.missing, "value", "values", "set to missing"),
                (self.left_out, "row", "rows", "left out"),
                (self.confirmed, "value", "values", "confirmed"),
            )
            if count
        ]
        lost = "1 line fits" if self.not_applied == 1 else f"{self.not_applied:,} lines fit"
        rest = f"; {lost} no row that may be looked at" if self.not_applied else ""
        return (", ".join(said) or "nothing changed") + rest
