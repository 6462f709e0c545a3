from pathlib import Path

import pytest
import yaml

from modelyard.core import DataError
from modelyard.data import draft_problem, read_table
from modelyard.problem import Problem, ProblemDraft, Task, write_draft


def drafted(name: str, source: Path, target: str, folder: Path) -> ProblemDraft:
    """The draft of a file's table."""
    return draft_problem(name, source, read_table(source), target, folder=folder)


def test_what_the_table_suggests_is_drafted(data_folder: Path, tmp_path: Path) -> None:
    """The churn table: a binary task, its positive class and id, each with a reason."""
    draft = drafted("churn", data_folder / "telco_churn.parquet", "Churn", tmp_path)

    assert (draft.name, draft.target, draft.task) == ("churn", "Churn", Task.BINARY)
    assert (draft.values["data.positive"], draft.values["data.id"]) == ("Yes", "customerID")
    assert set(draft.values) <= set(draft.because)


def test_the_draft_is_a_valid_project_file(data_folder: Path, tmp_path: Path) -> None:
    """Whatever the folder is called, the text that is written is read back as the same problem."""
    draft = drafted("_Mein Projekt: Ü!", data_folder / "bike_sharing_hourly.parquet", "cnt", tmp_path)
    problem = Problem.model_validate(yaml.safe_load(write_draft(draft)))

    assert problem.name == "Mein-Projekt-"
    assert (problem.task, problem.data.time) == (Task.REGRESSION, draft.values["data.time"])
    assert problem.data.exclude == draft.values.get("data.exclude", {})


@pytest.mark.parametrize(
    ("place", "written"),
    [("p/t.csv", "t.csv"), ("p/data/a..b.csv", "data/a..b.csv"), ("t.csv", "../t.csv"), ("q/t.csv", "../q/t.csv")],
)
def test_near_tables_are_named_relatively(tmp_path: Path, place: str, written: str) -> None:
    """Below the folder or beside it."""
    source = tmp_path / place
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text("a,b\n" + "".join(f"{n},{n % 2}\n" for n in range(40)), encoding="utf-8")

    assert drafted("p", source, "b", tmp_path / "p").source == written


def test_far_tables_are_named_absolutely(tmp_path: Path) -> None:
    """Two folders up and elsewhere."""
    source = tmp_path / "t.csv"
    source.write_text("a,b\n" + "".join(f"{n},{n % 2}\n" for n in range(40)), encoding="utf-8")

    assert drafted("p", source, "b", tmp_path / "x" / "p").source == str(source.resolve())


def test_bad_input_is_refused(tmp_path: Path) -> None:
    """A missing table and a missing target."""
    with pytest.raises(DataError):
        drafted("p", tmp_path / "none.csv", "b", tmp_path)
    (tmp_path / "t.csv").write_text("alpha,b\n1,2\n3,4\n", encoding="utf-8")
    with pytest.raises(DataError, match="alpha"):
        drafted("p", tmp_path / "t.csv", "alpa", tmp_path)
