"""What triggers and guards look at."""

import dataclasses
import datetime as dt

from modelyard.core import Record
from modelyard.monitoring.causes.records import Cause

__all__ = ["Facts", "Judged"]


@dataclasses.dataclass(frozen=True)
class Judged(Record):
    """What the last monitoring of the champion said.

    Parameters
    ----------
    at
        When.
    metric, value, low, high, reference
        The primary metric where it was lost for so long that monitoring calls it an error, its interval, and the package's
        value; None if it was not.
    drifted
        What certainly moved.
    cause, because
        The likely cause, and the first reason for it.
    pays
        Whether retraining gained on later labelled rows beyond chance, by a light stand-in.
    broken
        What is wrong with the data, in sentences.
    """

    at: dt.datetime
    metric: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reference: float | None = None
    drifted: tuple[str, ...] = ()
    cause: Cause = Cause.NOTHING
    because: str = ""
    pays: bool = False
    broken: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Facts(Record):
    """All that decides whether it is time.

    Parameters
    ----------
    now, trained_at, decided_at
        The moment of the question, of the last training or retraining that trained, and of the last decision; None without any.
    judged
        The last monitoring of the champion; None without any.
    new_rows
        Labelled rows that no decision has seen; None if nobody has looked.
    unchanged
        Why there is nothing to learn, in words; empty if there is something.
    rollout
        Which version is on its way into production, in words; empty for none.
    waiting
        Versions that wait for a decision.
    begun
        How far a retraining is that a person began with a table, in words; empty for none.
    """

    now: dt.datetime
    trained_at: dt.datetime
    decided_at: dt.datetime | None = None
    judged: Judged | None = None
    new_rows: int | None = None
    unchanged: str = ""
    rollout: str = ""
    waiting: tuple[int, ...] = ()
    begun: str = ""
