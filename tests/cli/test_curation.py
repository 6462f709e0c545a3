"""The contract by command: shown, and held against tables."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from modelyard.cli.app import app

DECLARED = """
name: demo
data:
  source: rows.parquet
  target: y
  ranges: {age: [0, 120]}
  contract:
    plan: {categories: [a, b, c], reason: plan c starts in May}
"""


def rows(count: int) -> pl.DataFrame:
    """A sound table."""
    random = np.random.default_rng(0)
    age = random.integers(18, 80, count)
    return pl.DataFrame(
        {
            "age": age,
            "plan": random.choice(["a", "b"], count),
            "y": np.where(random.random(count) < age / 99, "yes", "no"),
        }
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that was checked once."""
    rows(300).write_parquet(tmp_path / "rows.parquet")
    (tmp_path / "modelyard.yaml").write_text(DECLARED, encoding="utf-8")
    assert run("check", "--project", str(tmp_path))[0] in (0, 3)
    return tmp_path


def run(*words: str) -> tuple[int, str]:
    """Exit code and text of a command."""
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "240"})
    return result.exit_code, result.output


def test_the_contract_is_shown_column_by_column(project: Path) -> None:
    """What was learnt and what was declared stand side by side, with the reason."""
    code, text = run("contract", "--project", str(project))
    record = json.loads(run("contract", "--project", str(project), "--json")[1])

    assert code == 0
    assert "0 to 120 by declaration" in text
    assert "declared: categories (plan c starts in May)" in text
    assert [column["name"] for column in record["columns"]] == ["age", "plan"]


@pytest.mark.parametrize(
    ("age", "plan", "code", "said"),
    [
        (30, "a", 0, "Nothing was found."),
        (30, "c", 0, "0 would be set aside, 2 flagged"),
        (150, "z", 3, "2 would be set aside, 0 flagged"),
    ],
)
def test_a_table_is_held_against_it(project: Path, age: int, plan: str, code: int, said: str) -> None:
    """Clean, unusual and broken rows: exit codes 0, 0 and 3, and nothing is scored or written."""
    pl.DataFrame({"age": [age, age], "plan": [plan, plan]}).write_csv(project / "new.csv")
    found, text = run("contract", str(project / "new.csv"), "--project", str(project))

    assert (found, said in text) == (code, True), text


def test_a_table_without_rows_is_held_against_it(project: Path) -> None:
    """A header alone keeps the contract; a header that lacks a column breaks it."""
    (project / "none.csv").write_text("age,plan\n", encoding="utf-8")
    (project / "bare.csv").write_text("plan\n", encoding="utf-8")

    assert run("contract", str(project / "none.csv"), "--project", str(project))[0] == 0
    code, text = run("contract", str(project / "bare.csv"), "--project", str(project))
    assert (code, "missing" in text) == (3, True)
