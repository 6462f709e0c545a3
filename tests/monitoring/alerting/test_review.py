"""Reviews: a week of a known world with a planted fault, alerts that people handled, and events."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import polars as pl

from modelyard.data.profile import ReferenceProfile
from modelyard.monitoring import monitor
from modelyard.monitoring.alerting import follow_up
from modelyard.monitoring.events import note_event, read_events
from modelyard.monitoring.reviews import Review, gather_review, review_page
from modelyard.monitoring.reviews.gathering import Handled
from modelyard.report import render_html, render_markdown

Log = tuple[pl.DataFrame, pl.DataFrame]
MakeLog = Callable[..., Log]
Tower = Any
START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)


def _review(tower: Tower, profile: ReferenceProfile, log: Log, *, first: int = 3, days: int = 7) -> Review:
    """The review of some days, after a look at the whole log."""
    predictions, labels = log
    report = monitor(profile, predictions, labels, tower.problem, reference_score=0.78, classes=("No", "Yes"))
    follow_up(tower.workspace, tower.problem, report, None, tower.actor, clock=tower.clock)
    since = START + dt.timedelta(days=first)
    until = since + dt.timedelta(days=days)
    events = read_events(tower.workspace.ledger, "churn", since=since, until=until)
    desk = tower.desk
    handled = Handled(desk.history(), desk.silences(), len(desk.waiting()))
    versions = predictions.with_columns(pl.when(pl.int_range(pl.len()) % 3 == 0).then(2).otherwise(1).alias("version"))
    return gather_review(report, versions, handled, events, version="1", since=since, until=until)


def _broken(log: Log) -> Log:
    """``age`` is empty from the eighth day on."""
    late = pl.col("at") >= START + dt.timedelta(days=8)
    age = pl.when(late).then(None).otherwise(pl.col("feature.age")).alias("feature.age")
    return log[0].with_columns(age), log[1]


def test_a_quiet_week(tower: Tower, profile: ReferenceProfile, make_log: MakeLog) -> None:
    """Traffic by version against the week before, the metric of each day, nothing to do."""
    review = _review(tower, profile, make_log(10))

    assert [(one.version, one.rows, one.before) for one in review.traffic] == [("1", 2800, 1200), ("2", 1400, 600)]
    assert (review.windows, len(review.performance), review.drift, review.quality) == (7, 7, (), ())
    assert (review.tally.opened, review.tally.precision, review.incidents, review.steps) == (0, None, (), ())
    assert "Nothing needs to be done." in render_markdown(review_page(review, tower.problem))


def test_a_week_with_a_fault(tower: Tower, profile: ReferenceProfile, make_log: MakeLog) -> None:
    """The broken column, the alert with who took it and how soon, its use, the event, and what to do first."""
    log = _broken(make_log(10))
    tower.clock.now = START + dt.timedelta(days=9, hours=6)
    _review(tower, profile, log)
    alert = next(one for one in tower.desk.open() if one.signal == "null-rate")
    tower.clock.forward(hours=2)
    tower.desk.acknowledge(alert.id)
    tower.desk.rate(alert.id, useful=True)
    moment = START + dt.timedelta(days=8)
    note_event(tower.workspace.ledger, "churn", tower.actor, "CRM release", at=moment, kind="release")
    review = _review(tower, profile, log)
    page = review_page(review, tower.problem)
    text = render_markdown(page)

    assert ("age", "null-rate", 2) in [(one.feature, one.what, one.windows) for one in review.quality]
    assert (review.tally.useful, review.tally.precision, review.tally.taken_after_s) == (1, 1.0, 7200.0)
    assert any("null rate: age (not over; ada took it)" in incident for incident in review.incidents)
    assert [event.title for event in review.events] == ["CRM release"]
    assert any("fix the pipeline" in step for step in review.steps)
    assert "CRM release" in text
    assert "▲1" in render_html(page).split("<svg")[1]
    assert Review.from_dict(review.to_dict()) == review


def test_what_came_later_is_not_in_it(tower: Tower, profile: ReferenceProfile, make_log: MakeLog) -> None:
    """A review of the first week knows nothing of the second, though it is written afterwards."""
    tower.clock.now = START + dt.timedelta(days=9, hours=6)
    review = _review(tower, profile, _broken(make_log(10)), first=0)

    assert (review.quality, review.alerts, review.incidents, review.tally.still_open) == ((), (), (), 0)
    assert review.windows == 7


def test_an_empty_week_is_no_good_week(tower: Tower, profile: ReferenceProfile, make_log: MakeLog) -> None:
    """No traffic and no labels are the first things to see to."""
    review = _review(tower, profile, make_log(3), first=20)

    assert (review.traffic, review.windows, review.performance) == ((), 0, ())
    assert review.steps[0].startswith("Find out why there was no traffic")
    assert any(step.startswith("Send labels") for step in review.steps)


def test_alerts_of_no_use_ask_for_other_rules(tower: Tower, profile: ReferenceProfile, make_log: MakeLog) -> None:
    """Three of three rated useless: the rules are too loose."""
    from modelyard.core import Finding, Severity

    tower.clock.now = START + dt.timedelta(days=5)
    for name in ("drift", "null-rate", "frozen-column"):
        tower.look([Finding(name, Severity.ERROR, "age", "m", "w", "a")], judged=frozenset())
    for alert in tower.desk.open():
        tower.desk.rate(alert.id, useful=False)
    tower.clock.now = START + dt.timedelta(days=9)
    review = _review(tower, profile, make_log(10))

    assert (review.tally.useless, review.tally.precision) == (3, 0.0)
    assert any("raise `severity` or `persistence`" in step for step in review.steps)
