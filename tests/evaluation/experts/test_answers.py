"""Experts' answers are read in both forms, and refused where they cannot mean anything."""

from pathlib import Path

import pytest

from modelyard.core import ConfigError, DataError
from modelyard.evaluation.experts.answers import check_answers, read_answers, together
from modelyard.problem import Problem, Task

PROBLEM = Problem.model_validate({"data": {"source": "t", "target": "y", "id": "customer"}})


def _written(folder: Path, text: str) -> Path:
    path = folder / "answers.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_column_for_each_expert(tmp_path: Path) -> None:
    """Empty cells are no answers; numbers as ids and as classes stay what they are."""
    path = _written(tmp_path, "customer,ada,ben\n7,1,0\n8,,1\n9,0,\n")
    found = read_answers(path, PROBLEM)

    assert found.answers == {"ada": {"7": "1", "9": "0"}, "ben": {"7": "0", "8": "1"}}
    assert found.source == "answers.csv"


def test_a_row_for_each_answer(tmp_path: Path) -> None:
    """The same answers in long form are the same, to the digest, in whatever order."""
    wide = read_answers(_written(tmp_path, "customer,ada,ben\n7,yes,no\n8,,yes\n"), PROBLEM)
    long = read_answers(_written(tmp_path, "expert,customer,answer\nben,8,yes\nada,7,yes\nben,7,no\n"), PROBLEM)

    assert long.answers == wide.answers
    assert long.digest == wide.digest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("client,ada\n7,1\n", "needs the rows' id"),
        ("customer,ada\n7,\n", "no expert has answered"),
        ("customer\n7\n8\n", "no expert has answered"),
        ("customer,ada\n7,1\n7,0\n", "answered a row twice"),
    ],
)
def test_what_cannot_be_joined_is_refused(text: str, message: str, tmp_path: Path) -> None:
    """Another id column, no answer, two answers."""
    with pytest.raises(DataError, match=message):
        read_answers(_written(tmp_path, text), PROBLEM)


def test_without_an_id_nothing_can_be_joined(tmp_path: Path) -> None:
    """The project file must say which column names a row."""
    problem = Problem.model_validate({"data": {"source": "t", "target": "y"}})
    with pytest.raises(ConfigError, match=r"data\.id"):
        read_answers(_written(tmp_path, "customer,ada\n7,1\n"), problem)


def test_answers_must_be_classes_or_numbers(tmp_path: Path) -> None:
    """A class that the target lacks is refused with the nearest one; a word is no number."""
    found = read_answers(_written(tmp_path, "customer,ada\n7,yess\n"), PROBLEM)

    with pytest.raises(DataError, match=r"ada, row 7.*yes"):
        check_answers(found, Task.BINARY, ("no", "yes"))
    with pytest.raises(DataError, match="number"):
        check_answers(found, Task.REGRESSION, ())
    check_answers(found, Task.BINARY, ("no", "yess"))


def test_all_experts_together() -> None:
    """The commonest class, no answer where they are split; the mean of numbers."""
    answers = {"a": {"1": "x", "2": "x"}, "b": {"1": "x", "2": "y"}, "c": {"1": "y"}}

    assert together(answers, Task.MULTICLASS) == {"1": "x"}
    assert together({"a": {"1": "2"}, "b": {"1": "5"}}, Task.REGRESSION) == {"1": "3.5"}
