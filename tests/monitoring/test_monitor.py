import datetime as dt
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from modelyard.core import DataError, Severity
from modelyard.data.profile import ReferenceProfile, build_profile
from modelyard.data.schema import Column, ColumnKind
from modelyard.monitoring import Action, Cause, DriftLevel, MonitorReport, Verdict, monitor
from modelyard.monitoring.flow.persistence import persistent_severity
from modelyard.problem import Problem

Log = tuple[pl.DataFrame, pl.DataFrame]
MakeLog = Callable[..., Log]

START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
REFERENCE = 0.78


def _monitor(
    profile: ReferenceProfile, problem: Problem, log: pl.DataFrame, labels: pl.DataFrame | None = None
) -> MonitorReport:
    return monitor(profile, log, labels, problem, reference_score=REFERENCE, classes=("No", "Yes"))


def _severities(report: MonitorReport) -> dict[tuple[str, str], Severity]:
    return {(finding.id, finding.subject): finding.severity for finding in report.findings}


def _with_nulls(log: pl.DataFrame, column: str, first_day: int, share: float) -> pl.DataFrame:
    gone = pl.Series(np.random.default_rng(0).random(log.height) < share)
    late = pl.col("at") >= START + dt.timedelta(days=first_day)
    return log.with_columns(pl.when(late & gone).then(None).otherwise(pl.col(column)).alias(column))


def test_a_clean_fortnight_is_quiet(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """Nothing wrong: no findings at all, with and without labels, and the score is the first signal."""
    log, labels = make_log(14)
    judged, unlabelled = _monitor(profile, problem, log, labels), _monitor(profile, problem, log)

    assert (judged.verdict, judged.findings, judged.diagnosis.verdict) == (Verdict.QUIET, (), Cause.NOTHING)
    assert (unlabelled.verdict, unlabelled.findings) == (Verdict.QUIET, ())
    assert [trail.feature for trail in judged.trails] == ["score", "age", "spend", "plan"]
    assert [len(trail.results) for trail in judged.trails] == [14] * 4
    assert judged.labels is not None
    assert judged.labels.coverage == 1.0
    assert not judged.has_alarms


def test_one_odd_window_calls_nobody(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """A large shift in the last window alone is a warning; in two of the last three it is an error."""
    once, _ = make_log(6, lambda day: {"mean": 1.0 if day == 5 else 0.0})
    twice, _ = make_log(6, lambda day: {"mean": 1.0 if day >= 4 else 0.0})
    long_ago, _ = make_log(6, lambda day: {"mean": 1.0 if day == 0 else 0.0})
    cases = [_monitor(profile, problem, log) for log in (once, twice, long_ago)]

    assert [_severities(report)["drift", "age"] for report in cases] == [
        Severity.WARNING,
        Severity.ERROR,
        Severity.INFO,
    ]
    assert [report.verdict for report in cases] == [Verdict.WATCH, Verdict.ALARM, Verdict.QUIET]


def test_drift_that_costs_nothing_calls_nobody(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """If labels show that performance held, drift is a warning, and the cause is a change without loss."""
    log, labels = make_log(6, lambda day: {"mean": 0.8 if day >= 2 else 0.0})
    blind, seeing = _monitor(profile, problem, log), _monitor(profile, problem, log, labels)

    assert (blind.verdict, blind.diagnosis.verdict) == (Verdict.ALARM, Cause.UNKNOWN)
    assert blind.diagnosis.action is Action.WAIT_FOR_LABELS
    assert blind.diagnosis.labels is not None
    assert len(blind.diagnosis.labels.ids) == min(blind.diagnosis.labels.needed, 3 * 600)
    assert (seeing.verdict, seeing.diagnosis.verdict) == (Verdict.WATCH, Cause.HARMLESS)
    assert [shift.feature for shift in seeing.shifts] == ["age", "score"]


def test_a_broken_column_is_a_broken_pipeline(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """Nulls come first in the order of causes, with or without labels, and the cure is never retraining."""
    clean, labels = make_log(6)
    log = _with_nulls(clean, "feature.spend", 3, 0.5)
    for report in (_monitor(profile, problem, log), _monitor(profile, problem, log, labels)):
        assert report.diagnosis.verdict is Cause.PIPELINE
        assert report.diagnosis.action is Action.FIX_PIPELINE
        assert _severities(report)["null-rate", "spend"] is Severity.ERROR


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ({}, []),
        ({"crm": ["spend"], "shop": ["plan"]}, []),
        ({"crm": ["sp*", "plan"]}, ["2 of 2 columns of the source crm broke together: plan, spend."]),
        ({"crm": ["plan"], "lake": ["*"]}, []),
        ({"lake": ["*"]}, ["2 of 3 columns of the source lake broke together: plan, spend."]),
    ],
)
def test_declared_sources_tell_what_broke_together(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog, sources: dict[str, list[str]], said: list[str]
) -> None:
    """The first source that names a column has it; the score is no column; what nobody declared is no source."""
    clean, _ = make_log(4)
    log = _with_nulls(_with_nulls(clean, "feature.spend", 2, 0.5), "feature.plan", 2, 0.5)
    declared = problem.with_values(alerts=problem.alerts.model_copy(update={"sources": sources}))
    diagnosis = _monitor(profile, declared, log).diagnosis

    assert diagnosis.verdict is Cause.PIPELINE
    assert [item.says for item in diagnosis.evidence if "source" in item.says] == said


def test_a_column_of_nulls_only(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """A column that vanished is judged, not crashed upon."""
    clean, _ = make_log(4)
    report = _monitor(profile, problem, clean.with_columns(pl.lit(None).alias("feature.plan")))

    assert _severities(report)["null-rate", "plan"] is Severity.ERROR
    assert report.trails[3].results[0].level is DriftLevel.LARGE


def test_a_turned_relation_is_concept_drift(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """Inputs are as before, so without labels nothing can be seen; with labels the loss and its cause are named."""
    log, labels = make_log(6, lambda day: {"turned": day >= 3})
    blind, seeing = _monitor(profile, problem, log), _monitor(profile, problem, log, labels)

    assert (blind.verdict, blind.diagnosis.verdict) == (Verdict.QUIET, Cause.NOTHING)
    assert "would not be seen" in blind.diagnosis.not_known
    assert (seeing.verdict, seeing.diagnosis.verdict) == (Verdict.ALARM, Cause.CONCEPT)
    assert _severities(seeing) == {("performance-drop", "roc_auc"): Severity.ERROR}
    assert [window.alarm for window in seeing.performance] == [False, False, False, True, True, True]


def test_outcomes_at_another_level_ask_for_recalibration(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog
) -> None:
    """If only the level of outcomes moved, the log loss rises and the cure is to recalibrate, not to retrain."""
    log, labels = make_log(4, lambda day: {"lift": 1.2})
    by_loss = problem.with_values(metrics={"primary": "log_loss"})
    report = monitor(profile, log, labels, by_loss, reference_score=0.53, classes=("No", "Yes"))

    assert report.diagnosis.verdict is Cause.PRIOR
    assert report.diagnosis.action is Action.RECALIBRATE


def test_an_empty_log_is_no_success(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """No data is its own verdict."""
    log, labels = make_log(1)
    report = _monitor(profile, problem, log.clear(), labels)

    assert (report.verdict, report.rows, report.windows, report.since) == (Verdict.NO_DATA, 0, (), None)
    assert report.labels is not None
    assert report.labels.unknown_ids == labels.height


def test_too_few_rows_wait(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """A one-row log is not judged, even if the row is odd; one-row days merge until there are enough."""
    one, _ = make_log(1, lambda day: {"mean": 50.0}, rows=1)
    many, _ = make_log(450, rows=1)
    waiting, merged = _monitor(profile, problem, one), _monitor(profile, problem, many)

    assert (waiting.verdict, waiting.findings, waiting.trails) == (Verdict.WAITING, (), ())
    assert [window.rows for window in merged.windows] == [200, 200, 50]
    assert len(merged.judged_windows) == 2


def test_a_repeated_prediction_counts_once(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """The first row of an id stays, and the repetition is reported."""
    log, _ = make_log(2)
    report = _monitor(profile, problem, pl.concat([log, log.head(10)]))

    assert report.rows == log.height
    assert _severities(report) == {("duplicate-id", "id"): Severity.WARNING}


def test_a_feature_that_is_not_logged_is_reported(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog
) -> None:
    """What cannot be watched is said."""
    log, _ = make_log(2)
    report = _monitor(profile, problem, log.drop("feature.plan"))

    assert _severities(report) == {("feature-not-logged", "plan"): Severity.WARNING}


def test_labels_for_unknown_ids_are_reported(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """Labels that fit no prediction are counted, never joined to something else."""
    log, labels = make_log(2)
    strange = labels.with_columns(pl.concat_str(pl.lit("x"), "id").alias("id"))
    report = _monitor(profile, problem, log, strange)

    assert _severities(report) == {("labels-unknown-id", "labels"): Severity.WARNING}
    assert report.performance == ()


def test_windows_of_one_class_are_said_to_be_unjudged(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog
) -> None:
    """If all labels are of one class, there is no figure, and a note says why."""
    log, labels = make_log(2)
    report = _monitor(profile, problem, log, labels.with_columns(label=pl.lit("No")))

    assert _severities(report) == {("performance-not-judged", "labels"): Severity.INFO}
    assert "one class" in report.findings[0].message


@pytest.mark.parametrize("column", ["id", "at"])
def test_a_log_without_id_or_time_is_refused(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog, column: str
) -> None:
    """The error names the column."""
    log, _ = make_log(1)
    with pytest.raises(DataError, match=f"no column '{column}'"):
        _monitor(profile, problem, log.drop(column))


def test_importance_orders_the_features(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """The score stays first, then the features by their weight in the model."""
    log, _ = make_log(2)
    weights = {"plan": 0.3, "spend": 0.2, "age": 0.1}
    report = monitor(profile, log, None, problem, reference_score=None, importance=weights)

    assert [trail.feature for trail in report.trails] == ["score", "plan", "spend", "age"]


def test_dates_move_by_themselves(problem: Problem) -> None:
    """A date column is watched for nulls only, even when it was logged as text."""
    days = pl.date_range(dt.date(2020, 1, 1), dt.date(2025, 12, 31), eager=True).alias("joined")
    profile = build_profile(days.to_frame(), (Column("joined", ColumnKind.DATE, "Date", nullable=False),))
    moments = [START + dt.timedelta(minutes=index) for index in range(600)]
    log = pl.DataFrame({"id": range(600), "at": moments, "feature.joined": ["2026-11-01"] * 600})
    quiet = monitor(profile, log, None, problem, reference_score=None)
    broken = monitor(
        profile, log.with_columns(pl.lit("soon").alias("feature.joined")), None, problem, reference_score=None
    )

    assert (quiet.verdict, quiet.findings, quiet.trails) == (Verdict.QUIET, (), ())
    assert [finding.id for finding in broken.findings] == ["wrong-type"]


def test_the_report_survives_json(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """What is stored is what was judged."""
    log, labels = make_log(4, lambda day: {"mean": 0.9 if day > 1 else 0.0})
    report = _monitor(profile, problem, log, labels)

    assert MonitorReport.from_dict(report.to_dict()) == report


def test_the_same_log_gives_the_same_report(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """Order of rows and repetition of the call do not matter."""
    log, labels = make_log(3)
    shuffled = log.sample(fraction=1.0, shuffle=True, seed=1)

    assert _monitor(profile, problem, log, labels).trails == _monitor(profile, problem, shuffled, labels).trails


@pytest.mark.parametrize(
    ("levels", "severity"),
    [
        ([], None),
        ([0, 0], None),
        ([3], Severity.WARNING),
        ([1], Severity.INFO),
        ([1, 1], Severity.WARNING),
        ([3, 0, 2], Severity.ERROR),
        ([3, 3, 0, 0, 0], Severity.INFO),
        ([1, 1, 1], Severity.WARNING),
    ],
)
def test_persistence(levels: list[int], severity: Severity | None) -> None:
    """Two strong alarms in the last three windows call somebody; nothing less does."""
    assert persistent_severity(levels) == severity


def test_a_column_of_another_type_is_a_broken_pipeline(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog
) -> None:
    """Words where numbers were are named as such, with an example."""
    log, _ = make_log(4)
    words = (
        pl.when(pl.col("at") >= START + dt.timedelta(days=2))
        .then(pl.lit("n/a?"))
        .otherwise(pl.col("feature.age").cast(pl.String))
    )
    report = _monitor(profile, problem, log.with_columns(words.alias("feature.age")))
    finding = next(one for one in report.findings if one.id == "wrong-type")

    assert (finding.severity, finding.subject) == (Severity.ERROR, "age")
    assert "'n/a?'" in finding.message
    assert report.diagnosis.action is Action.FIX_PIPELINE
