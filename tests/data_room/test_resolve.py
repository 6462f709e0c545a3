from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from modelyard.core import ConfigError, DataError
from modelyard.data import positive_class, read_table, resolve
from modelyard.problem import Problem, Task

Build = Callable[..., Problem]


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["no", "yes", "no"], Task.BINARY),
        ([0, 1, 1], Task.BINARY),
        ([0.5, 1.5, 1.5], Task.BINARY),
        (["a", "b", "c"], Task.MULTICLASS),
        ([3, 4, 5, 6, 7, 8] * 10, Task.MULTICLASS),
        ([3.0, 4.0, 5.0] * 10, Task.MULTICLASS),
        ([3, 4, 5], Task.REGRESSION),
        ([3.5, 4.0, 5.0] * 10, Task.REGRESSION),
        (list(range(30)) * 20, Task.REGRESSION),
    ],
)
def test_the_task_follows_from_the_target(problem: Build, values: list[Any], task: Task) -> None:
    """Two values are binary, words and few repeated whole numbers are classes, other numbers a regression."""
    assert resolve(problem("y"), pl.DataFrame({"y": values, "x": range(len(values))})).task is task


@pytest.mark.parametrize(
    ("name", "target", "task", "positive"),
    [
        ("telco_churn", "Churn", Task.BINARY, "Yes"),
        ("bank_additional", "y", Task.BINARY, "yes"),
        ("adult_census", "income", Task.BINARY, ">50K"),
        ("electricity_elec2", "price_up", Task.BINARY, "1"),
        ("sms_spam", "label", Task.BINARY, "spam"),
        ("bike_sharing_hourly", "cnt", Task.REGRESSION, None),
        ("parkinsons_telemonitoring", "total_UPDRS", Task.REGRESSION, None),
    ],
)
def test_real_targets(
    problem: Build, data_folder: Path, name: str, target: str, task: Task, positive: str | None
) -> None:
    """The real tables ask what everybody knows they ask; the rarer class is the one of interest."""
    resolved = resolve(problem(target), read_table(data_folder / f"{name}.parquet"))

    assert (resolved.task, resolved.data.positive) == (task, positive)


def test_quantiles_of_classes_are_refused(problem: Build) -> None:
    """Where the task follows from the target, quantiles of classes are refused by name; those of values pass."""
    asked = problem("y").with_values(evaluation={"quantiles": [0.1, 0.9]})

    with pytest.raises(ConfigError, match=r"only regression has quantiles; got task: multiclass"):
        resolve(asked, pl.DataFrame({"y": ["a", "b", "c"], "x": [1, 2, 3]}))
    assert resolve(asked, pl.DataFrame({"y": [3.5, 4.0, 5.0], "x": [1, 2, 3]})).evaluation.quantiles == (0.1, 0.9)


def test_resolving_twice_changes_nothing(problem: Build) -> None:
    """A resolved problem resolves to itself."""
    frame = pl.DataFrame({"y": ["a", "b", "b"], "x": [1, 2, 3]})
    once = resolve(problem("y"), frame)

    assert resolve(once, frame) == once


@pytest.mark.parametrize(
    ("labels", "expected"),
    [(["a", "b", "b"], "a"), (["no", "yes"], "yes"), ([0, 1], "1"), ([False, True], "true"), (["a", "b"], "b")],
)
def test_the_positive_class_by_default(labels: list[Any], expected: str) -> None:
    """The rarer class, in a tie the one that means yes, else the last by name."""
    assert positive_class(pl.Series(labels)) == expected


@pytest.mark.parametrize(
    ("values", "settings", "sentence"),
    [
        ([1, 2], {"target": "z"}, "the target column is not in the table; got 'z'"),
        ([7, 7, 7], {}, "the target is constant, so there is nothing to learn; got 7 in all 3 rows"),
        ([None, None], {}, "the target has no value in any row"),
        ([1, None, 2], {}, "the target is missing in 1 of 3 rows. Exclude those rows at the source"),
        ([f"c{i}" for i in range(51)], {}, "the target has more than 50 classes; got 51"),
        (["a", "b", "c"], {"task": "binary"}, "a binary target has two values; got 3 distinct values"),
        (["a", "b"], {"task": "multiclass"}, "a target with two values is binary"),
        (["a", "b", "c"], {"task": "regression"}, "regression needs numbers; got String such as 'a'"),
        (["a", "b"], {"positive": "B"}, "the positive class is not a value of the target; got 'B'"),
        (["a", "b"], {"time": "xx"}, "data.time: the table has no such column; got 'xx'"),
        (["a", "b"], {"exclude": {"xx": "old"}}, "data.exclude: the table has no such column; got 'xx'"),
        (["a", "b"], {"split": {"column": "part"}}, "split.column: the table has no such column; got 'part'"),
    ],
)
def test_targets_that_cannot_be_learnt(
    problem: Build, values: list[Any], settings: dict[str, Any], sentence: str
) -> None:
    """Each obstacle has a sentence of its own, with its cure."""
    arguments = {"target": "y", **settings}
    frame = pl.DataFrame({"y": values, "x": range(len(values))})

    with pytest.raises(DataError) as caught:
        resolve(problem(**arguments), frame)

    assert sentence in caught.value.sentence
    assert caught.value.cure


def test_a_date_is_no_target(problem: Build) -> None:
    """Dates are to be turned into durations first."""
    frame = pl.DataFrame({"y": ["2024-01-01", "2024-01-02"], "x": [1, 2]}).with_columns(pl.col("y").str.to_date())

    with pytest.raises(DataError, match="a date cannot be predicted"):
        resolve(problem("y"), frame)
