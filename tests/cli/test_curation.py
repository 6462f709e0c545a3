"""The contract and corrections by command, on small projects."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from modelyard.audit import AuditReport
from modelyard.cli.app import app
from modelyard.core import DataError, NotPermittedError
from modelyard.data import load_split, row_digests
from modelyard.project import Project

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


LABELS = """
name: demo
data: {source: rows.parquet, target: y, id: key}
training: {tuning_rounds: 0, families: [linear], workers: 1, unit_minutes: null, folds: 2}
"""


@pytest.fixture
def mislabelled(tmp_path: Path) -> Project:
    """A project on two thousand clear rows, fifty of them with the wrong label and five with a slip in a number."""
    random = np.random.default_rng(0)
    truth = random.random(2_000) < 0.5
    given = truth.copy()
    wrong = random.choice(2_000, 50, replace=False)
    given[wrong] = ~given[wrong]
    parts = {f"s{n}": truth * 2.5 + random.normal(size=2_000) for n in range(5)}
    parts["s0"][:5] *= 1e6
    frame = pl.DataFrame({"key": [f"k{n}" for n in range(2_000)], **parts, "y": np.where(given, "yes", "no")})
    frame.write_parquet(tmp_path / "rows.parquet")
    pl.DataFrame({"key": frame["key"], "truth": np.where(truth, "yes", "no")}).write_parquet(tmp_path / "truth.parquet")
    (tmp_path / "modelyard.yaml").write_text(LABELS, encoding="utf-8")
    return Project.open(tmp_path)


def reviewed(project: Project, name: str, column: str, word: Callable[[dict[str, str]], str]) -> Path:
    """A sheet of the newest audit with somebody's word in it."""
    folder = project.page("audit").parent
    with (folder / name).open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    path = project.root / f"reviewed_{name}"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows({**line, column: word(line)} for line in lines)
    return path


def test_suspected_labels_go_out_and_come_back(mislabelled: Project) -> None:
    """Audit, review against the truth, correct: the suspects are gone, and audit, ledger and model card say what was done."""
    project = mislabelled
    before = project.audit()
    truth = dict(pl.read_parquet(project.root / "truth.parquet").iter_rows())
    sheet = reviewed(project, "label_suspects.csv", "reviewed_label", lambda line: truth[line["key"]])
    code, text = run("correct", str(sheet), "--reason", "held against the files", "--project", str(project.root))
    assert (code, "is in force" in text) == (0, True), text
    after = project.audit()
    (correction,) = after.corrections

    assert len(before.label_suspects) >= 25
    assert correction.labels + correction.confirmed == len(before.label_suspects)
    assert len(after.label_suspects) < len(before.label_suspects) / 4
    assert "held against the files" in project.page("audit").read_text("utf-8")
    assert AuditReport.from_dict(after.to_dict()) == after

    slips = reviewed(
        project, "outliers.csv", "verdict", lambda line: "error" if line["column"] == "s0" else "legitimate"
    )
    project.curation.correct(slips, "typed without the point")
    current = load_split(str(project.workspace.pointer("split")), project.workspace)
    assert 1 <= current.train.frame["s0"].null_count() <= 5
    assert current.record.corrections[0] == correction.id

    project.train()
    project.evaluate()
    card = project.package().read_json("card.json")
    said = {(note["what"], note["why"]) for note in card["decisions"]}
    assert any(f"{correction.labels} labels corrected" in what for what, _ in said)
    assert {"held against the files", "typed without the point"} <= {why for _, why in said}
    assert card["data"]["dataset_id"] == current.record.dataset_id


def test_a_correction_that_cannot_be_applied_is_not_in_force(mislabelled: Project) -> None:
    """One class only would be left: refused, taken back, and the project works as before."""
    mislabelled.check()
    split = load_split(str(mislabelled.workspace.pointer("split")), mislabelled.workspace)
    lines = [f"{key},yes,no" for key in split.train.frame.filter(pl.col("y") == "yes")["key"]]
    (mislabelled.root / "all.csv").write_text("key,given,reviewed_label\n" + "\n".join(lines), encoding="utf-8")

    with pytest.raises(DataError, match="one class only"):
        mislabelled.curation.correct(mislabelled.root / "all.csv", "a slip")
    assert mislabelled.curation.corrections() == ()
    assert mislabelled.workspace.pointer("split") == split.record.id


def test_corrections_are_listed_and_undone(project: Path) -> None:
    """Without a sheet the command lists; with --undo it takes back; a viewer may do neither."""
    split = load_split(str(Project.open(project).workspace.pointer("split")), Project.open(project).workspace)
    digest = row_digests(split.train.frame.head(1))[0]
    label = split.train.frame["y"][0]
    other = "no" if label == "yes" else "yes"
    (project / "one.csv").write_text(f"digest,given,reviewed_label\n{digest},{label},{other}\n", encoding="utf-8")
    root = ("--project", str(project))
    record = json.loads(run("correct", str(project / "one.csv"), "--reason", "a slip", *root, "--json")[1])

    assert record["labels"] == 1
    assert "1 label corrected" in run("correct", *root)[1]
    assert run("correct", "--undo", record["id"], "--reason", "no slip", *root)[0] == 0
    assert "0 corrections in force" in run("correct", *root)[1]
    assert Project.open(project).workspace.pointer("split") == split.record.id

    admin = Project.open(project)
    token = admin.tokens().create("eve", ("viewer",))
    with pytest.raises(NotPermittedError, match="eve may not correct"):
        Project.open(project, token=token).curation.correct(project / "one.csv", "mine")
