"""What is told of answers without a target."""

import dataclasses

from modelyard.core import Record
from modelyard.monitoring.performance import PerformanceWindow

__all__ = ["ClusterShare", "DetectorFigure", "ExpectedFlags", "FlaggedWindow", "MetricTrail"]


@dataclasses.dataclass(frozen=True)
class ExpectedFlags(Record):
    """How many rows a detector was made to flag.

    Parameters
    ----------
    share
        Of the training rows, each scored by a detector that had not seen it; 0 to 1.
    rows
        How many these were.
    """

    share: float
    rows: int


@dataclasses.dataclass(frozen=True)
class DetectorFigure(Record):
    """What a metric of a detector was in the package, and the lower end of its 95 % interval: it is of few anomalies."""

    value: float
    low: float


@dataclasses.dataclass(frozen=True)
class FlaggedWindow(Record):
    """The rows of one window that were called anomalies.

    Parameters
    ----------
    name, rows, flagged
        The window, its answers, and how many of these flag a row.
    share, low, high
        ``flagged`` as a share of ``rows``, and its 95 % interval after Wilson (1927).
    expected
        The share among training rows.
    times, times_low, times_high
        The share over the expected one, and the interval by which it is judged; the chance in so few training rows is in it.
    level
        0 if it may be as expected; 1, 2 or 3 if it is certainly beyond 1.5, 2 or 4 times as many, or as few.
    """

    name: str
    rows: int
    flagged: int
    share: float
    low: float
    high: float
    expected: float
    times: float
    times_low: float
    times_high: float
    level: int


@dataclasses.dataclass(frozen=True)
class MetricTrail(Record):
    """A metric beside the primary one, by window of labelled rows."""

    metric: str
    windows: tuple[PerformanceWindow, ...]


@dataclasses.dataclass(frozen=True)
class ClusterShare(Record):
    """The rows of one window that are in one cluster.

    Parameters
    ----------
    window, cluster, rows
        Which, and how many rows.
    share, low, high
        ``rows`` as a share of the window, and its 95 % interval after Wilson (1927).
    before
        The share among training rows; None for one of the rarest beyond 20, which the package counts together.
    """

    window: str
    cluster: str
    rows: int
    share: float
    low: float
    high: float
    before: float | None
