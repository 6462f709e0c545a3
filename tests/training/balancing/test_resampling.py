"""Resampling changes the rows learnt from, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import DataError
from modelyard.problem import Task
from modelyard.training.balancing.resampling import Resampling, resampled
from modelyard.training.families.family import FitData


def rows(seed: int, count: int = 200, share: float = 0.1) -> FitData:
    """A number with gaps, a code, a number of a million; a few positives, and stopping rows."""
    generator = np.random.default_rng(seed)
    matrix = np.column_stack(
        [generator.normal(size=count), generator.integers(0, 4, count), generator.normal(1e6, 1e5, count)]
    )
    matrix[generator.random(count) < 0.1, 0] = np.nan
    target = (generator.random(count) < share).astype(np.float64)
    target[:3], target[3:6] = 1.0, 0.0
    stop = np.zeros(count, dtype=np.bool_)
    stop[count // 2 : count // 2 + count // 7] = True
    return FitData(Task.BINARY, matrix, target, stop)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([Resampling.SMOTE, Resampling.UNDER]))
def test_stopping_rows_are_left_as_they_are(seed: int, how: Resampling) -> None:
    """They are there once, unchanged, marked, and no new row lies between them; the others are even."""
    data = rows(seed)
    found = resampled(data, how, keep_stop=True, seed=seed)

    assert np.array_equal(found.matrix[found.stop], data.matrix[data.stop], equal_nan=True)
    assert np.array_equal(found.target[found.stop], data.target[data.stop])
    assert found.target[~found.stop].mean() == 0.5

    moved = np.where(data.stop[:, None], data.matrix + 1e9, data.matrix)
    other = resampled(FitData(data.task, moved, data.target, data.stop), how, keep_stop=True, seed=seed)

    assert np.array_equal(found.matrix[~found.stop], other.matrix[~other.stop], equal_nan=True)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_smote_adds_rows_between_rare_ones(seed: int) -> None:
    """What was there stays, gaps too; new rows are of the rare class, within its bounds, and codes stay codes."""
    data = rows(seed)
    found = resampled(data, Resampling.SMOTE, keep_stop=False, seed=seed)
    count = len(data.target)
    made, rare = found.matrix[count:], data.matrix[data.target == 1]

    assert np.array_equal(found.matrix[:count], data.matrix, equal_nan=True)
    assert (found.target[count:] == 1).all()
    assert np.isfinite(made).all()
    assert set(np.unique(made[:, 1])) <= {0.0, 1.0, 2.0, 3.0}
    assert made[:, 2].min() >= rare[:, 2].min() - 1e-3
    assert made[:, 2].max() <= rare[:, 2].max() + 1e-3


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_under_sampling_keeps_all_rare_rows(seed: int) -> None:
    """All rare rows and as many others, in their order; equal seeds draw equal rows."""
    data = rows(seed)
    found = resampled(data, Resampling.UNDER, keep_stop=False, seed=seed)
    again = resampled(data, Resampling.UNDER, keep_stop=False, seed=seed)

    assert np.array_equal(found.matrix[found.target == 1], data.matrix[data.target == 1], equal_nan=True)
    assert found.target.mean() == 0.5
    assert np.array_equal(found.matrix, again.matrix, equal_nan=True)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([Resampling.SMOTE, Resampling.UNDER]))
def test_several_classes_are_made_even(seed: int, how: Resampling) -> None:
    """As many of each as of the most frequent, or of the rarest; every made row lies within the bounds of its own class."""
    generator = np.random.default_rng(seed)
    target = np.repeat([0.0, 1.0, 2.0], [60, 17, 3])
    matrix = np.column_stack([generator.normal(10 * target), generator.normal(-5 * target)])
    data = FitData(Task.MULTICLASS, matrix, target, np.zeros(80, dtype=np.bool_))
    found = resampled(data, how, keep_stop=False, seed=seed)

    assert np.bincount(found.target.astype(np.intp)).tolist() == ([60] * 3 if how is Resampling.SMOTE else [3] * 3)
    for code in range(3):
        own, made = matrix[target == code], found.matrix[found.target == code]
        assert (made >= own.min(axis=0) - 1e-9).all()
        assert (made <= own.max(axis=0) + 1e-9).all()
    if how is Resampling.SMOTE:
        assert np.array_equal(found.matrix[:80], matrix)


def test_one_row_of_a_class_is_too_few() -> None:
    """There is nothing between a row and itself."""
    target = np.array([1.0, 0.0, 0.0, 0.0])
    data = FitData(Task.BINARY, np.eye(4), target, np.zeros(4, dtype=np.bool_))
    with pytest.raises(DataError, match="too few rows to resample from; got 1 and 3"):
        resampled(data, Resampling.SMOTE, keep_stop=False, seed=0)
