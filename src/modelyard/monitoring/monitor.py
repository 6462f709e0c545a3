"""From a prediction log to a judgement: windows, drift, quality, performance, cause, findings."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import DataError, Finding, Severity, worst_severity
from modelyard.data.profile import FeatureReference, ReferenceProfile, bin_labels, count_bins, text_lengths
from modelyard.data.schema import Column, ColumnKind, Schema, category_text, conform
from modelyard.monitoring.cause_card import cause_finding
from modelyard.monitoring.causes import Diagnosis, Observed, ProfileWithOutcomes, ScoreReference, find_cause
from modelyard.monitoring.drift import DriftResult, drift_test
from modelyard.monitoring.findings import (
    drift_findings,
    label_findings,
    log_findings,
    performance_finding,
    quality_findings,
)
from modelyard.monitoring.performance import (
    LabelUse,
    PerformanceWindow,
    join_labels,
    judge_performance,
)
from modelyard.monitoring.quality import QualityResult, QualitySignal, check_quality, without_slow_columns
from modelyard.monitoring.records import BinShift, DriftTrail, MonitorReport, Verdict
from modelyard.monitoring.windows import Window, WindowFacts, cut_windows
from modelyard.problem import Problem

__all__ = ["monitor"]

Floats = npt.NDArray[np.float64]

_SCORE = "score"
_PREFIX = "feature."
_MOST_SHIFTS = 5
_FEWEST_POOLED = 2


@dataclasses.dataclass(frozen=True)
class _Watched:
    """A feature of the profile, and the column of the log that holds it."""

    reference: FeatureReference
    column: str

    @property
    def is_score(self) -> bool:
        return not self.column.startswith(_PREFIX)


@dataclasses.dataclass(frozen=True)
class _Judged:
    """Windows with enough rows, and everything counted in them."""

    windows: tuple[Window, ...]
    trails: tuple[DriftTrail, ...]
    quality: tuple[QualityResult, ...]
    counts: tuple[dict[str, npt.NDArray[np.int64]], ...]


@dataclasses.dataclass(frozen=True)
class _Yardstick:
    """By what performance is judged: the question, and the package's own score, threshold, classes and outcomes by score."""

    problem: Problem
    reference: float | None
    threshold: float | None
    classes: Sequence[str]
    outcomes: ScoreReference | None = None

    def judge(self, window: Window) -> PerformanceWindow:
        return judge_performance(
            window, self.problem, reference=self.reference, threshold=self.threshold, classes=self.classes
        )


def monitor(
    profile: ReferenceProfile,
    predictions: pl.DataFrame,
    labels: pl.DataFrame | None,
    problem: Problem,
    *,
    reference_score: float | None,
    threshold: float | None = None,
    classes: Sequence[str] = (),
    importance: Mapping[str, float] | None = None,
) -> MonitorReport:
    """Judge a prediction log against the profile in the package.

    Parameters
    ----------
    profile
        Bins and counts of training; the reference rows themselves are not needed. An entry whose name has no column
        ``feature.<name>`` in the log, but is a column of the log itself (such as ``score``), is the model's output.
    predictions
        The log: columns ``id``, ``at``, ``score``, ``label`` and ``feature.<name>``; others may be there.
    labels
        Columns ``id`` and ``label``, and ``at`` if labels may be corrected; None if none came yet.
    problem
        A resolved problem: its ``monitoring`` section holds window, rate and tolerances.
    reference_score
        The primary metric in the package; None if it is not known, and then no loss can be judged.
    threshold, classes
        The package's, for metrics of decided labels.
    importance
        Weight of each feature in the model; orders features and findings.

    Returns
    -------
    MonitorReport
        Complete even for an empty log, whose verdict is "no data".

    Raises
    ------
    DataError
        If the log lacks ``id`` or ``at``, or the labels lack ``id`` or ``label``.

    Notes
    -----
    Dates are watched for quality only: they move by themselves.
    """
    frame, repeated = _unique_ids(predictions)
    plan = problem.monitoring
    windows = cut_windows(frame, plan.window, min_rows=plan.min_rows)
    watched, missing = _watch(profile, frame, importance or {})
    judged = _judge(tuple(window for window in windows if window.facts.judged), watched, plan.false_alarm_rate)
    outcomes = profile.outcomes if isinstance(profile, ProfileWithOutcomes) else None
    yardstick = _Yardstick(problem, reference_score, threshold, classes, outcomes)
    use, labelled, performance = _performance(frame, labels, yardstick)
    pooled = _since_the_score_moved(judged, watched, labelled, performance, yardstick)
    recent = (*performance, *([pooled] if pooled else []))
    diagnosis = _diagnosed(judged, watched, labelled, recent, yardstick)
    versions = (
        tuple(sorted(category_text(frame["version"]).drop_nulls().unique())) if "version" in frame.columns else ()
    )
    findings: list[Finding] = []
    drop = performance_finding(performance, problem.primary_metric, pooled=pooled)
    unfelt = cause_finding(diagnosis, lost=drop is not None)
    findings += [one for one in (drop, unfelt) if one]
    held = bool(performance) and performance[-1].tolerated is not None and not performance[-1].note and drop is None
    scores = frozenset(one.reference.name for one in watched if one.is_score)
    drift = drift_findings(judged.trails, scores=scores, loss_ruled_out=held)
    names = [window.facts.name for window in judged.windows]
    drifted = frozenset(finding.subject for finding in drift)
    findings += [*drift, *quality_findings(judged.quality, names, drifted=drifted)]
    findings += label_findings(use, performance) if use else []
    findings += log_findings(repeated, missing if frame.height else (), versions)
    facts = tuple(window.facts for window in windows)
    return MonitorReport(
        model=problem.name,
        versions=versions,
        rows=frame.height,
        since=facts[0].start if facts else None,
        until=facts[-1].end if facts else None,
        windows=facts,
        trails=judged.trails,
        quality=judged.quality,
        metric=problem.primary_metric,
        reference_score=reference_score,
        labels=use,
        performance=performance,
        diagnosis=diagnosis,
        shifts=_shifts(judged, watched),
        findings=tuple(findings),
        verdict=_verdict(facts, findings),
    )


def _verdict(windows: Sequence[WindowFacts], findings: Sequence[Finding]) -> Verdict:
    if not windows:
        return Verdict.NO_DATA
    worst = worst_severity(findings)
    if worst in (Severity.ERROR, Severity.WARNING):
        return Verdict.ALARM if worst is Severity.ERROR else Verdict.WATCH
    return Verdict.QUIET if any(window.judged for window in windows) else Verdict.WAITING


def _unique_ids(predictions: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The log without rows that repeat an id, and how many they were."""
    if "id" not in predictions.columns:
        raise DataError(
            "the predictions have no column 'id'",
            where="prediction log",
            got=", ".join(predictions.columns[:10]) or "no columns",
            cure="Give each prediction an id; labels come back under it",
        )
    unique = predictions.unique("id", keep="first", maintain_order=True)
    return unique, predictions.height - unique.height


def _watch(
    profile: ReferenceProfile, frame: pl.DataFrame, importance: Mapping[str, float]
) -> tuple[tuple[_Watched, ...], tuple[str, ...]]:
    """Features with their columns, the score first, then by importance; and the names that the log lacks."""
    found: list[_Watched] = []
    missing: list[str] = []
    taken: set[str] = set()
    for reference in profile.features:
        choices = [f"{_PREFIX}{reference.name}", reference.name]
        column = next((name for name in choices if name in frame.columns and name not in taken), None)
        if column is None:
            missing.append(reference.name)
        else:
            taken.add(column)
            found.append(_Watched(reference, column))
    ordered = sorted(found, key=lambda one: (not one.is_score, -importance.get(one.reference.name, 0.0)))
    return tuple(ordered), tuple(missing)


def _column(one: _Watched, frame: pl.DataFrame) -> pl.Series:
    """The values as the profile's kind wants them; dates may have been logged as text, and text is its length."""
    values = frame[one.column].alias(one.reference.name)
    column = Column(one.reference.name, one.reference.kind, "Float64", nullable=True)
    conformed = conform(values.to_frame(), Schema((column,)))[one.reference.name]
    return text_lengths(conformed) if column.kind is ColumnKind.TEXT else conformed


def _judge(windows: tuple[Window, ...], watched: Sequence[_Watched], rate: float) -> _Judged:
    """Count, test and check every feature in every window."""
    tested = [one for one in watched if one.reference.kind is not ColumnKind.DATE]
    results: dict[str, list[DriftResult]] = {one.column: [] for one in tested}
    quality: list[QualityResult] = []
    counted: list[dict[str, npt.NDArray[np.int64]]] = []
    for window in windows:
        counts: dict[str, npt.NDArray[np.int64]] = {}
        for one in watched:
            values = _column(one, window.frame)
            counts[one.column] = count_bins(one.reference, values)
            found = check_quality(
                window.facts.name, one.reference, values, counts[one.column], rate / max(len(watched), 1)
            )
            is_date = one.reference.kind is ColumnKind.DATE
            quality += [alarm for alarm in found if not is_date or alarm.signal is QualitySignal.NULL_RATE]
        for one in tested:
            test = drift_test(one.reference, counts[one.column], false_alarm_rate=rate, features=len(tested))
            results[one.column].append(test)
        counted.append(counts)
    trails = tuple(DriftTrail(one.reference.name, tuple(results[one.column])) for one in tested)
    return _Judged(windows, trails if windows else (), without_slow_columns(quality), tuple(counted))


def _performance(
    frame: pl.DataFrame,
    labels: pl.DataFrame | None,
    yardstick: _Yardstick,
) -> tuple[LabelUse | None, pl.DataFrame | None, tuple[PerformanceWindow, ...]]:
    """What became of the labels, the labelled rows, and the metric per window of labelled rows."""
    if labels is None:
        return None, None, ()
    joined, use = join_labels(frame, labels)
    plan = yardstick.problem.monitoring
    windows = cut_windows(joined, plan.window, min_rows=plan.min_rows)
    return use, joined, tuple(yardstick.judge(window) for window in windows)


def _since_the_score_moved(
    judged: _Judged,
    watched: Sequence[_Watched],
    labelled: pl.DataFrame | None,
    performance: Sequence[PerformanceWindow],
    yardstick: _Yardstick,
) -> PerformanceWindow | None:
    """The metric on all labelled rows since the model's score last began to alarm; None if that adds nothing.

    A window of some hundred rows cannot show a moderate loss beyond doubt; a stretch of such windows can.
    """
    names = {one.reference.name for one in watched if one.is_score}
    scores = [trail for trail in judged.trails if trail.feature in names]
    if labelled is None or not scores:
        return None
    start = len(judged.windows)
    while start > 0 and scores[0].results[start - 1].alarm:
        start -= 1
    onset = judged.windows[start].facts.start if start < len(judged.windows) else None
    if onset is None or sum(window.start >= onset for window in performance) < _FEWEST_POOLED:
        return None
    rows = labelled.filter(pl.col("at") >= onset)
    facts = WindowFacts(f"all rows since {onset:%Y-%m-%d %H:%M}", onset, rows["at"][-1], rows.height, 1, judged=True)
    return yardstick.judge(Window(facts, rows))


def _diagnosed(
    judged: _Judged,
    watched: Sequence[_Watched],
    labelled: pl.DataFrame | None,
    performance: Sequence[PerformanceWindow],
    yardstick: _Yardstick,
) -> Diagnosis:
    """The likely cause of what was judged."""
    columns = {one.column: one for one in watched}
    tested = [one for one in watched if one.reference.kind is not ColumnKind.DATE]
    return find_cause(
        Observed(
            windows=judged.windows,
            columns={name: one.reference for name, one in columns.items()},
            values=lambda name, frame: _column(columns[name], frame),
            drift={one.column: trail.results for one, trail in zip(tested, judged.trails, strict=False)},
            counts=judged.counts,
            quality=judged.quality,
            labelled=labelled,
            performance=performance,
            problem=yardstick.problem,
            classes=yardstick.classes,
            reference_score=yardstick.reference,
            threshold=yardstick.threshold,
            outcomes=yardstick.outcomes,
        )
    )


def _shifts(judged: _Judged, watched: Sequence[_Watched]) -> tuple[BinShift, ...]:
    """The bins of what moved most in the last judged window."""
    if not judged.windows:
        return ()
    tested = [one for one in watched if one.reference.kind is not ColumnKind.DATE]
    pairs = [(trail.results[-1], one) for trail, one in zip(judged.trails, tested, strict=True)]
    moved = sorted((pair for pair in pairs if pair[0].alarm), key=lambda pair: -(pair[0].psi_low or 0.0))
    shifts: list[BinShift] = []
    for _, one in moved[:_MOST_SHIFTS]:
        before = np.asarray(one.reference.counts, dtype=np.float64)
        now = judged.counts[-1][one.column].astype(np.float64)
        used = (before + now) > 0
        labels = tuple(name for name, keep in zip(bin_labels(one.reference), used, strict=True) if keep)
        shares = [tuple((part[used] / part.sum()).tolist()) for part in (before, now)]
        shifts.append(BinShift(one.reference.name, judged.windows[-1].facts.name, labels, *shares))
    return tuple(shifts)
