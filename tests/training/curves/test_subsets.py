"""Parts grow, keep the folds' rule, and hold every class."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.training.curves.subsets import arrival, shares_for, take
from modelyard.training.folds import Fold, RowKeys, plan_folds


def keys_of(strategy: str, rows: int, seed: int = 0) -> RowKeys:
    """Keys of rows in groups or moments of five, a third of them of class 1."""
    generator = np.random.default_rng(seed)
    classes = (generator.random(rows) < 1 / 3).astype(np.int64)
    keys = generator.permutation(rows) // 5 + 1
    return RowKeys(strategy, classes, keys if strategy in ("group", "time") else np.empty(0, dtype=np.int64))


@settings(max_examples=20, deadline=None)
@given(strategy=st.sampled_from(["random", "stratified", "group", "time"]), seed=st.integers(0, 99))
def test_parts_are_nested_and_whole(strategy: str, seed: int) -> None:
    """Each part lies within the next and is about as large as asked; groups and moments are not torn."""
    keys = keys_of(strategy, 300, seed)
    fold = Fold(np.arange(0, 250), np.arange(250, 300))
    order = arrival(keys, fold, seed)
    parts = [take(order, share) for share in (0.1, 0.3, 1.0)]

    assert set(parts[0]) <= set(parts[1]) <= set(parts[2])
    assert [abs(len(part) - wanted) <= 4 for part, wanted in zip(parts, (25, 75, 250), strict=True)] == [True] * 3
    if len(keys.keys):
        inside = keys.take(fold.train).keys
        torn = set(inside[parts[1]]) & set(np.delete(inside, parts[1]))

        assert torn == set()


def test_time_takes_the_latest_first() -> None:
    """A part in time is the end of the history."""
    keys = keys_of("time", 300)
    fold = Fold(np.arange(300), np.arange(0))
    part = take(arrival(keys, fold, 0), 0.2)

    assert keys.keys[part].min() > np.delete(keys.keys, part).max()


def test_classes_keep_their_shares() -> None:
    """A stratified part has the classes of the whole within one row."""
    keys = keys_of("stratified", 300)
    part = take(arrival(keys, Fold(np.arange(300), np.arange(0)), 0), 0.1)

    assert abs(keys.classes[part].sum() - 0.1 * keys.classes.sum()) <= 1


def test_shares_leave_room() -> None:
    """None for few rows; a sixteenth at least; no share at which a class would be lost."""
    few, many = keys_of("random", 200), keys_of("random", 3_000)
    rare = RowKeys("random", (np.arange(3_000) % 500 == 0).astype(np.int64), np.empty(0, dtype=np.int64))

    assert shares_for(plan_folds(few, 3, 0), few) == ()
    assert np.allclose(shares_for(plan_folds(many, 3, 0), many), [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1])
    assert np.allclose(shares_for(plan_folds(rare, 3, 0), rare), [1])
