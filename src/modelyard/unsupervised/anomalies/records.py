"""What a search for anomalies says."""

import dataclasses
import datetime as dt
from collections.abc import Mapping

from modelyard.core import Finding, Record

__all__ = ["Anomaly", "AnomalyEvaluation", "AnomalyFigure", "AnomalyRun", "DetectorCandidate", "Reason"]


@dataclasses.dataclass(frozen=True)
class Reason(Record):
    """Why a row is strange: a column, its value there, what is usual, and how much less strange the row were with it."""

    column: str
    value: str
    usual: str
    amount: float


@dataclasses.dataclass(frozen=True)
class Anomaly(Record):
    """A strange row.

    Parameters
    ----------
    row
        Its id, or its number from 1.
    score
        In usual deviations of held-out training rows from their middle.
    share
        Share of held-out training rows that are less strange.
    reasons
        The strongest first; empty if no single column explains it.
    label
        True if people called it one, False if not, None if nobody said.
    """

    row: str
    score: float
    share: float
    reasons: tuple[Reason, ...]
    label: bool | None = None


@dataclasses.dataclass(frozen=True)
class DetectorCandidate(Record):
    """One detector.

    Parameters
    ----------
    name, complexity
        Of the detector.
    status
        ``done``, or ``left out`` with the reason in ``error``.
    figures
        With labels: ``pr_auc``, ``roc_auc``; always ``stability`` and ``agreement``.
    folds
        The figure that chooses, by fold or resample.
    seconds
        Fitting and scoring.
    """

    name: str
    complexity: int
    status: str
    figures: Mapping[str, float | None] = dataclasses.field(default_factory=dict)
    folds: tuple[float, ...] = ()
    seconds: float = 0.0
    error: str = ""


@dataclasses.dataclass(frozen=True)
class AnomalyRun(Record):
    """A search for anomalies.

    Parameters
    ----------
    id
        Digest of the question: equal questions give equal runs.
    dataset_id, split_id
        What was searched.
    columns, excluded
        What rows are compared by, and what not, with reasons.
    metric
        What chose: ``pr_auc`` with labels, ``stability`` without.
    labels
        How many rows have a label, and how many of these are anomalies; (0, 0) without.
    contamination
        The share that the project file states.
    threshold
        The score from which on a row is called an anomaly.
    candidates, winner, why
        The choice, and its reason.
    top
        The strangest training rows, each scored by a detector that had not seen it.
    drivers
        How often each column is among the reasons of the strangest rows, as a share.
    scores
        Ends and counts of the histogram of the winner's scores.
    """

    id: str
    dataset_id: str
    split_id: str
    columns: tuple[str, ...]
    excluded: Mapping[str, str]
    metric: str
    labels: tuple[int, int]
    contamination: float
    threshold: float
    candidates: tuple[DetectorCandidate, ...]
    winner: str
    why: str
    top: tuple[Anomaly, ...]
    drivers: Mapping[str, float]
    scores: tuple[tuple[float, ...], tuple[int, ...]]
    rows: int
    findings: tuple[Finding, ...]
    environment: Mapping[str, str]
    created_at: dt.datetime

    def candidate(self, name: str) -> DetectorCandidate:
        """The candidate of that name."""
        return next(item for item in self.candidates if item.name == name)


@dataclasses.dataclass(frozen=True)
class AnomalyFigure(Record):
    """A figure with its interval; None where it cannot be told."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclasses.dataclass(frozen=True)
class AnomalyEvaluation(Record):
    """How far the winner can be relied on.

    Parameters
    ----------
    run_id, winner, answer
        Whose, and the answer in one sentence.
    measured_on
        ``training rows`` (each held out) or ``test``.
    figures
        With labels: average precision, ROC AUC, precision and recall at the threshold. Always the share called anomalies.
    base
        Share of anomalies among labelled rows: the average precision of a blind choice; None without labels.
    openings, confidence
        Of the sealed part, and of the intervals.
    top
        The strangest rows of what was measured on.
    guardrails
        Bounds that were not met, in words.
    """

    run_id: str
    winner: str
    answer: str
    measured_on: str
    rows: int
    figures: tuple[AnomalyFigure, ...]
    base: float | None
    openings: int
    confidence: float
    top: tuple[Anomaly, ...]
    guardrails: tuple[str, ...]
    findings: tuple[Finding, ...]
    created_at: dt.datetime
    opened_at: dt.datetime | None = None

    def figure(self, name: str) -> AnomalyFigure:
        """The figure of that name."""
        return next(item for item in self.figures if item.name == name)
