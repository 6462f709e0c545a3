"""What monitoring gives: one record with everything that was judged, and the verdict."""

import dataclasses
import datetime as dt
import enum

from modelyard.core import Finding, Record
from modelyard.monitoring.causes.records import Diagnosis
from modelyard.monitoring.courses.forecasts.records import ForecastWindow
from modelyard.monitoring.courses.records import ClusterShare, FlaggedWindow, MetricTrail
from modelyard.monitoring.domain import DomainTest
from modelyard.monitoring.drift import DriftResult
from modelyard.monitoring.expected import ExpectedPerformance
from modelyard.monitoring.flow import ServiceWindow, Volume
from modelyard.monitoring.performance import LabelUse, PerformanceWindow
from modelyard.monitoring.quality import QualityResult
from modelyard.monitoring.streams import ErrorStream
from modelyard.monitoring.windows import WindowFacts
from modelyard.problem import Task

__all__ = ["BinShift", "DriftTrail", "MonitorReport", "Verdict"]


class Verdict(enum.StrEnum):
    """The state of a model. No data is never a success: it is said."""

    NO_DATA = "no data"
    WAITING = "waiting for rows"
    QUIET = "quiet"
    WATCH = "watch"
    ALARM = "alarm"


@dataclasses.dataclass(frozen=True)
class DriftTrail(Record):
    """One feature over the judged windows, in their order."""

    feature: str
    results: tuple[DriftResult, ...]


@dataclasses.dataclass(frozen=True)
class BinShift(Record):
    """Shares per bin in training and in one window, for a feature that moved."""

    feature: str
    window: str
    bins: tuple[str, ...]
    before: tuple[float, ...]
    now: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class MonitorReport(Record):
    """The judgement of a prediction log.

    Parameters
    ----------
    model, versions
        Which model, and which of its versions answered.
    rows, since, until
        Predictions in the log, and their first and last moment; None without any.
    windows
        All windows in order; the last may wait for rows.
    trails
        Drift over the judged windows: the model's score first, then features by importance, else as in training.
    quality
        Alarms of data quality.
    metric, reference_score
        The primary metric, and its value in the package.
    labels, performance
        What became of the labels, and the metric per window of labelled rows; None and empty without labels.
    diagnosis
        The likely cause.
    shifts
        The bins of the features that moved most in the last judged window, at most five.
    findings
        What a person should know, with persistence taken into account.
    verdict
        :class:`Verdict`: alarm if a finding is an error, watch if one is a warning.
    reference, unreferenced
        What the plan holds windows against, and the windows that had too little of it and were held against the package.
    domain
        Whether rows of the last judged window can be told from earlier ones; None without earlier windows.
    expected
        What the predictions of the last fourteen judged windows promise, and whether that may be believed.
    stream
        The errors of all labelled rows as their labels came; None without labels.
    service, volume
        Latency and errors of the judged windows, and rows by period; the latter empty for windows that are no periods.
    task
        What the model answers; None in reports that were kept before it was noted.
    flagged, beside
        Of anomalies: the share of rows flagged in each judged window, and precision and recall by window of labelled rows.
    clusters
        Of clusters: the share of each in each judged window.
    forecasts
        Of forecasts: bias and intervals by window of whole horizons.
    """

    model: str
    versions: tuple[str, ...]
    rows: int
    since: dt.datetime | None
    until: dt.datetime | None
    windows: tuple[WindowFacts, ...]
    trails: tuple[DriftTrail, ...]
    quality: tuple[QualityResult, ...]
    metric: str
    reference_score: float | None
    labels: LabelUse | None
    performance: tuple[PerformanceWindow, ...]
    diagnosis: Diagnosis
    shifts: tuple[BinShift, ...]
    findings: tuple[Finding, ...]
    verdict: Verdict
    reference: str = "profile"
    unreferenced: tuple[str, ...] = ()
    domain: DomainTest | None = None
    expected: tuple[ExpectedPerformance, ...] = ()
    stream: ErrorStream | None = None
    service: tuple[ServiceWindow, ...] = ()
    volume: tuple[Volume, ...] = ()
    task: Task | None = None
    flagged: tuple[FlaggedWindow, ...] = ()
    beside: tuple[MetricTrail, ...] = ()
    clusters: tuple[ClusterShare, ...] = ()
    forecasts: tuple[ForecastWindow, ...] = ()

    @property
    def has_alarms(self) -> bool:
        """True if somebody should be called: a finding is an error."""
        return self.verdict is Verdict.ALARM

    @property
    def judged_windows(self) -> tuple[WindowFacts, ...]:
        """The windows with enough rows."""
        return tuple(window for window in self.windows if window.judged)
