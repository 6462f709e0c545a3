"""Exact contributions for trees of scikit-learn: Shapley values of the conditional expectation along the paths.

The game is TreeSHAP's (Lundberg et al., 2020, algorithm 1): a column outside the coalition is averaged over by the
training rows that went each way. A leaf is then a product over the columns on its path, and the Shapley value of a
product is an integral of its multilinear extension (Owen, 1972), a polynomial in one variable: Gauss-Legendre
quadrature with half as many points as the path has columns gives it without error.
"""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["tree_contributions", "trees_of"]

Array = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

_MOST_CELLS = 400_000
"""Leaves times columns on their paths, over all trees: some 30 ms a row. Larger forests are sampled."""


def trees_of(estimator: Any) -> list[Any]:
    """The trees of a forest or of a single tree; empty for any other estimator, and for forests that are too large."""
    members = getattr(estimator, "estimators_", None)
    trees = [member.tree_ for member in members if hasattr(member, "tree_")] if isinstance(members, list) else []
    if hasattr(estimator, "tree_"):
        trees = [estimator.tree_]
    cells = sum(int(tree.n_leaves) * int(tree.max_depth) for tree in trees)
    return trees if cells <= _MOST_CELLS else []


def tree_contributions(trees: list[Any], matrix: Array, outputs: Positions) -> Array:
    """Contributions of every encoded feature, and the base in a last column, shape (rows, features + 1).

    Parameters
    ----------
    trees
        ``sklearn.tree._tree.Tree`` objects whose mean is the prediction.
    matrix
        Encoded rows.
    outputs
        Which of the trees' outputs each row is explained for.
    """
    leaves = _gathered([_leaves(tree) for tree in trees])
    rows = matrix.astype(np.float32).astype(np.float64)  # as scikit-learn compares them
    found = np.zeros((len(rows), matrix.shape[1] + 1))
    for index, row in enumerate(rows):
        amounts = _amounts(leaves, row) * leaves.values[:, outputs[index], np.newaxis]
        found[index, :-1] = np.bincount(leaves.features.ravel(), amounts.ravel(), minlength=matrix.shape[1])
        found[index, -1] = leaves.values[:, outputs[index]] @ leaves.cover.prod(axis=1)
    return found / len(trees)


@dataclasses.dataclass(frozen=True)
class _Leaves:
    """Leaves with the columns on their paths, filled up with columns that let every row pass.

    Parameters
    ----------
    features
        Shape (leaves, columns).
    low, high
        A row follows the column's splits if its value is above ``low`` and at most ``high``.
    gaps
        Whether a missing value follows them too.
    cover
        Share of the training rows that followed them.
    values
        Shape (leaves, outputs).
    """

    features: Positions
    low: Array
    high: Array
    gaps: npt.NDArray[np.bool_]
    cover: Array
    values: Array


_Step = tuple[float, float, bool, float]


def _leaves(tree: Any) -> list[tuple[dict[int, _Step], Array]]:
    """Each leaf's value, with the bounds that its path sets for each column."""
    found = []
    gaps_left = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count))
    waiting: list[tuple[int, dict[int, _Step]]] = [(0, {})]
    while waiting:
        node, path = waiting.pop()
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left < 0:
            found.append((path, tree.value[node].ravel()))
            continue
        column, cut = int(tree.feature[node]), float(tree.threshold[node])
        low, high, gaps, cover = path.get(column, (-np.inf, np.inf, True, 1.0))
        weight = tree.weighted_n_node_samples
        for child, step in (
            (left, (low, min(high, cut), gaps and bool(gaps_left[node]), cover * float(weight[left] / weight[node]))),
            (right, (max(low, cut), high, gaps and not gaps_left[node], cover * float(weight[right] / weight[node]))),
        ):
            waiting.append((child, {**path, column: step}))
    return found


def _gathered(trees: list[list[tuple[dict[int, _Step], Array]]]) -> _Leaves:
    leaves = [leaf for tree in trees for leaf in tree]
    width = max(1, *(len(path) for path, _ in leaves)) if leaves else 1
    shape = (len(leaves), width)
    features, bounds = np.zeros(shape, dtype=np.intp), np.empty((*shape, 4))
    bounds[:] = (-np.inf, np.inf, 1.0, 1.0)
    for at, (path, _) in enumerate(leaves):
        features[at, : len(path)] = list(path)
        if path:
            bounds[at, : len(path)] = list(path.values())
    values = np.array([value for _, value in leaves], dtype=np.float64)
    return _Leaves(features, bounds[..., 0], bounds[..., 1], bounds[..., 2] > 0, bounds[..., 3], values)


def _amounts(leaves: _Leaves, row: Array) -> Array:
    """For one row, the Shapley value of each column in the product of each leaf, shape (leaves, columns)."""
    value = row[leaves.features]
    follows = np.where(np.isnan(value), leaves.gaps, (value > leaves.low) & (value <= leaves.high)).astype(np.float64)
    gain = follows - leaves.cover
    total = np.zeros_like(gain)
    points, weights = np.polynomial.legendre.leggauss(leaves.features.shape[1] // 2 + 1)
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        factor = point * gain + leaves.cover
        total += weight * factor.prod(axis=1, keepdims=True) / factor
    return np.asarray(gain * total)
