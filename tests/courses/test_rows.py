"""The courses of anomalies and clusters, and what all courses have in common."""

import inspect
import io
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console
from tests.unsupervised.conftest import blobs, noise, payments
from tests.yard import Yard

from modelyard.cli.course import course_answer
from modelyard.cli.session import Session
from modelyard.core import ConfigError, DataError, StateError
from modelyard.courses import VERBS, Course
from modelyard.problem import Task
from modelyard.project import Project


def project_of(folder: Path, rows: pl.DataFrame, task: str, target: str = "", **changes: Any) -> Project:
    """A project over rows, with sections of its file replaced."""
    rows.write_csv(folder / "rows.csv")
    Project.new(folder / "model", data=folder / "rows.csv", target=target, task=task)
    Yard(folder).configure(**changes)
    return Project.open(folder / "model", env="quick")


def course_of(project: Project) -> Course:
    """The project's course, which must be there."""
    assert project.course is not None
    return project.course


def test_anomalies_from_new_to_score(tmp_path: Path) -> None:
    """Labels judge, the sealed rows are opened once, every scored row has its reason in a file."""
    quick = {"contamination": 0.02, "detectors": ["local_outlier_factor"]}
    project = project_of(tmp_path, payments(), "anomaly", "fraud", anomaly=quick)
    course = course_of(project)
    assert course.check().record["split"]["test_rows"] == 90
    assert course.audit().findings == ()
    run = course.train().record
    course.evaluate()
    final = course.evaluate(open_test="final evaluation")
    scored = course.score(tmp_path / "rows.csv", tmp_path / "scored.csv").record
    table = pl.read_csv(tmp_path / "scored.csv")
    flagged = table.filter(pl.col("prediction_label") == "anomaly")
    fraud = payments()["fraud"].sum()

    assert run["winner"] in ("local_outlier_factor", "far_from_middle")
    assert final.record["openings"] == 1
    assert final.headline.startswith("On 90 sealed rows, ")
    assert (scored["scored"], scored["version"]) == (600, f"run {run['id']}")
    assert flagged.height >= fraud - 2
    assert flagged["prediction_why"].str.len_chars().min() > 10  # type: ignore[operator]
    assert flagged["prediction_stranger_than"].min() > 0.97  # type: ignore[operator]
    assert table.filter(pl.col("prediction_label") == "usual")["prediction_why"].null_count() == 600 - flagged.height
    assert "usual: 8 to 19" in " ".join(flagged["prediction_why"].to_list())
    assert table["payment"][0] == "p0"
    assert (Path(final.page).parent / "anomalies.csv").exists()
    assert project.ledger().verify().ok


def test_clusters_from_new_to_score(tmp_path: Path) -> None:
    """Three clusters, in words, assigned to rows in a file."""
    quick = {"most": 3, "repeats": 5, "methods": ["kmeans"]}
    project = project_of(tmp_path, blobs(300).drop("member"), "clustering", clustering=quick)
    course = course_of(project)
    course.check()
    trained = course.train()
    final = course.evaluate(open_test="final evaluation")
    course.score(tmp_path / "rows.csv", tmp_path / "assigned.parquet")
    table = pl.read_parquet(tmp_path / "assigned.parquet")

    assert trained.headline == "3 clusters by kmeans"
    assert trained.said[1].startswith("Cluster 1 (")
    assert final.record["replication"] > 0.9
    assert table.height == 300
    assert sorted(table["prediction_label"].unique().to_list()) == ["1", "2", "3"]
    assert table["prediction_probability.1"].max() > 0.99  # type: ignore[operator]
    assert project.status().next_step == "modelyard package"


def test_noise_is_answered_and_not_assigned(tmp_path: Path) -> None:
    """No clear clusters is an answer; rows cannot be assigned to what is not there."""
    quick = {"most": 2, "repeats": 5, "methods": ["kmeans"]}
    course = course_of(project_of(tmp_path, noise(200, 2), "clustering", clustering=quick))
    trained = course.train()

    assert trained.headline == "There are no clear clusters."
    assert not trained.refused
    with pytest.raises(StateError, match="there are no clear clusters, so no row can be assigned"):
        course.score(tmp_path / "rows.csv", tmp_path / "assigned.csv")


def test_score_refuses_rows_without_a_column_that_was_compared(tmp_path: Path) -> None:
    """The column is named, with the nearest one that is there."""
    quick = {"most": 3, "repeats": 5, "methods": ["kmeans"]}
    course = course_of(project_of(tmp_path, blobs(300).drop("member"), "clustering", clustering=quick))
    course.train()
    blobs(50).rename({"wide": "width"}).write_csv(tmp_path / "new.csv")

    with pytest.raises(DataError, match="columns that the model needs are not there: 'wide'; got"):
        course.score(tmp_path / "new.csv", tmp_path / "assigned.csv")


def test_every_course_has_every_verb_with_the_same_options(tmp_path: Path) -> None:
    """A verb that a command calls is there for each task, with the options of the protocol."""
    rows = payments(100).with_columns(day=pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 4, 9), eager=True))
    for task, target in ((Task.FORECASTING, "amount"), (Task.ANOMALY, "fraud"), (Task.CLUSTERING, "")):
        folder = tmp_path / task.value
        folder.mkdir()
        course = course_of(project_of(folder, rows, task.value, target))
        for verb in VERBS:
            expected = list(inspect.signature(getattr(Course, verb)).parameters)[1:]
            assert list(inspect.signature(getattr(course, verb)).parameters) == expected


def test_a_project_without_a_target_is_drafted_from_all_columns(tmp_path: Path) -> None:
    """The first column may be the group whose rows belong together."""
    rows = noise(200, 2).select(pl.Series("patient", [row // 10 for row in range(200)]), "x0", "x1")
    project = project_of(tmp_path, rows, "clustering")

    assert (project.problem.data.target, project.problem.data.group) == ("", "patient")
    assert "(no target)" not in (project.root / "modelyard.yaml").read_text(encoding="utf-8")


def test_supervised_tasks_have_no_course(tmp_path: Path) -> None:
    """They have the verbs of the project; a target is theirs by need."""
    payments(100).write_csv(tmp_path / "rows.csv")
    project = Project.new(tmp_path / "model", data=tmp_path / "rows.csv", target="fraud")

    assert project.course is None
    with pytest.raises(ConfigError, match="there is nothing to predict"):
        Project.new(tmp_path / "other", data=tmp_path / "rows.csv")


def test_commands_show_a_course_to_people(tmp_path: Path) -> None:
    """In the terminal: the answer, the table, what comes next; other commands are refused with the way."""
    quick = {"most": 2, "repeats": 5, "methods": ["kmeans"]}
    project_of(tmp_path, noise(200, 2), "clustering", clustering=quick)
    session = Session(tmp_path / "model", "quick", (), as_json=True)
    answer = course_answer(session, "train", {"resume": True, "accept": None}, set())
    console = Console(width=200, record=True, file=io.StringIO())
    assert answer is not None
    console.print(answer.view)
    shown = console.export_text()

    assert shown.startswith("There are no clear clusters.  1 candidates, 170 rows, 2 columns")
    assert "noise of the same shape has as much" in shown
    assert "→ modelyard evaluate" in shown
    with pytest.raises(ConfigError, match="modelyard retrain is for models that learn a target row by row"):
        course_answer(session, "retrain", {}, set())
    assert course_answer(session, "serve", {}, set()) is None
    assert course_answer(session, "monitor", {}, set()) is None
    with pytest.raises(ConfigError, match="modelyard train has no --accept here"):
        course_answer(session, "train", {"accept": "yes", "resume": True}, {"accept"})
