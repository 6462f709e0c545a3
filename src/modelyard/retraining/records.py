"""The decision of a retraining, and the verdict of each gate on the way."""

import dataclasses
import datetime as dt
import enum

from modelyard.core import Record

__all__ = ["Decision", "GateResult", "Outcome"]


class Outcome(enum.StrEnum):
    """How a retraining ended."""

    CHALLENGER = "challenger"
    CHAMPION_STAYS = "champion stays"
    STOPPED = "stopped"


@dataclasses.dataclass(frozen=True)
class GateResult(Record):
    """One gate's verdict.

    Parameters
    ----------
    gate
        Name of the gate: ``cause``, ``data``, ``contamination``, ``contract``, ``split``, ``audit``, ``update``, ``comparison``, ``segments``, ``package``.
    passed
        True if the way is free.
    detail
        What was found, with its numbers, in one sentence.
    """

    gate: str
    passed: bool
    detail: str


@dataclasses.dataclass(frozen=True)
class Decision(Record):
    """What came of one retraining.

    Parameters
    ----------
    id
        Names the folder under ``.modelyard/retraining``.
    outcome
        A challenger waits for approval; or the champion stays; or the data stopped it before any training.
    reason
        Why, in one sentence.
    gates
        All verdicts, in the order in which they were asked; the first that failed is the last.
    champion_version
        Version in production.
    challenger_version
        Version registered, or None.
    run_id
        The challenger's training run, or None if none was started.
    rows_new
        Labelled rows of the new table that were not known before.
    created_at
        When it was decided.
    because
        The triggers that were pulled, in words; empty if a person asked.
    """

    id: str
    outcome: Outcome
    reason: str
    gates: tuple[GateResult, ...]
    champion_version: int
    challenger_version: int | None
    run_id: str | None
    rows_new: int
    created_at: dt.datetime
    because: str = ""

    @property
    def has_challenger(self) -> bool:
        """True if a challenger was registered."""
        return self.outcome is Outcome.CHALLENGER
