"""The command that asks by the clock: words for people, code 0, and no option that it would have to ignore."""

import io
import json
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console
from typer.testing import CliRunner

from modelyard import Project
from modelyard.cli.app import app
from modelyard.cli.show.operations import show_attempt
from modelyard.core import ConfigError
from modelyard.retraining.triggers import Attempt, Due, Held, Pulled


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that asks for nothing by itself."""
    pl.DataFrame({"a": range(60), "y": ["no", "yes"] * 30}).write_parquet(tmp_path / "rows.parquet")
    Project.new(tmp_path / "model", data=tmp_path / "rows.parquet", target="y")
    return tmp_path / "model"


def test_nothing_is_due_without_triggers(root: Path) -> None:
    """Done, with the reason; the record says the same."""
    plain = CliRunner().invoke(app, ["retrain", "--if-due", "--project", str(root)])
    record = CliRunner().invoke(app, ["retrain", "--if-due", "--project", str(root), "--json"])

    assert (plain.exit_code, record.exit_code) == (0, 0)
    assert "Retraining is not due." in plain.output
    assert "retraining.triggers" in plain.output
    assert json.loads(record.stdout) == {"due": {"pulled": [], "held_by": []}, "decision": None}


@pytest.mark.parametrize("option", [("--data", "new.parquet"), ("--despite", "I know")])
def test_options_that_triggers_cannot_heed_are_refused(root: Path, option: tuple[str, str]) -> None:
    """A table, or a reason against the cause, belongs to a person's command."""
    result = CliRunner().invoke(app, ["retrain", "--if-due", *option, "--project", str(root)])

    assert isinstance(result.exception, ConfigError)
    assert option[0] in str(result.exception)


def test_what_holds_it_is_shown_with_its_reason() -> None:
    """Triggers and guards under each other."""
    due = Due((Pulled("schedule", "It is time."),), (Held("cooldown", "It is too early."),))
    console = Console(width=100, file=io.StringIO(), record=True)
    console.print(show_attempt(Attempt(due, None), any_trigger=True))
    text = console.export_text()

    assert "Retraining is not due." in text
    assert text.index("It is time.") < text.index("It is too early.")
