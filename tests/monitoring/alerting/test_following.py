"""From a real monitoring report to alerts: the world of the monitoring tests, with faults planted."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.archives import unpack

from modelyard.data.profile import ReferenceProfile
from modelyard.monitoring import MonitorReport, monitor
from modelyard.monitoring.alerting import follow_up, recent_loss, report_conditions
from modelyard.packaging import load_package
from modelyard.packaging.runbooks import runbook_files
from modelyard.problem import Problem

Log = tuple[pl.DataFrame, pl.DataFrame]
MakeLog = Callable[..., Log]
Tower = Any
START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)


def _report(
    profile: ReferenceProfile, problem: Problem, log: pl.DataFrame, labels: pl.DataFrame | None = None
) -> MonitorReport:
    return monitor(profile, log, labels, problem, reference_score=0.78, classes=("No", "Yes"))


def _flooded(log: pl.DataFrame, day: int) -> pl.DataFrame:
    """Three columns that are empty in most rows from a day on."""
    late = (pl.col("at") >= START + dt.timedelta(days=day)) & (pl.int_range(pl.len()) % 5 != 0)
    names = ("feature.age", "feature.spend", "feature.plan")
    return log.with_columns(pl.when(late).then(None).otherwise(pl.col(name)).alias(name) for name in names)


def test_a_clean_fortnight_tells_nobody(tower: Tower, profile: ReferenceProfile, make_log: MakeLog) -> None:
    """No condition, no alert, no row in the ledger."""
    log, labels = make_log(14)
    report = _report(profile, tower.problem, log, labels)
    run = follow_up(tower.workspace, tower.problem, report, None, tower.actor)

    assert (run.alerts, run.delivery.delivered, tower.workspace.ledger.rows()) == ((), 0, ())


def test_a_broken_source_is_one_alert_and_ends_when_mended(
    tower: Tower, profile: ReferenceProfile, make_log: MakeLog
) -> None:
    """Three flooded columns: one message about them, and its end once two of three days are clean again."""
    log, _ = make_log(8)
    broken = _report(profile, tower.problem, _flooded(log, 6))
    run = follow_up(tower.workspace, tower.problem, broken, None, tower.actor, clock=tower.clock)
    by_key = {alert.key: alert for alert in run.alerts}

    assert by_key["churn/null-rate/data"].subjects == ("age", "spend", "plan")
    assert by_key["churn/null-rate/data"].window == "2026-11-09"
    assert run.delivery.delivered == len(run.alerts)
    assert all(len(message.body["subjects"]) >= 1 for message, _ in tower.desk.deliveries())

    tower.clock.forward(days=3)
    follow_up(
        tower.workspace, tower.problem, _report(profile, tower.problem, log), None, tower.actor, clock=tower.clock
    )

    assert tower.desk.open() == ()


def test_a_loss_stays_open_while_labels_are_missing(tower: Tower, profile: ReferenceProfile, make_log: MakeLog) -> None:
    """Labels show a loss; a later run without labels cannot end the alert."""
    log, labels = make_log(8, lambda day: {"turned": day >= 5})
    lost = report_conditions(_report(profile, tower.problem, log, labels), tower.problem)
    blind = report_conditions(_report(profile, tower.problem, log), tower.problem)

    assert {one.signal for one in lost.conditions} >= {"performance-drop", "performance-recent"}
    assert "performance" in lost.judged
    assert "performance" not in blind.judged
    assert "drift" in blind.judged


def test_an_empty_log_is_seen_and_ends_nothing(tower: Tower, profile: ReferenceProfile, make_log: MakeLog) -> None:
    """No data is a warning of its own, and says nothing of other alerts."""
    log, _ = make_log(1)
    seen = report_conditions(_report(profile, tower.problem, log.clear()), tower.problem)

    assert [one.key for one in seen.conditions] == ["churn/no-data/model"]
    assert seen.judged == frozenset()


def test_the_recent_baseline_is_the_models_own_past(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog
) -> None:
    """A model that was always below its package's figure has lost nothing lately; one that fell has, beyond doubt."""
    steady = _report(profile, problem, *make_log(10))
    fell = _report(profile, problem, *make_log(10, lambda day: {"turned": day >= 8}))
    loss = recent_loss(fell, problem)

    assert recent_loss(steady, problem) is None
    assert loss is not None
    assert (loss.severity.value, loss.subject) == ("error", "roc_auc")
    assert loss.evidence["value"] < 0.95 * loss.evidence["baseline"]


@pytest.mark.parametrize("days", [1, 3])
def test_a_baseline_needs_three_windows(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog, days: int
) -> None:
    """Two days say nothing of a past."""
    assert recent_loss(_report(profile, problem, *make_log(days, lambda day: {"turned": day >= 1})), problem) is None


def test_an_old_package_has_built_in_runbooks(
    tower: Tower, profile: ReferenceProfile, make_log: MakeLog, data_folder: Path, tmp_path: Path
) -> None:
    """A package without the pages: they are written beside the reports, and the message says that they are built-in."""
    unpack(data_folder / "packages" / "protocol-1.tar.gz", tmp_path / "old")
    manifest = next((tmp_path / "old").rglob("manifest.json"))
    log, _ = make_log(8)
    report = _report(profile, tower.problem, _flooded(log, 6))
    follow_up(tower.workspace, tower.problem, report, load_package(manifest.parent), tower.actor)
    body = next(message.body for message, _ in tower.desk.deliveries() if message.body["kind"] == "quality")
    place, _, note = str(body["runbook"]).partition(" (")

    assert note == "built-in: the package was made without runbooks)"
    assert (tower.workspace.root / place).read_text(encoding="utf-8") == runbook_files(tower.problem)[
        "runbooks/quality.md"
    ]
