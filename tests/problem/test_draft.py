"""The first project file is valid, commented, and says why."""

from pathlib import Path

from modelyard.problem import ProblemDraft, Task, load_problem, write_draft


def _load(folder: Path, draft: ProblemDraft) -> object:
    (folder / "modelyard.yaml").write_text(write_draft(draft), encoding="utf-8")
    return load_problem(folder).problem


def test_draft_of_each_task_is_a_valid_project(tmp_path: Path) -> None:
    """Whatever the task, the drafted file loads and keeps the choices."""
    for task in (Task.BINARY, Task.MULTICLASS, Task.REGRESSION):
        draft = ProblemDraft("m", "t.csv", "y", task, {}, {})
        problem = load_problem((_load(tmp_path, draft), tmp_path)[1]).problem

        assert problem.task is task
        assert problem.data.target == "y"


def test_choices_stand_beside_their_reasons(tmp_path: Path) -> None:
    """Inferred values load back exactly, odd names included, and the reason is a comment above."""
    draft = ProblemDraft(
        "churn",
        "my data.csv",
        "Churn?",
        Task.BINARY,
        {
            "data.id": "customer: id",
            "data.positive": "Yes",
            "data.exclude": {"a b": "known too late"},
            "segments": ["x-y"],
        },
        {"data.id": "every value is different"},
    )
    text = write_draft(draft)
    (tmp_path / "modelyard.yaml").write_text(text, encoding="utf-8")
    problem = load_problem(tmp_path).problem

    assert problem.data.id == "customer: id"
    assert problem.data.positive == "Yes"
    assert problem.data.exclude == {"a b": "known too late"}
    assert problem.segments == ("x-y",)
    assert "  # Every value is different\n  id:" in text
