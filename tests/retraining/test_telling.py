"""Who is told of a retraining, of what, and until when."""

from typing import Any

import polars as pl

from modelyard import Project
from modelyard.core import Severity
from modelyard.governance import Registry
from modelyard.retraining.records import Decision, GateResult, Outcome
from modelyard.retraining.telling import look_again, tell

Plant = Any


def spoilt(plant: Plant) -> pl.DataFrame:
    """New rows of which every third breaks the contract."""
    third = pl.int_range(pl.len()) % 3 == 0
    charges = pl.when(third).then(pl.lit("abc")).otherwise(pl.col("tenure").cast(str))
    rows: pl.DataFrame = plant.new.with_columns(charges.alias("tenure"))
    return rows


def told(project: Project) -> list[tuple[str, str]]:
    """Signal and severity of the alerts that are open."""
    return [(alert.key.split("/")[1], alert.severity.value) for alert in project.alerts.open()]


def test_broken_data_call_somebody_until_the_next_decision(plant: Plant) -> None:
    """One alert, delivered once, with the gate's words and a runbook; too few rows call nobody, and end it."""
    sink = plant.root / "alerts.jsonl"
    project = plant.open("alerts.sinks={file: {kind: file, path: alerts.jsonl}}")
    project.retrain(plant.table(spoilt(plant)))
    (alert,) = project.alerts.open()
    (line,) = sink.read_text(encoding="utf-8").splitlines()
    again = project.retrain(plant.table(spoilt(plant)))

    assert (alert.kind, alert.severity, alert.subjects) == ("retraining", Severity.ERROR, ("contract",))
    assert "rows break the contract (columns: tenure)" in alert.message
    assert "retraining.md" in line
    assert again.outcome is Outcome.STOPPED
    assert [one.id for one in project.alerts.open()] == [alert.id]
    assert len(sink.read_text(encoding="utf-8").splitlines()) == 1

    project.retrain(plant.table(plant.old))
    assert told(project) == []
    assert [row.action for row in project.ledger().rows()].count("alert.opened") == 1
    assert project.ledger().verify().ok


def test_a_version_that_nobody_waits_for_is_no_news(plant: Plant) -> None:
    """A note is about a candidate; one that is in production by now, or no decision at all, tells nobody."""
    project = plant.open()
    look_again(project.workspace, project.problem, project.actor)
    decision = Decision(
        id="a-case",
        outcome=Outcome.CHALLENGER,
        reason="Version 1 waits for approval.",
        gates=(GateResult("package", passed=True, detail="fine"),),
        champion_version=1,
        challenger_version=1,
        run_id=None,
        rows_new=900,
        created_at=Registry(project.workspace).version("churn", 1).created_at,
    )
    tell(project.workspace, project.problem, decision, project.actor)

    assert told(project) == []
    assert project.ledger().rows(action="alert.begun") == ()
