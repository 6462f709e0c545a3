"""From a prediction log to a judgement: windows, drift, quality, performance, cause, findings."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import DataError, Finding, Severity, derive_seed, worst_severity
from modelyard.data.profile import FeatureReference, ReferenceProfile, bin_labels, count_bins
from modelyard.data.schema import ColumnKind, category_text
from modelyard.monitoring.cause_card import cause_finding
from modelyard.monitoring.causes import Diagnosis, Observed, ProfileWithOutcomes, ScoreReference, find_cause
from modelyard.monitoring.columns import Watched, column_matrix, column_values, watched_columns
from modelyard.monitoring.courses.answers import Answers, metrics_beside, needs_a_fair_draw
from modelyard.monitoring.courses.clusters import cluster_shares
from modelyard.monitoring.courses.flags import flagged_windows
from modelyard.monitoring.courses.labels import unfair_draw
from modelyard.monitoring.courses.records import DetectorFigure, ExpectedFlags, FlaggedWindow
from modelyard.monitoring.domain import DomainTest, domain_test
from modelyard.monitoring.drift import DriftResult, drift_test
from modelyard.monitoring.expected import Expecting, expect, expected_findings
from modelyard.monitoring.findings import (
    drift_findings,
    label_findings,
    log_findings,
    performance_finding,
    quality_findings,
    window_findings,
)
from modelyard.monitoring.flow import service_findings, service_windows, volume_findings, volumes
from modelyard.monitoring.performance import (
    PerformanceWindow,
    by_arrival,
    join_labels,
    judge_performance,
)
from modelyard.monitoring.quality import QualityResult, QualitySignal, check_quality, check_type, without_slow_columns
from modelyard.monitoring.records import BinShift, DriftTrail, MonitorReport, Verdict
from modelyard.monitoring.references import References, roll_up
from modelyard.monitoring.state import WindowState
from modelyard.monitoring.streams import error_stream, stream_findings
from modelyard.monitoring.windows import Window, WindowFacts, before_moment, cut_windows, moments
from modelyard.problem import Problem, Task
from modelyard.problem.schema import Monitoring

__all__ = ["Background", "judge", "monitor", "verdict_of"]

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_MOST_SHIFTS = 5
_MOST_COLUMNS = 40
_CLOCK_SLACK = dt.timedelta(minutes=5)
_FEWEST_POOLED = 2


@dataclasses.dataclass(frozen=True)
class Background:
    """What is known of a version beside its profile and its log.

    Parameters
    ----------
    reference_score
        The primary metric in the package; None if it is not known, and then no loss can be judged.
    threshold, classes
        The package's, for metrics of decided labels.
    importance
        Weight of each feature in the model; orders features and findings.
    history
        Stored hours, in the order of time; those before the log's first row are the past that references come from.
    now
        The present moment: what is logged as later is left out and said. None leaves all rows in.
    flags
        Anomalies only: how many rows the package was made to flag; None if it does not say.
    figures
        Anomalies only: the package's figures by metric, as far as they were measured, with the lower ends of their intervals.
    """

    reference_score: float | None = None
    threshold: float | None = None
    classes: Sequence[str] = ()
    importance: Mapping[str, float] = dataclasses.field(default_factory=dict)
    history: Sequence[WindowState] = ()
    now: dt.datetime | None = None
    flags: ExpectedFlags | None = None
    figures: Mapping[str, DetectorFigure] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class _Judged:
    """Windows with enough rows, and everything counted in them."""

    windows: tuple[Window, ...]
    trails: tuple[DriftTrail, ...]
    quality: tuple[QualityResult, ...]
    counts: tuple[dict[str, npt.NDArray[np.int64]], ...]
    references: tuple[dict[str, FeatureReference], ...]
    unreferenced: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Yardstick(Expecting):
    """By what performance is judged, with labels as without; and training's outcomes by score, if they are known."""

    outcomes: ScoreReference | None = None
    figures: Mapping[str, DetectorFigure] = dataclasses.field(default_factory=dict)
    unfair: str = ""
    """Why labelled rows do not stand for all rows."""

    def judge(self, window: Window) -> PerformanceWindow:
        """The primary metric in a window of labelled rows."""
        return self.judge_by(self.problem.primary_metric, window)

    def judge_by(self, metric: str, window: Window) -> PerformanceWindow:
        """Any metric."""
        known = self.figures.get(metric)
        reference = self.reference if metric == self.problem.primary_metric else None
        return judge_performance(
            window,
            self.problem,
            reference=known.value if known else reference,
            threshold=self.threshold,
            classes=self.classes,
            metric=metric,
            obstacle=self.unfair if needs_a_fair_draw(metric) else "",
            reference_low=known.low if known else None,
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
    background = Background(reference_score, threshold, classes, importance or {})
    return judge(profile, predictions, labels, problem, background)


def judge(
    profile: ReferenceProfile,
    predictions: pl.DataFrame,
    labels: pl.DataFrame | None,
    problem: Problem,
    background: Background,
) -> MonitorReport:
    """As :func:`monitor`, with everything that is known of the version."""
    frame, repeated = _unique_ids(predictions)
    frame, ahead = before_moment(frame, background.now, _CLOCK_SLACK)
    plan = problem.monitoring
    windows = _cut(frame, plan)
    watched, missing = watched_columns(profile, frame, background.importance)
    judged = _judge(
        tuple(window for window in windows if window.facts.judged), watched, plan, _references(frame, plan, background)
    )
    outcomes = profile.outcomes if isinstance(profile, ProfileWithOutcomes) else None
    labelled, use = (None, None) if labels is None else join_labels(frame, labels)
    yardstick = _Yardstick(
        problem,
        background.reference_score,
        background.threshold,
        background.classes,
        outcomes,
        background.figures,
        _unfair(frame, labelled, problem, background.classes),
    )
    judgements = _performance(labelled, yardstick)
    performance = tuple(judgement for _, judgement in judgements)
    pooled = _since_the_score_moved(judged, watched, labelled, performance, yardstick)
    recent = (*performance, *([pooled] if pooled else []))
    answers = _answers(judged, watched, judgements, yardstick, background.flags)
    diagnosis = _diagnosed(judged, watched, labelled, recent, yardstick, answers.flagged)
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
    expected = expect(judged.windows, judgements, judged.quality, yardstick)
    findings += expected_findings(expected, problem.primary_metric, labelled=bool(performance))
    findings += answers.findings()
    stream = None if labelled is None else error_stream(by_arrival(labelled, labels), Task(problem.task))
    findings += [] if drop else stream_findings(stream)  # a loss is said once
    service = service_windows(judged.windows)
    volume = volumes(frame, plan.window, zone=plan.zone, now=background.now, history=background.history)
    findings += [*service_findings(service), *volume_findings(volume)]
    findings += window_findings(ahead, judged.unreferenced, plan.reference)
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
        reference_score=background.reference_score,
        labels=use,
        performance=performance,
        diagnosis=diagnosis,
        shifts=_shifts(judged, watched),
        findings=tuple(findings),
        verdict=verdict_of(facts, findings),
        reference=plan.reference,
        unreferenced=judged.unreferenced,
        expected=expected,
        stream=stream,
        service=service,
        volume=volume,
        domain=_domain(judged, watched, plan, problem.training.seed),
        task=Task(problem.task),
        flagged=answers.flagged,
        beside=answers.beside,
        clusters=answers.clusters,
    )


def _unfair(frame: pl.DataFrame, labelled: pl.DataFrame | None, problem: Problem, classes: Sequence[str]) -> str:
    """Of anomalies: why the labelled rows do not stand for all answers; empty if they may."""
    if labelled is None or problem.task is not Task.ANOMALY:
        return ""
    return unfair_draw(frame, labelled, classes[-1])


def _answers(
    judged: _Judged,
    watched: Sequence[Watched],
    labelled: Sequence[tuple[Window, PerformanceWindow]],
    yardstick: _Yardstick,
    flags: ExpectedFlags | None,
) -> Answers:
    """What is told of answers without a target."""
    problem, classes = yardstick.problem, yardstick.classes
    if problem.task is Task.CLUSTERING:
        own = next((one.reference for one in watched if one.column == "label"), None)
        return Answers(clusters=cluster_shares(judged.windows, classes, own) if own else ())
    if problem.task is not Task.ANOMALY:
        return Answers()
    rate = problem.monitoring.false_alarm_rate / (len(judged.trails) + 1)
    return Answers(
        flagged_windows(judged.windows, flags, label=classes[-1], rate=rate) if flags else (),
        metrics_beside([window for window, _ in labelled], problem.primary_metric, yardstick.judge_by),
    )


def _cut(frame: pl.DataFrame, plan: Monitoring) -> tuple[Window, ...]:
    """The windows that the plan asks for."""
    return cut_windows(frame, plan.window, min_rows=plan.min_rows, zone=plan.zone, batch=plan.batch)


def _references(frame: pl.DataFrame, plan: Monitoring, background: Background) -> References:
    """What windows are held against: of the stored hours, only those before the log's first row are another past."""
    begin = moments(frame).min() if frame.height else None
    earlier = [hour for hour in background.history if isinstance(begin, dt.datetime) and hour.last < begin]
    past = roll_up(earlier, plan.window, min_rows=plan.min_rows, zone=plan.zone) if plan.reference == "trailing" else ()
    return References(plan.reference, plan.trailing, plan.min_rows, past, background.history)


def verdict_of(windows: Sequence[WindowFacts], findings: Sequence[Finding]) -> Verdict:
    """The state of a model, by its windows and what is to be told of them."""
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


def _judge(
    windows: tuple[Window, ...], watched: Sequence[Watched], plan: Monitoring, references: References
) -> _Judged:
    """Count, test and check every feature in every window."""
    tested = [one for one in watched if one.reference.kind is not ColumnKind.DATE]
    results: dict[str, list[DriftResult]] = {one.column: [] for one in tested}
    quality: list[QualityResult] = []
    counted: list[dict[str, Counts]] = []
    used: list[dict[str, FeatureReference]] = []
    unreferenced: list[str] = []
    for window in windows:
        counts, alarms = _checked(window, watched, plan.false_alarm_rate)
        quality += alarms
        found = {
            one.column: references.of(
                one.reference, one.column, window.facts, [before[one.column] for before in counted]
            )
            for one in tested
        }
        if not all(found.values()):
            unreferenced.append(window.facts.name)
        held = {one.column: found[one.column] or one.reference for one in tested}
        for one in tested:
            test = drift_test(
                held[one.column], counts[one.column], false_alarm_rate=plan.false_alarm_rate, features=len(tested)
            )
            results[one.column].append(test)
        counted.append(counts)
        used.append(held)
    trails = tuple(DriftTrail(one.reference.name, tuple(results[one.column])) for one in tested)
    names = {one.reference.name: one.reference for one in watched}
    facts = [window.facts for window in windows]
    kept = without_slow_columns(quality, facts, names, plan.false_alarm_rate / max(len(watched), 1))
    return _Judged(windows, trails if windows else (), kept, tuple(counted), tuple(used), tuple(unreferenced))


def _checked(window: Window, watched: Sequence[Watched], rate: float) -> tuple[dict[str, Counts], list[QualityResult]]:
    """Counts of every column in a window, and the alarms of its quality."""
    counts: dict[str, Counts] = {}
    quality: list[QualityResult] = []
    for one in watched:
        values = column_values(one, window.frame)
        counts[one.column] = count_bins(one.reference, values)
        found = check_quality(window.facts.name, one.reference, values, counts[one.column], rate / max(len(watched), 1))
        if one.reference.kind is ColumnKind.DATE:
            found = tuple(alarm for alarm in found if alarm.signal is QualitySignal.NULL_RATE)
        # What cannot be read counts as missing; that it is there, in another type, is the better sentence.
        unreadable = check_type(window.facts.name, one.reference, window.frame[one.column], values)
        quality += unreadable or found
    return counts, quality


def _performance(labelled: pl.DataFrame | None, yardstick: _Yardstick) -> tuple[tuple[Window, PerformanceWindow], ...]:
    """Each window of labelled rows with its metric."""
    if labelled is None:
        return ()
    windows = _cut(labelled, yardstick.problem.monitoring)
    return tuple((window, yardstick.judge(window)) for window in windows)


def _since_the_score_moved(
    judged: _Judged,
    watched: Sequence[Watched],
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
    watched: Sequence[Watched],
    labelled: pl.DataFrame | None,
    performance: Sequence[PerformanceWindow],
    yardstick: _Yardstick,
    flagged: Sequence[FlaggedWindow],
) -> Diagnosis:
    """The likely cause of what was judged."""
    columns = {one.column: one for one in watched}
    tested = [one for one in watched if one.reference.kind is not ColumnKind.DATE]
    return find_cause(
        Observed(
            windows=judged.windows,
            columns={name: one.reference for name, one in columns.items()},
            values=lambda name, frame: column_values(columns[name], frame),
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
            flagged=flagged,
        )
    )


def _domain(judged: _Judged, watched: Sequence[Watched], plan: Monitoring, seed: int) -> DomainTest | None:
    """Whether the last judged window's rows can be told from those of the windows before it."""
    if len(judged.windows) < _FEWEST_POOLED:
        return None
    last = judged.windows[-1]
    before = pl.concat([window.frame for window in judged.windows[-1 - plan.trailing : -1]])
    sides = [column_matrix(watched, frame, most=_MOST_COLUMNS) for frame in (before, last.frame)]
    return domain_test(last.facts.name, sides[0][0], sides[1][0], sides[0][1], derive_seed(seed, "domain"))


def _shifts(judged: _Judged, watched: Sequence[Watched]) -> tuple[BinShift, ...]:
    """The bins of what moved most in the last judged window."""
    if not judged.windows:
        return ()
    tested = [one for one in watched if one.reference.kind is not ColumnKind.DATE]
    pairs = [(trail.results[-1], one) for trail, one in zip(judged.trails, tested, strict=True)]
    moved = sorted((pair for pair in pairs if pair[0].alarm), key=lambda pair: -(pair[0].psi_low or 0.0))
    shifts: list[BinShift] = []
    for _, one in moved[:_MOST_SHIFTS]:
        before = np.asarray(judged.references[-1][one.column].counts, dtype=np.float64)
        now = judged.counts[-1][one.column].astype(np.float64)
        used = (before + now) > 0
        labels = tuple(name for name, keep in zip(bin_labels(one.reference), used, strict=True) if keep)
        shares = [tuple((part[used] / part.sum()).tolist()) for part in (before, now)]
        shifts.append(BinShift(one.reference.name, judged.windows[-1].facts.name, labels, *shares))
    return tuple(shifts)
