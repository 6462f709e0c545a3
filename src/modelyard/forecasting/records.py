"""What a forecast's training and evaluation say: frozen, and JSON-ready."""

import dataclasses
import datetime as dt
from collections.abc import Mapping

from modelyard.core import Finding, Record

__all__ = ["ForecastCandidate", "ForecastEvaluation", "ForecastFigures", "ForecastRun", "SeriesFigures", "StepFigures"]


@dataclasses.dataclass(frozen=True)
class ForecastCandidate(Record):
    """One method in the backtest.

    Parameters
    ----------
    name, complexity
        Of the method.
    status
        ``done``, or ``left out`` with the reason in ``error``.
    figures
        Every measure over all windows.
    windows
        The primary measure of each window, the earliest first.
    coverage
        Share of values inside the intervals, each window judged by the widths of the others.
    seconds
        Fitting and telling, all windows.
    """

    name: str
    complexity: int
    status: str
    figures: Mapping[str, float | None] = dataclasses.field(default_factory=dict)
    windows: tuple[float, ...] = ()
    coverage: float | None = None
    seconds: float = 0.0
    error: str = ""


@dataclasses.dataclass(frozen=True)
class ForecastRun(Record):
    """A training of forecasts.

    Parameters
    ----------
    id
        Digest of split, plan, seed and versions: the same question gives the same run.
    dataset_id, split_id, target, time
        What was learnt from.
    metric
        The measure that chose.
    frequency, seasons, horizon
        The step, its seasons, and how many steps are told.
    series
        Names of the series that were tried.
    left_out
        Series that were not, with the reason.
    windows
        Windows of the backtest.
    candidates
        All methods, simple ones first.
    winner, why
        The choice, and its reason.
    coverage
        What the intervals are to hold.
    widths
        Half the width of the intervals for each step ahead, in naive scales.
    scales
        The naive scale of each series; None where nothing changes.
    last
        The last moment that was learnt from.
    findings
        About the series.
    environment
        Versions of the libraries.
    """

    id: str
    dataset_id: str
    split_id: str
    target: str
    time: str
    metric: str
    frequency: str
    seasons: tuple[int, ...]
    horizon: int
    series: tuple[str, ...]
    left_out: Mapping[str, str]
    windows: int
    candidates: tuple[ForecastCandidate, ...]
    winner: str
    why: str
    coverage: float
    widths: tuple[float, ...]
    scales: Mapping[str, float | None]
    last: dt.datetime
    findings: tuple[Finding, ...]
    environment: Mapping[str, str]
    created_at: dt.datetime

    def candidate(self, name: str) -> ForecastCandidate:
        """The candidate of that name."""
        return next(item for item in self.candidates if item.name == name)


@dataclasses.dataclass(frozen=True)
class ForecastFigures(Record):
    """One method measured: the measures, and the interval of the primary one; None where it cannot be told."""

    name: str
    figures: Mapping[str, float | None]
    low: float | None = None
    high: float | None = None


@dataclasses.dataclass(frozen=True)
class SeriesFigures(Record):
    """One series: the primary measure of the winner and of the best naive answer, over so many values."""

    name: str
    values: int
    winner: float | None
    naive: float | None


@dataclasses.dataclass(frozen=True)
class StepFigures(Record):
    """One step ahead: mean absolute errors, and the share of values inside the intervals."""

    step: int
    winner: float | None
    naive: float | None
    coverage: float | None


@dataclasses.dataclass(frozen=True)
class ForecastEvaluation(Record):
    """How good the winner is, and where it fails.

    Parameters
    ----------
    run_id, metric, winner, reference
        Whose; ``reference`` is the best naive answer.
    answer
        In one sentence: is it good enough, by which number, against what.
    measured_on
        ``backtest`` or ``test``.
    windows
        Windows that were measured.
    systems
        The naive answers and the winner.
    series, steps
        The same by series (worst first) and by step ahead.
    weekday, hour
        Mean absolute error by part of the calendar, over the whole mean: where it fails.
    coverage, pinball
        Of the intervals: measured, beside ``nominal``.
    nominal
        What the intervals are to hold.
    openings, confidence
        How often the sealed part was opened, and the confidence of the intervals of the measure.
    guardrails
        Bounds of the project file that were not met, in words.
    findings
        What wants a decision.
    opened_at
        When the sealed part was opened; None if it stayed sealed.
    """

    run_id: str
    metric: str
    winner: str
    reference: str
    answer: str
    measured_on: str
    windows: int
    systems: tuple[ForecastFigures, ...]
    series: tuple[SeriesFigures, ...]
    steps: tuple[StepFigures, ...]
    weekday: Mapping[str, float]
    hour: Mapping[str, float]
    coverage: float | None
    pinball: float | None
    nominal: float
    openings: int
    confidence: float
    guardrails: tuple[str, ...]
    findings: tuple[Finding, ...]
    created_at: dt.datetime
    opened_at: dt.datetime | None = None

    def system(self, name: str) -> ForecastFigures:
        """The figures of that method."""
        return next(item for item in self.systems if item.name == name)
