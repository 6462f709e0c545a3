"""The quantile keeps its promise, for rows and for groups."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.conformal import conformal_quantile


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
@settings(max_examples=50, deadline=None)
def test_groups_of_one_row_are_rows(scores: list[float], coverage: float) -> None:
    """With every row a group of its own, both definitions agree."""
    values = np.array(scores)

    assert conformal_quantile(values, coverage, np.arange(len(values))) == conformal_quantile(values, coverage)


@given(st.integers(1, 80), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
@settings(max_examples=50, deadline=None)
def test_enough_scores_lie_below(rows: int, coverage: float) -> None:
    """At least ``coverage`` of the rows and the new one lie at or below the quantile, and with one row less they do not."""
    quantile = conformal_quantile(np.arange(1.0, rows + 1), coverage)

    if math.isinf(quantile):
        assert rows / (rows + 1) < coverage
    else:
        assert quantile / (rows + 1) >= coverage - 1e-9
        assert (quantile - 1) / (rows + 1) < coverage


def test_too_few_rows_promise_nothing() -> None:
    """Nine rows are needed for 90 %, nineteen for 95 %; no row promises nothing, and many rows of one group neither."""
    assert conformal_quantile(np.arange(8.0), 0.9) == math.inf
    assert conformal_quantile(np.arange(9.0), 0.9) == 8.0
    assert conformal_quantile(np.arange(18.0), 0.95) == math.inf
    assert conformal_quantile(np.empty(0), 0.9) == math.inf
    assert conformal_quantile(np.arange(500.0), 0.9, np.repeat("a", 500)) == math.inf


def test_a_large_group_counts_once() -> None:
    """A group of 1,000 easy rows does not drown nineteen groups of hard ones."""
    scores = np.concatenate([np.zeros(1000), np.full(19, 5.0)])
    groups = np.concatenate([np.zeros(1000), np.arange(1, 20)])

    assert conformal_quantile(scores, 0.9) == 0.0
    assert conformal_quantile(scores, 0.9, groups) == pytest.approx(5.0)
