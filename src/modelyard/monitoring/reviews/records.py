"""What a review says."""

import dataclasses
import datetime as dt

from modelyard.core import Record
from modelyard.governance import Alert
from modelyard.monitoring.events import Event
from modelyard.monitoring.performance import PerformanceWindow
from modelyard.monitoring.records import Verdict

__all__ = ["AlertTally", "Review", "Signal", "Traffic"]


@dataclasses.dataclass(frozen=True)
class Traffic(Record):
    """What one version answered in the time, and in the time of equal length before."""

    version: str
    rows: int
    before: int


@dataclasses.dataclass(frozen=True)
class Signal(Record):
    """A column with drift or a fault: in how many of the judged windows of the time, and the worst of it."""

    feature: str
    what: str
    windows: int
    worst: float


@dataclasses.dataclass(frozen=True)
class AlertTally(Record):
    """How alerts served people.

    Parameters
    ----------
    opened, ended, still_open
        Alerts that opened and ended in the time, and those that are open at its end.
    useful, useless, unrated
        What people said of those that opened in the time.
    taken_after_s
        Median time from opening to acknowledgement, in seconds; None if nobody took one.
    silences
        Those that hold at the end of the time, in words.
    """

    opened: int
    ended: int
    still_open: int
    useful: int
    useless: int
    unrated: int
    taken_after_s: float | None
    silences: tuple[str, ...]

    @property
    def precision(self) -> float | None:
        """The share of rated alerts that were of use; None without a rated one."""
        rated = self.useful + self.useless
        return self.useful / rated if rated else None


@dataclasses.dataclass(frozen=True)
class Review(Record):
    """A model over a time.

    Parameters
    ----------
    model, version
        Which model, and its version in production.
    since, until
        The time.
    verdict
        Of the newest look.
    traffic
        By version, the busiest first.
    windows
        Judged windows that end in the time.
    metric, performance
        The primary metric in the windows of the time.
    drift, quality
        Columns that moved or were broken, the most frequent first.
    tally, alerts
        How alerts served, and those that opened in the time or are open.
    incidents
        What went wrong for people: alerts of severity error, and versions taken back, in words.
    events
        What happened meanwhile.
    steps
        What to do next, the most urgent first.
    """

    model: str
    version: str
    since: dt.datetime
    until: dt.datetime
    verdict: Verdict
    traffic: tuple[Traffic, ...]
    windows: int
    metric: str
    performance: tuple[PerformanceWindow, ...]
    drift: tuple[Signal, ...]
    quality: tuple[Signal, ...]
    tally: AlertTally
    alerts: tuple[Alert, ...]
    incidents: tuple[str, ...]
    events: tuple[Event, ...]
    steps: tuple[str, ...]
