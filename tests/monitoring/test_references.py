import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modelyard.data.profile import ReferenceProfile, count_bins, learnt_tolerance
from modelyard.monitoring.judging import Background, judge
from modelyard.monitoring.records import MonitorReport
from modelyard.monitoring.references import roll_up, span_needed
from modelyard.monitoring.state import StateStore, count_rows, count_table
from modelyard.monitoring.windows import cut_windows
from modelyard.problem import Problem

Log = tuple[pl.DataFrame, pl.DataFrame]
MakeLog = Callable[..., Log]


def _judged(
    profile: ReferenceProfile, problem: Problem, log: pl.DataFrame, background: Background | None = None, **plan: object
) -> MonitorReport:
    return judge(profile, log, None, problem.with_values(monitoring=plan), background or Background())


def _alarms(report: MonitorReport, feature: str) -> list[bool]:
    return [result.alarm for trail in report.trails if trail.feature == feature for result in trail.results]


def test_a_trailing_reference_knows_the_usual(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """A world that differs from training alarms against training, and no more against its own past; a step still does."""
    log, _ = make_log(14, lambda day: {"mean": 1.6 if day == 12 else 0.8})
    against_training = _alarms(_judged(profile, problem, log), "age")
    report = _judged(profile, problem, log, reference="trailing")

    assert against_training == [True] * 14
    assert _alarms(report, "age") == [True] * 4 + [False] * 8 + [True, False]
    assert report.unreferenced == tuple(window.name for window in report.windows[:4])
    assert [finding.id for finding in report.findings if finding.subject == "reference"] == ["reference-too-short"]


def test_stored_hours_are_a_past_too(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog, tmp_path: Path
) -> None:
    """Rows that are gone from the log are still what its windows are held against."""
    log, _ = make_log(14, lambda _: {"mean": 0.8})
    first = log["at"].min()
    assert isinstance(first, dt.datetime)
    old, new = (
        log.filter(pl.col("at") < first + dt.timedelta(days=8)),
        log.filter(pl.col("at") >= first + dt.timedelta(days=8)),
    )
    store = StateStore(tmp_path, profile)
    count_table(store, profile, old, "old")
    begin = new["at"].min()
    assert isinstance(begin, dt.datetime)
    plan = problem.with_values(monitoring={"reference": "trailing", "trailing": 5}).monitoring
    span = span_needed(plan, begin, begin)
    assert span is not None
    report = _judged(profile, problem, new, Background(history=store.hours(*span)), reference="trailing", trailing=5)

    assert span == (begin - dt.timedelta(days=15), begin)
    assert _alarms(report, "age") == [False] * 6
    assert report.unreferenced == ()


def test_last_year_is_52_weeks_ago(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """A season that returns is no drift against the same weekdays of the year before; another one is."""
    log, _ = make_log(3, lambda _: {"mean": 0.8}, seed=1)
    before, _ = make_log(3, lambda _: {"mean": 0.8}, seed=2)
    other, _ = make_log(3, seed=3)
    year = dt.timedelta(weeks=52)
    same, different = (count_rows(profile, one.with_columns(pl.col("at") - year)) for one in (before, other))
    season = _judged(profile, problem, log, Background(history=same), reference="last_year")
    changed = _judged(profile, problem, log, Background(history=different), reference="last_year")
    empty = _judged(profile, problem, log, reference="last_year")

    assert _alarms(season, "age") == [False] * 3
    assert _alarms(changed, "age") == [True] * 3
    assert season.unreferenced == ()
    assert len(empty.unreferenced) == 3


@pytest.mark.parametrize("length", ["hour", "day", "week"])
def test_hours_roll_up_to_the_windows_of_their_rows(profile: ReferenceProfile, make_log: MakeLog, length: str) -> None:
    """Windows made of stored hours count what windows made of rows count."""
    log, _ = make_log(9, rows=150)
    windows = [window for window in cut_windows(log, length, min_rows=200) if window.facts.judged]  # type: ignore[arg-type]
    rolled = roll_up(count_rows(profile, log), length, min_rows=200, zone="UTC")  # type: ignore[arg-type]
    reference = next(one for one in profile.features if one.name == "age")
    counts = [tuple(count_bins(reference, window.frame["feature.age"]).tolist()) for window in windows]

    assert [state.rows for state in rolled] == [window.facts.rows for window in windows]
    assert [state.feature("feature.age").counts for state in rolled] == counts  # type: ignore[union-attr]


def test_the_tolerance_is_learnt_from_twenty_windows() -> None:
    """Fewer windows teach nothing; more teach 1.5 times the 95th percentile of what they differ by."""
    generator = np.random.default_rng(1)
    shares = generator.dirichlet(np.full(10, 200.0), size=30)
    table = np.stack([generator.multinomial(5_000, row) for row in shares])

    assert learnt_tolerance(table[:19], 0.001) == 0.001
    assert 0.005 < learnt_tolerance(table, 0.001) < 0.05
