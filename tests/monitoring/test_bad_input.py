"""What a log, its clocks and its disk do wrong: a sentence, and what could be judged is judged.

Elsewhere: windows of one class and labels for unknown ids (``test_monitor``), labels twice and contradictory
(``test_performance``), a sink that is down for an hour (``alerting/test_delivery``), time zones (``test_windows``).
"""

import datetime as dt
import resource
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from modelyard.core import ModelyardError
from modelyard.data.profile import ReferenceProfile
from modelyard.monitoring import Action, Verdict, monitor
from modelyard.monitoring.judging import Background, judge
from modelyard.monitoring.state import StateStore, count_rows, merged
from modelyard.problem import Problem

MakeLog = Callable[..., tuple[pl.DataFrame, pl.DataFrame]]

START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)


def test_days_without_a_row_are_no_windows_and_are_said(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog
) -> None:
    """A log that stood still for two days is judged where it has rows; the silence is an alarm of its own."""
    log, _ = make_log(12, rows=300)
    gap = (pl.col("at") >= START + dt.timedelta(days=9)) & (pl.col("at") < START + dt.timedelta(days=11))
    report = monitor(profile, log.filter(~gap), None, problem, reference_score=None)

    assert [window.rows for window in report.windows] == [300] * 10
    assert [finding.id for finding in report.findings] == ["volume"]
    assert "0 rows came in the period from 2026-11-12 00:00 UTC; 300 are usual." in report.findings[0].message


def test_rows_ahead_of_the_clock_are_left_out_of_the_judgement(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog
) -> None:
    """A server whose clock is a month ahead makes no windows in the future; rows within five minutes count."""
    log, _ = make_log(3)
    now = START + dt.timedelta(
        days=2, minutes=10
    )  # the third day's rows come a second after the other, ten minutes long
    ahead = log.tail(100).with_columns(pl.col("at") + dt.timedelta(days=30), pl.col("id") + "-late")
    report = judge(profile, pl.concat([log, ahead]), None, problem, Background(0.78, None, ("No", "Yes"), {}, now=now))
    said = next(finding for finding in report.findings if finding.id == "rows-ahead-of-time")

    assert (report.rows, len(report.windows)) == (1_800, 3)
    assert said.message == "100 rows are logged as later than now and were left out."


def test_a_package_without_a_profile_watches_performance_only(problem: Problem, make_log: MakeLog) -> None:
    """Nothing is known of training: no drift is claimed or denied, and a loss is found all the same."""
    log, labels = make_log(6, lambda day: {"turned": day >= 3})
    report = monitor(ReferenceProfile(0, ()), log, labels, problem, reference_score=0.78, classes=("No", "Yes"))

    assert (report.trails, report.quality) == ((), ())
    assert [window.alarm for window in report.performance] == [False] * 3 + [True] * 3
    assert report.verdict is Verdict.ALARM


@pytest.mark.parametrize("change", ["column gone", "words", "renamed"])
def test_a_schema_that_changes_in_the_middle_of_a_window(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog, change: str
) -> None:
    """From noon of the last day a column is gone, holds words, or has another name: the pipeline is named, in that window."""
    log, _ = make_log(4)
    noon = START + dt.timedelta(days=3, minutes=5)
    before, after = log.filter(pl.col("at") < noon), log.filter(pl.col("at") >= noon)
    if change == "words":
        before, after = before.cast({"feature.age": pl.String}), after.with_columns(pl.lit("n/a").alias("feature.age"))
    if change == "column gone":
        after = after.drop("feature.age")
    if change == "renamed":
        after = after.rename({"feature.age": "feature.age_years"})
    report = monitor(profile, pl.concat([before, after], how="diagonal"), None, problem, reference_score=None)

    assert {(alarm.feature, alarm.window) for alarm in report.quality} == {("age", report.windows[-1].name)}
    assert report.diagnosis.action is Action.FIX_PIPELINE


def test_hours_of_a_day_when_clocks_change_add_up(profile: ReferenceProfile, make_log: MakeLog) -> None:
    """The night in which an hour comes twice in Berlin: 25 hours, each row in one of them."""
    log, _ = make_log(1, rows=600)
    first = dt.datetime(2026, 10, 24, 22, tzinfo=dt.UTC)  # midnight in Berlin, where 3 o'clock becomes 2 that night
    spread = pl.datetime_range(first, first + dt.timedelta(hours=25), "150s", time_zone="UTC", eager=True)[:600]
    states = count_rows(profile, log.with_columns(spread.alias("at")), zone="Europe/Berlin")
    day = merged(states)

    assert [state.rows for state in states] == [24] * 25
    assert day is not None
    assert (day.rows, day.features) == (600, count_rows(profile, log.with_columns(at=first))[0].features)


def test_a_full_disk_leaves_the_states_whole(tmp_path: Path, profile: ReferenceProfile, make_log: MakeLog) -> None:
    """What was stored before is read as before, the new part counts as not yet counted, and is stored once there is space."""
    log, _ = make_log(2, rows=300)
    store = StateStore(tmp_path, profile)
    one, other = log.head(300), log.tail(300)
    store.put("first", "1", count_rows(profile, one))
    before = store.hours()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(ModelyardError, match="could not be written"):
            store.put("second", "1", count_rows(profile, other))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert (store.hours(), store.mark("second")) == (before, None)
    store.put("second", "1", count_rows(profile, other))
    assert sum(state.rows for state in store.hours()) == 600
