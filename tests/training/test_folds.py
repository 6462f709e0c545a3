"""Folds keep the split's promise: groups stay whole, the past predicts the future, classes are even."""

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import DataError
from modelyard.problem import Problem
from modelyard.training.folds import FoldPlan, RowKeys, inner_holdout, plan_fewer_rows, plan_folds, wanted_folds

A_BUDGET = {"budget": "60s"}
BRIEF = settings(max_examples=40, deadline=None)
Integers = np.ndarray[tuple[int], np.dtype[np.int64]]


def keys_of(strategy: str, keys: list[int], classes: list[int] | None = None) -> RowKeys:
    """Row keys from lists."""
    rows = np.array(keys, dtype=np.int64)
    return RowKeys(strategy, np.array(classes or [0] * len(keys), dtype=np.int64), rows)


@pytest.mark.parametrize(
    ("strategy", "rows", "plan", "folds"),
    [
        ("random", 20_000, A_BUDGET, 3),
        ("stratified", 20_000, A_BUDGET, 3),
        ("random", 19_999, A_BUDGET, 5),
        ("random", 20_000, {}, 5),
        ("random", 20_000, {**A_BUDGET, "folds": 5}, 5),
        ("random", 20_000, {"folds": 4}, 4),
        ("time", 20_000, A_BUDGET, 5),
        ("group", 20_000, A_BUDGET, 5),
    ],
)
def test_many_rows_and_little_time_make_fewer_folds(strategy: str, rows: int, plan: dict[str, Any], folds: int) -> None:
    """Five, unless a number is named, or a budget has more to try on many rows that are dealt out by chance."""
    asked = Problem.model_validate({"name": "folds", "data": {"source": "a.csv", "target": "y"}, "training": plan})

    assert wanted_folds(keys_of(strategy, list(range(rows))), asked) == folds


def plan_or_none(keys: RowKeys, folds: int, seed: int) -> FoldPlan | None:
    """A plan, or None if the rows do not allow one."""
    try:
        return plan_folds(keys, folds, seed)
    except DataError:
        return None


@BRIEF
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1)), min_size=2, max_size=60),
    st.integers(2, 6),
    st.integers(0, 5),
)
def test_groups_never_straddle(rows: list[tuple[int, int]], folds: int, seed: int) -> None:
    """No group has rows to learn from and rows held out in one fold, and each row is held out once at most."""
    keys = keys_of("group", [group for group, _ in rows], [label for _, label in rows])
    plan = plan_or_none(keys, folds, seed)
    for fold in plan.folds if plan else ():
        assert not set(keys.keys[fold.train]) & set(keys.keys[fold.held])
        assert len(fold.train) + len(fold.held) == len(rows)
    if plan:
        held = np.concatenate([fold.held for fold in plan.folds])
        assert len(np.unique(held)) == len(held)


@BRIEF
@given(st.lists(st.integers(0, 30), min_size=2, max_size=80), st.integers(2, 6))
def test_learning_is_earlier_than_holding_out(moments: list[int], folds: int) -> None:
    """All moments learnt from are before all moments held out; each row is held out once at most."""
    keys = keys_of("time", moments)
    plan = plan_or_none(keys, folds, 0)
    for fold in plan.folds if plan else ():
        assert keys.keys[fold.train].max() < keys.keys[fold.held].min()
    if plan:
        held = np.concatenate([fold.held for fold in plan.folds])
        assert len(np.unique(held)) == len(held)
        assert plan.fold_of_row(len(moments))[keys.keys.argmin()] == -1


@BRIEF
@given(st.lists(st.integers(0, 1), min_size=8, max_size=80), st.integers(2, 5), st.integers(0, 5))
def test_classes_are_even(labels: list[int], folds: int, seed: int) -> None:
    """Stratified folds hold out all rows once, and differ by one row at most in size and in each class."""
    keys = RowKeys("stratified", np.array(labels, dtype=np.int64), np.empty(0, dtype=np.int64))
    plan = plan_or_none(keys, folds, seed)
    if plan is None:
        assert min(labels.count(0), labels.count(1)) < 2
        return
    positives = [int(keys.classes[fold.held].sum()) for fold in plan.folds]
    sizes = [len(fold.held) for fold in plan.folds]
    assert max(positives) - min(positives) <= 1
    assert max(sizes) - min(sizes) <= 1
    assert sum(sizes) == len(labels)


def test_walk_forward_leaves_the_first_block_out() -> None:
    """Five folds are six blocks; the first is never held out."""
    plan = plan_folds(keys_of("time", list(range(60))), 5, 0)

    assert [len(fold.train) for fold in plan.folds] == [10, 20, 30, 40, 50]
    assert [len(fold.held) for fold in plan.folds] == [10] * 5
    assert plan.fold_of_row(60).tolist() == [-1] * 10 + [i for i in range(5) for _ in range(10)]


def test_group_folds_even_out_classes() -> None:
    """Groups of one class each are spread so that every fold has both."""
    labels = [int(group % 5 == 0) for group in range(50) for _ in range(4)]
    plan = plan_folds(keys_of("group", [row // 4 for row in range(200)], labels), 5, 3)

    assert [int(np.array(labels)[fold.held].sum()) for fold in plan.folds] == [8] * 5


def test_fewer_groups_than_folds_make_fewer_folds() -> None:
    """Three groups give three folds."""
    plan = plan_folds(keys_of("group", [0, 0, 1, 1, 2]), 5, 0)

    assert len(plan.folds) == 3


@pytest.mark.parametrize(("gap", "unit"), [("3d", "date"), (3.0, "number")])
def test_a_gap_is_left_before_each_held_block(gap: str | float, unit: str) -> None:
    """With labels that take three days, each fold learns from rows at least three days older than those it holds out."""
    days = np.repeat(np.arange(40), 2)
    first = dt.date(2024, 1, 1)
    moments = [first + dt.timedelta(days=int(day)) for day in days] if unit == "date" else days.tolist()
    frame = pl.DataFrame({"y": np.arange(80.0), "t": moments})
    data = {"source": "t", "target": "y", "time": "t"}
    problem = Problem.model_validate({"task": "regression", "data": data, "split": {"gap": gap}})
    plan = plan_folds(RowKeys.of(frame, problem, "time", frame["y"].to_numpy()), 4, 0)

    assert [days[fold.held].min() - days[fold.train].max() for fold in plan.folds] == [3, 3, 3, 3]
    assert [days[fold.held].min() for fold in plan.folds] == [8, 16, 24, 32]


@pytest.mark.parametrize("keys", [keys_of("group", [1, 1, 1]), keys_of("time", [5, 5, 5]), keys_of("random", [0])])
def test_too_little_to_divide_is_said(keys: RowKeys) -> None:
    """One group, one moment or one row cannot be folded."""
    with pytest.raises(DataError, match="cannot be divided into two folds"):
        plan_folds(keys, 5, 0)


@pytest.mark.parametrize("strategy", ["stratified", "group", "time"])
def test_stopping_rows_follow_the_same_rule(strategy: str) -> None:
    """About a seventh of the training rows; whole groups, or the latest ones."""
    classes = [row % 2 for row in range(210)]
    keys = keys_of(strategy, [row // 3 for row in range(210)], classes)
    train = np.arange(0, 189)
    stop = inner_holdout(keys, train, 1)

    assert 0.1 < stop.mean() < 0.2
    if strategy == "group":
        assert not set(keys.keys[train[stop]]) & set(keys.keys[train[~stop]])
    if strategy == "time":
        assert keys.keys[train[~stop]].max() < keys.keys[train[stop]].min()


def test_no_stopping_rows_where_there_is_one_group() -> None:
    """Rows that cannot be divided stop nothing."""
    keys = keys_of("group", [0, 0, 0, 1])

    assert inner_holdout(keys, np.arange(3), 0).tolist() == [False] * 3


@pytest.mark.parametrize(
    ("split", "data", "task", "strategy"),
    [
        ("random", {}, "binary", "stratified"),
        ("random", {}, "regression", "random"),
        ("column", {"time": "t", "group": "g"}, "binary", "time"),
        ("column", {"group": "g"}, "binary", "group"),
        ("column", {}, "regression", "random"),
        ("time", {"time": "t"}, "regression", "time"),
    ],
)
def test_the_strategy_is_the_splits(split: str, data: dict[str, str], task: str, strategy: str) -> None:
    """Folds divide as the split did; parts given by a column fall back to what is declared."""
    frame = pl.DataFrame({"t": [3, 1, 2], "g": ["b", None, "a"]})
    problem = Problem.model_validate({"task": task, "data": {"source": "t", "target": "y", **data}})
    keys = RowKeys.of(frame, problem, split, np.array([0.0, 1.0, 0.0]))

    assert keys.strategy == strategy
    assert keys.keys.tolist() == {"time": [3, 1, 2], "group": [2, 0, 1]}.get(strategy, [])


@pytest.mark.parametrize("strategy", ["stratified", "group", "time"])
def test_folds_of_a_part_of_the_rows(strategy: str) -> None:
    """About as many rows as asked for; groups stay whole, and in time the latest are taken."""
    rows = 3_000
    keys = np.arange(rows) // 10
    made = plan_fewer_rows(RowKeys(strategy, np.arange(rows) % 2, keys), 1_000, 5, seed=3)
    taken = np.unique(np.concatenate([np.concatenate([fold.train, fold.held]) for fold in made.folds]))

    assert len(taken) == pytest.approx(1_000, abs=10)
    assert made.strategy == strategy
    if strategy == "time":
        assert taken.min() == 2_000
        assert all(fold.train.max() < fold.held.min() for fold in made.folds)
    if strategy == "group":
        assert all(not set(keys[fold.train]) & set(keys[fold.held]) for fold in made.folds)
        assert set(np.bincount(keys[taken])) == {0, 10}
