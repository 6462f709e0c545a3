"""What a job says, what became of it, and what a tick did."""

import dataclasses
import datetime as dt
import enum

from modelyard.core import Record

__all__ = ["Done", "JobState", "Outcome", "Ran", "Tick"]


class Outcome(enum.StrEnum):
    """How a run of a job ended."""

    DONE = "done"
    NOTHING = "nothing to do"
    FAILED = "failed"
    BROKEN_OFF = "broken off"


@dataclasses.dataclass(frozen=True)
class Done(Record):
    """What a job did.

    Parameters
    ----------
    said
        In one sentence.
    is_noted
        Whether the ledger gets a row of it; work that writes rows of its own every time, or none by intention, does without.
    """

    said: str
    is_noted: bool = True


@dataclasses.dataclass(frozen=True)
class Ran(Record):
    """One run of a job.

    Parameters
    ----------
    job
        Its name.
    slot
        The moment for which it was due; None if it was due for no moment.
    outcome, said
        How it ended, and what it said.
    missed
        Earlier moments that were missed and are made up with this run.
    failures
        Failures in a row, this one included.
    seconds
        Time taken.
    """

    job: str
    slot: dt.datetime
    outcome: Outcome
    said: str
    missed: int
    failures: int
    seconds: float


@dataclasses.dataclass(frozen=True)
class JobState(Record):
    """Where a job stands.

    Parameters
    ----------
    job, when
        Its name, and its time as the project file says.
    next
        When it is due next; in the past if it is due now.
    ended
        When it was last run to its end; None if it never was.
    failures
        Failures in a row.
    said
        What it last said.
    """

    job: str
    when: str
    next: dt.datetime
    ended: dt.datetime | None
    failures: int
    said: str


@dataclasses.dataclass(frozen=True)
class Tick(Record):
    """What one tick did.

    Parameters
    ----------
    at
        When it began.
    ran
        The jobs that were due, in order.
    next
        When something is due next; None if nothing ever is.
    """

    at: dt.datetime
    ran: tuple[Ran, ...]
    next: dt.datetime | None

    @property
    def has_failures(self) -> bool:
        """True if a job failed."""
        return any(run.outcome is Outcome.FAILED for run in self.ran)
