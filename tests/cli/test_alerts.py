"""The command ``alerts`` on a project whose alerts a test makes up."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from modelyard.cli.app import app
from modelyard.core import ConfigError, Finding, Severity, StateError
from modelyard.governance import verify_ledger
from modelyard.monitoring.alerting import Seen, conditions_of, raise_alerts
from modelyard.project import Project

DECLARED = """
name: demo
owner: keller
data: {source: rows.parquet, target: y}
alerts:
  sources: {crm: [age, income]}
  sinks:
    file: {kind: file, path: told.jsonl}
    hook: {kind: webhook, url: "http://127.0.0.1:9/", timeout_s: 1}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one open alert of two columns."""
    (tmp_path / "modelyard.yaml").write_text(DECLARED, encoding="utf-8")
    project = Project.open(tmp_path)
    findings = [
        Finding("null-rate", Severity.ERROR, name, f"`{name}` is missing in 40 % of the rows.", "", "Ask the CRM.")
        for name in ("age", "income")
    ]
    conditions = conditions_of(findings, project.problem, columns=frozenset({"age", "income"}))
    seen = Seen("demo", ("1",), "monday", conditions, frozenset({"quality"}))
    raise_alerts(project.workspace.ledger, project.problem, seen, project.actor)
    return project


def _run(project: Project, *arguments: str) -> Any:
    """The record of a command that must succeed."""
    result = CliRunner().invoke(app, ["alerts", *arguments, "--project", str(project.root), "--json"])
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)


def test_an_alert_from_the_list_to_the_verdict(project: Project) -> None:
    """Listed with its source, taken, rated; the history has it all, and the ledger holds."""
    listed = _run(project)
    (alert,) = listed["open"]
    taken = _run(project, "--ack", alert["id"][-8:], "--reason", "asked the CRM team")
    rated = _run(project, "--useful", f"{alert['id']}:no", "--reason", "a test export")
    ((told),) = _run(project, "--history")

    assert (alert["key"], alert["subjects"]) == ("demo/null-rate/crm", ["age", "income"])
    assert {message["sink"] for message in listed["waiting"]} == {"file", "hook"}
    assert (taken["phase"], rated["useful"]) == ("acknowledged", False)
    assert [change["change"] for change in told["changes"]] == ["opened", "told", "acknowledged", "rated"]
    assert verify_ledger(project.workspace.ledger).ok


def test_silences_by_command(project: Project) -> None:
    """For a week by default; a length that is none, and a silence without a reason, are refused."""
    kept = _run(project, "--silence", "demo/null-rate/*", "--for", "2d12h", "--reason", "the CRM moves")

    assert kept["pattern"] == "demo/null-rate/*"
    assert [one["reason"] for one in _run(project)["silences"]] == ["the CRM moves"]
    for arguments, said in ((("--for", "soon"), "no length of time"), ((), "needs a reason")):
        result = CliRunner().invoke(app, ["alerts", "--silence", "*", *arguments, "-p", str(project.root)])
        assert isinstance(result.exception, ConfigError)
        assert said in result.exception.sentence


def test_a_sink_is_tried_by_command(project: Project) -> None:
    """One takes the message; one that cannot is an error with its cure; one thing at a time."""
    assert _run(project, "--test", "file") == {"sink": "file", "delivered": True}
    assert json.loads((project.root / "told.jsonl").read_text(encoding="utf-8"))["news"] == "test"
    runner = CliRunner()
    down = runner.invoke(app, ["alerts", "--test", "hook", "-p", str(project.root)])
    both = runner.invoke(app, ["alerts", "--test", "hook", "--history", "-p", str(project.root)])
    gone = runner.invoke(app, ["alerts", "--ack", "12345678", "-p", str(project.root)])

    assert "cannot be reached" in str(down.exception)
    assert "one thing at a time" in str(both.exception)
    assert isinstance(gone.exception, StateError)


def test_people_read_what_is_open(project: Project) -> None:
    """A table with the end of the id, and the next command."""
    shown = CliRunner().invoke(app, ["alerts", "-p", str(project.root)], env={"COLUMNS": "160"}).stdout

    assert "demo/null-rate/crm" in shown
    assert "modelyard alerts --ack" in shown
    assert "2 messages" in shown
