"""The target becomes numbers, in a stated order, or a clear error."""

import polars as pl
import pytest

from modelyard.core import DataError
from modelyard.problem import Problem, Task
from modelyard.training.target import class_names, encode_target


def problem(task: str, positive: str | None = None) -> Problem:
    """A problem with a resolved task."""
    return Problem.model_validate({"task": task, "data": {"source": "t", "target": "y", "positive": positive}})


def test_positive_class_comes_last() -> None:
    """Binary classes are (negative, positive), whatever their alphabetical order."""
    names = class_names(problem("binary", "a"), pl.Series("y", ["b", "a", "b"]))

    assert names == ("b", "a")
    assert encode_target(pl.Series("y", ["b", "a", "b"]), Task.BINARY, names).tolist() == [0.0, 1.0, 0.0]


def test_numeric_labels_match_their_text() -> None:
    """Labels 0 and 1 stored as numbers match the positive class ``"1"`` of the project file."""
    names = class_names(problem("binary", "1"), pl.Series("y", [0.0, 1.0]))

    assert names == ("0", "1")
    assert encode_target(pl.Series("y", [1.0, 0.0]), Task.BINARY, names).tolist() == [1.0, 0.0]


def test_many_classes_are_ordered_by_name() -> None:
    """Multiclass codes are positions in the sorted names."""
    names = class_names(problem("multiclass"), pl.Series("y", ["mid", "low", "high"]))

    assert names == ("high", "low", "mid")
    assert encode_target(pl.Series("y", ["low", "mid"]), Task.MULTICLASS, names).tolist() == [1.0, 2.0]


def test_values_are_kept() -> None:
    """Regression targets are the values, and have no classes."""
    assert class_names(problem("regression"), pl.Series("y", [1, 2])) == ()
    assert encode_target(pl.Series("y", [1, 2]), Task.REGRESSION, ()).tolist() == [1.0, 2.0]


def test_an_unknown_class_is_refused() -> None:
    """A class that the model does not know is named, with the known ones."""
    with pytest.raises(
        DataError, match=r"1 values of the target cannot be used; got 'c'\. Give one of the classes 'a'"
    ):
        encode_target(pl.Series("y", ["a", "c"]), Task.BINARY, ("a", "b"))


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_refused(value: float | None) -> None:
    """A missing or infinite value cannot be learnt."""
    with pytest.raises(DataError, match="finite number"):
        encode_target(pl.Series("y", [1.0, value]), Task.REGRESSION, ())


def test_a_binary_target_needs_its_positive_class() -> None:
    """A positive class that does not occur is refused."""
    with pytest.raises(DataError, match="positive 'z' among 'a', 'b'"):
        class_names(problem("binary", "z"), pl.Series("y", ["a", "b"]))
