"""Events: noted or known by themselves, and marked on every time axis."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from modelyard.cli.app import app
from modelyard.core import Actor, ConfigError, NotPermittedError
from modelyard.core.actor import ActorSource
from modelyard.data.profile import ReferenceProfile
from modelyard.monitoring import MonitorReport, monitor, monitor_page
from modelyard.monitoring.events import Event, marked, note_event, parse_moment, read_events, with_events
from modelyard.problem import Problem
from modelyard.report import render_html, render_markdown
from modelyard.store import Ledger

START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
MakeLog = Callable[..., tuple[pl.DataFrame, pl.DataFrame]]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """An empty one."""
    return Ledger.open(tmp_path / "ledger.db")


@pytest.fixture
def report(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> MonitorReport:
    """Six days with labels."""
    log, labels = make_log(6)
    return monitor(profile, log, labels, problem, reference_score=0.78, classes=("No", "Yes"))


def _at(day: float, title: str = "price rise") -> Event:
    return Event(START + dt.timedelta(days=day), None, "market", title, "ada")


def test_events_come_back_in_order(ledger: Ledger, actor: Actor) -> None:
    """Noted ones by their own moment, not that of the note; another model's are not ours."""
    note_event(ledger, "churn", actor, " price \n rise ", at=START, until=START + dt.timedelta(days=3), kind="market")
    note_event(ledger, "churn", actor, "outage", at=START - dt.timedelta(days=9))
    note_event(ledger, "other", actor, "not ours", at=START)

    assert [(one.title, one.kind) for one in read_events(ledger, "churn")] == [
        ("outage", "event"),
        ("price rise", "market"),
    ]
    assert [one.title for one in read_events(ledger, "churn", since=START + dt.timedelta(days=2))] == ["price rise"]
    assert [one.title for one in read_events(ledger, "churn", until=START - dt.timedelta(days=1))] == ["outage"]


def test_the_models_own_life_is_known(ledger: Ledger, actor: Actor) -> None:
    """Deployments, rollbacks, rollouts and retrainings need no note; other rows are no events."""
    ledger.append(actor, "version.promoted", "churn/3", {"digest": "d", "reason": "", "before": 2})
    ledger.append(actor, "version.rolled_back", "churn/2", {"digest": "d", "reason": "complaints", "before": 3})
    ledger.append(actor, "rollout.aborted", "churn/4", {"why": "error_rate"})
    ledger.append(actor, "version.promoted", "other/1", {"digest": "d", "reason": "", "before": None})
    ledger.append(actor, "model.monitored", "churn/2", {"verdict": "quiet"})
    found = [(one.kind, one.title) for one in read_events(ledger, "churn")]

    assert found == [
        ("deployment", "version 3 promoted"),
        ("rollback", "back to version 2: complaints"),
        ("rollback", "rollout of version 4 aborted: error_rate"),
    ]


def test_what_is_no_event_is_refused(ledger: Ledger, actor: Actor) -> None:
    """Empty and endless titles, an end before the beginning, moments that are none, and viewers."""
    with pytest.raises(ConfigError, match="few words"):
        note_event(ledger, "churn", actor, "  ", at=START)
    with pytest.raises(ConfigError, match="few words"):
        note_event(ledger, "churn", actor, "x" * 121, at=START)
    with pytest.raises(ConfigError, match="before it begins"):
        note_event(ledger, "churn", actor, "x", at=START, until=START - dt.timedelta(days=1))
    with pytest.raises(ConfigError, match="no moment"):
        parse_moment("next week", "--at")
    with pytest.raises(NotPermittedError):
        note_event(ledger, "churn", Actor("eve", ActorSource.OS_USER, ("viewer",)), "x", at=START)

    assert parse_moment("2026-03-01T10:00+02:00", "--at") == dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)


def test_events_stand_on_every_time_axis(report: MonitorReport, problem: Problem) -> None:
    """In the metric's line, above the map of drift, and in words; two on one day share its line."""
    events = [_at(2.4), _at(2.6, "<b>strike</b>"), _at(-9, "long ago"), _at(99, "not yet")]
    page = with_events(monitor_page(marked(report, events), problem), report, events)
    html, text = render_html(page), render_markdown(page)
    drawings = html.split("<svg")[1:3]

    assert all("▲1▲2" in drawing for drawing in drawings)
    assert "price rise" in text
    assert "long ago" not in text
    assert "not yet" not in text
    assert "<b>strike" not in html


def test_an_event_between_windows_belongs_to_the_later_one(report: MonitorReport) -> None:
    """Rows of a day end in the morning here; what happens at noon is seen in the next day's rows."""
    names = [window.name for window in marked(report, [_at(2.5)]).windows]

    assert names[3] == "2026-11-05 ▲1"
    assert [name for name in names if "▲" in name] == ["2026-11-05 ▲1"]


def test_without_events_nothing_changes(report: MonitorReport, problem: Problem) -> None:
    """The report and its page are the same."""
    page = monitor_page(report, problem)

    assert marked(report, [_at(-5)]) is report
    assert with_events(page, report, []) is page


def test_events_by_command(tmp_path: Path) -> None:
    """Noted and listed."""
    (tmp_path / "modelyard.yaml").write_text("name: demo\ndata: {source: r.parquet, target: y}\n", encoding="utf-8")
    run = CliRunner().invoke
    words = ["event", "price rise", "--at", "2026-03-01", "--until", "2026-03-04", "--kind", "price"]
    noted = run(app, [*words, "-p", str(tmp_path), "--json"])
    listed = json.loads(run(app, ["event", "-p", str(tmp_path), "--json"]).stdout)

    assert noted.exit_code == 0
    assert [(one["title"], one["at"], one["kind"]) for one in listed] == [
        ("price rise", "2026-03-01T00:00:00+00:00", "price")
    ]
