"""Contributions of scikit-learn's trees are Shapley values by their very definition."""

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesRegressor, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from modelyard.evaluation.reasons.trees import tree_contributions, trees_of

Array = npt.NDArray[np.float64]


def _expected(tree: Any, row: Array, known: tuple[int, ...], output: int, node: int = 0) -> float:
    """The tree's answer if only the ``known`` columns may be looked at (Lundberg et al., 2020, algorithm 1)."""
    left, right = tree.children_left[node], tree.children_right[node]
    if left < 0:
        return float(tree.value[node].ravel()[output])
    if tree.feature[node] in known:
        value = np.float32(row[tree.feature[node]])
        goes_left = bool(tree.missing_go_to_left[node]) if np.isnan(value) else value <= tree.threshold[node]
        return _expected(tree, row, known, output, left if goes_left else right)
    weight = tree.weighted_n_node_samples
    shares = [weight[child] / weight[node] for child in (left, right)]
    return sum(
        float(share) * _expected(tree, row, known, output, child)
        for share, child in zip(shares, (left, right), strict=True)
    )


def _shapley(trees: list[Any], row: Array, output: int) -> list[float]:
    """The mean gain of each column over all coalitions of the others, weighted as Shapley does."""
    columns = range(len(row))
    found = []
    for column in columns:
        others = [other for other in columns if other != column]
        total = 0.0
        for size in range(len(others) + 1):
            weight = math.factorial(size) * math.factorial(len(others) - size) / math.factorial(len(row))
            for known in itertools.combinations(others, size):
                for tree in trees:
                    gain = _expected(tree, row, (*known, column), output) - _expected(tree, row, known, output)
                    total += weight * gain / len(trees)
        found.append(total)
    return found


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), depth=st.integers(1, 7))
def test_they_are_shapley_values(seed: int, depth: int) -> None:
    """For random trees of random depth, on random rows with gaps: the sum over all coalitions gives the same."""
    generator = np.random.default_rng(seed)
    matrix = generator.normal(size=(120, 4)).round(1)
    matrix[generator.random(matrix.shape) < 0.1] = np.nan
    target = np.nan_to_num(matrix[:, 0] * matrix[:, 1] + matrix[:, 2])
    tree = DecisionTreeRegressor(max_depth=depth, random_state=seed).fit(matrix, target)
    found = tree_contributions(trees_of(tree), matrix[:3], np.zeros(3, dtype=np.intp))

    for row, amounts in zip(matrix[:3], found, strict=True):
        assert amounts[:-1] == pytest.approx(_shapley([tree.tree_], row, 0), abs=1e-9)
    assert found.sum(axis=1) == pytest.approx(tree.predict(matrix[:3]))


def test_forests_are_the_mean_of_their_trees() -> None:
    """Classes: the chosen class of each row is explained, and its contributions add up to its share."""
    generator = np.random.default_rng(0)
    matrix = generator.normal(size=(200, 4))
    target = (matrix[:, 0] > 0).astype(int) + (matrix[:, 1] > 0.5)
    forest = RandomForestClassifier(10, max_depth=4, random_state=0).fit(matrix, target)
    outputs = np.array([0, 1, 2], dtype=np.intp)
    found = tree_contributions(trees_of(forest), matrix[:3], outputs)

    assert found.sum(axis=1) == pytest.approx(forest.predict_proba(matrix[:3])[np.arange(3), outputs])
    assert found[1, :-1] == pytest.approx(_shapley([tree.tree_ for tree in forest.estimators_], matrix[1], 1))


def test_what_is_no_small_forest_has_no_trees() -> None:
    """A stump that never splits explains nothing; forests beyond the bound, and other estimators, are left to sampling."""
    matrix = np.random.default_rng(0).normal(size=(3000, 6))
    stump = DecisionTreeClassifier(max_depth=1).fit(matrix[:5], np.zeros(5))
    large = ExtraTreesRegressor(60, random_state=0).fit(matrix, matrix[:, 0])

    assert (
        tree_contributions(trees_of(stump), matrix[:2], np.zeros(2, dtype=np.intp)).tolist() == [[0.0] * 6 + [1.0]] * 2
    )
    assert trees_of(large) == []
    assert trees_of(object()) == []
