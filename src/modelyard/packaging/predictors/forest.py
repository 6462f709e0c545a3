"""Forests of decision trees as flat arrays; rows are compared exactly as scikit-learn does."""

import dataclasses
import functools
import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from modelyard.packaging.predictors.archive import archive_of, arrays_in
from modelyard.packaging.predictors.files import damaged, file_of
from modelyard.packaging.predictors.predictor import DOUBLE_TOLERANCE, Matrix
from modelyard.packaging.predictors.walking import LeafAnswers, TreeNodes, TreeShap, Walker, tree_shap, walker_of

__all__ = ["ForestArrays", "ForestPredictor", "flatten_trees"]

_FILE = "forest.npz"
_COVERS = "forest-covers.npz"
_COVER = "cover"
_STEPS_AT_ONCE = 1 << 19  # rows times trees walked together: some MB of indices


@dataclasses.dataclass(frozen=True)
class ForestArrays:
    """All nodes of all trees, one after the other.

    The right child of a node stands directly behind its left child, and a leaf is its own left child with an infinite
    threshold, so that one step is ``left[node] + (x > threshold[node])`` for every node alike.

    Parameters
    ----------
    roots
        Position of each tree's root, shape (trees,).
    feature, threshold, left, missing_left
        By node: the feature compared, the value it is compared with, the left child, and whether a missing value goes
        left.
    values
        Outputs by node, shape (nodes, outputs); only those of leaves are used.
    depth
        Steps after which every walk has reached a leaf.
    features
        Number of features of a row.
    cover
        By leaf, in the order of nodes: weight of the training rows that reached it; None where nobody kept it.
    """

    roots: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float64]
    left: npt.NDArray[np.int32]
    missing_left: npt.NDArray[np.bool_]
    values: npt.NDArray[np.float64]
    depth: int
    features: int
    cover: npt.NDArray[np.float64] | None = None


class ForestPredictor:
    """The mean over trees.

    scikit-learn casts a row to single precision and compares it with thresholds in double precision; so does this.
    A number too large for single precision counts as infinite, where scikit-learn would refuse the row.
    Tables are walked by NumPy, single rows in LightGBM's library: the same leaves, the same mean.

    Parameters
    ----------
    arrays
        The trees.
    """

    kind: ClassVar[str] = "forest"
    tolerance: ClassVar[float] = DOUBLE_TOLERANCE

    def __init__(self, arrays: ForestArrays) -> None:
        self._arrays = arrays

    @property
    def features(self) -> int | None:
        """Number of features of a row."""
        return self._arrays.features

    @property
    def outputs(self) -> int:
        """1, or the number of classes."""
        return int(self._arrays.values.shape[1])

    def predict_row(self, features: list[float]) -> list[float]:
        """Outputs of one row: all trees are walked at once."""
        if self._walker is None:
            reached = self._arrays.values.take(self._leaves_of(features), axis=0)
        else:
            reached = self._leaves.take(self._walker.leaves_of(features), axis=0)
        outputs: list[float] = (reached.sum(axis=0) / len(reached)).tolist()
        return outputs

    @functools.cached_property
    def _walker(self) -> Walker | None:
        """Made when the first single row comes; a table needs none."""
        return walker_of(_trees_of(self._arrays), self._arrays.features)

    @functools.cached_property
    def _leaves(self) -> npt.NDArray[np.float64]:
        """What the leaves say, in the order in which the walker numbers them."""
        return self._arrays.values[_is_leaf(self._arrays)]

    def _leaves_of(self, features: list[float]) -> npt.NDArray[np.int64]:
        """The leaves of one row by NumPy."""
        arrays = self._arrays
        row = _in_single_precision(np.array(features))
        has_gaps = bool(np.isnan(row).any())
        nodes = arrays.roots
        for _ in range(arrays.depth):
            value = row.take(arrays.feature.take(nodes))
            right = value > arrays.threshold.take(nodes)
            if has_gaps:
                right = np.where(np.isnan(value), ~arrays.missing_left.take(nodes), right)
            nodes = arrays.left.take(nodes) + right
        return nodes.astype(np.int64)

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """Outputs of many rows, shape (rows, outputs)."""
        arrays = self._arrays
        answers = np.empty((len(matrix), self.outputs))
        chunk = max(1, _STEPS_AT_ONCE // len(arrays.roots))
        for start in range(0, len(matrix), chunk):
            part = _in_single_precision(np.ascontiguousarray(matrix[start : start + chunk]))
            leaves = self._walk(part)
            for output in range(self.outputs):
                answers[start : start + len(part), output] = arrays.values[:, output].take(leaves).mean(axis=0)
        return answers

    def _walk(self, part: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """The leaf of every row in every tree, shape (trees, rows).

        Walks of one tree stand together, since its nodes fit into the processor's cache; those that have ended are
        left out of further steps.
        """
        arrays = self._arrays
        rows = len(part)
        leaves = np.repeat(arrays.roots.astype(np.int64), rows)
        flat = part.ravel()
        has_gaps = bool(np.isnan(flat).any())
        walking = np.arange(leaves.size)
        for _ in range(arrays.depth):
            nodes = leaves.take(walking)
            value = flat.take(walking % rows * arrays.features + arrays.feature.take(nodes))
            right = value > arrays.threshold.take(nodes)
            if has_gaps:
                right = np.where(np.isnan(value), ~arrays.missing_left.take(nodes), right)
            after = arrays.left.take(nodes) + right
            leaves[walking] = after
            walking = walking[after != arrays.left.take(after)]
        return leaves.reshape(len(arrays.roots), rows)

    def contributions(self, matrix: Matrix, background: Matrix) -> Matrix | None:
        """TreeSHAP's amounts and the base in the last place, shape (rows, outputs, features + 1); sums are outputs.

        The background is the forest's own: the rows that each tree learned from. None where the package does not hold
        their shares, as older ones do not; where LightGBM is not installed; and for a forest too large for it.
        """
        del background
        return None if self._tree_shap is None else self._tree_shap.contributions(_in_single_precision(matrix))

    @property
    def explaining_work(self) -> int:
        """Steps that the reasons for a row take: each node looks back at the path to it, for each output."""
        return len(self._arrays.left) * max(self._arrays.depth, 1) * self.outputs

    @functools.cached_property
    def _tree_shap(self) -> TreeShap | None:
        """Made when reasons are first asked for."""
        arrays = self._arrays
        if arrays.cover is None:
            return None
        trees = _trees_of(arrays)
        ends = np.cumsum([len(tree.leaves) for tree in trees])[:-1]
        parts = zip(np.split(self._leaves, ends), np.split(arrays.cover, ends), strict=True)
        return tree_shap(trees, [LeafAnswers(*part) for part in parts], arrays.features)

    def to_files(self) -> dict[str, bytes]:
        """One compressed NumPy archive of plain arrays; no pickle. Covers are apart: loaders before them read the rest."""
        arrays = self._arrays
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            roots=arrays.roots,
            feature=arrays.feature,
            threshold=arrays.threshold,
            left=arrays.left,
            missing_left=arrays.missing_left,
            values=arrays.values,
            shape=np.array([arrays.depth, arrays.features], dtype=np.int64),
        )
        covers = {} if arrays.cover is None else {_COVERS: archive_of({_COVER: arrays.cover})}
        return {_FILE: buffer.getvalue(), **covers}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote; a walk that would leave the arrays is refused."""
        try:
            with np.load(io.BytesIO(file_of(files, _FILE)), allow_pickle=False) as archive:
                content = {name: archive[name] for name in archive.files}
            depth, features = (int(number) for number in content.pop("shape"))
            cover = arrays_in(files, _COVERS, (_COVER,))[_COVER] if _COVERS in files else None
            arrays = ForestArrays(**content, depth=depth, features=features, cover=cover)
        except (KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise damaged(_FILE, repr(error)) from error
        _check_bounds(arrays)
        return cls(arrays)


def _in_single_precision(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Numbers rounded to single precision, kept in doubles so that they compare with double thresholds."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32).astype(np.float64)


def _check_bounds(arrays: ForestArrays) -> None:
    """Refuse arrays whose positions point outside."""
    nodes = len(arrays.left)
    sizes = {len(arrays.feature), len(arrays.threshold), len(arrays.missing_left), len(arrays.values), nodes}
    if len(sizes) != 1 or nodes == 0 or len(arrays.roots) == 0:
        raise damaged(_FILE, "arrays of different lengths")
    leaf = _is_leaf(arrays)
    inside = (arrays.left >= 0) & (arrays.left + ~leaf < nodes)
    columns = (arrays.feature >= 0) & (arrays.feature < arrays.features)
    if not (inside.all() and columns.all() and arrays.roots.min() >= 0 and arrays.roots.max() < nodes):
        raise damaged(_FILE, "positions outside the arrays")
    if not _are_trees(arrays):
        raise damaged(_FILE, "nodes that are no trees")
    if arrays.cover is not None and (arrays.cover.shape != (int(leaf.sum()),) or arrays.cover.min() <= 0):
        raise damaged(_COVERS, "not a weight above 0 for each leaf")


def _are_trees(arrays: ForestArrays) -> bool:
    """Whether each node but the roots is the child of one other, in its own tree; then no walk goes round."""
    nodes = np.arange(len(arrays.left))
    inner = np.flatnonzero(~_is_leaf(arrays))
    parents = np.bincount(np.concatenate([arrays.left[inner], arrays.left[inner] + 1]), minlength=len(nodes))
    parents[arrays.roots] += 1
    tree = np.searchsorted(arrays.roots, nodes, side="right")
    own = np.array_equal(tree[inner], tree[arrays.left[inner]]) and np.array_equal(
        tree[inner], tree[arrays.left[inner] + 1]
    )
    return bool(arrays.roots[0] == 0 and (np.diff(arrays.roots) > 0).all() and (parents == 1).all() and own)


def _is_leaf(arrays: ForestArrays) -> npt.NDArray[np.bool_]:
    return np.asarray(arrays.left == np.arange(len(arrays.left)))


def _trees_of(arrays: ForestArrays) -> list[TreeNodes]:
    """The trees one by one, their nodes numbered from 0."""
    left = np.where(_is_leaf(arrays), -1, arrays.left)
    ends = [*arrays.roots[1:].tolist(), len(left)]
    trees = []
    for start, end in zip(arrays.roots.tolist(), ends, strict=True):
        nodes = slice(start, end)
        own = np.where(left[nodes] < 0, -1, left[nodes] - start)
        trees.append(
            TreeNodes(arrays.feature[nodes], arrays.threshold[nodes], own, own + (own >= 0), arrays.missing_left[nodes])
        )
    return trees


def flatten_trees(trees: Sequence[Any], features: int, outputs: Sequence[int]) -> ForestArrays:
    """The arrays of scikit-learn's fitted trees.

    Parameters
    ----------
    trees
        ``sklearn.tree._tree.Tree`` objects: ``estimator.tree_`` of each tree.
    features
        Number of features of a row.
    outputs
        Which of a tree's outputs to keep, in order: ``[1]`` for the probability of the positive class.
    """
    parts = []
    roots = []
    start = 0
    for tree in trees:
        roots.append(start)
        parts.append(_flatten(tree, start, outputs))
        start += tree.node_count
    feature, threshold, left, missing_left, values, cover = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    return ForestArrays(
        np.array(roots, dtype=np.int32),
        feature,
        threshold,
        left,
        missing_left,
        values,
        depth=max(int(tree.max_depth) for tree in trees),
        features=features,
        cover=cover,
    )


def _flatten(tree: Any, start: int, outputs: Sequence[int]) -> tuple[npt.NDArray[Any], ...]:
    """Feature, threshold, left, missing_left, values and the leaves' covers of one tree, siblings side by side, from
    ``start`` on.
    """
    order, first_child = _siblings_together(tree)
    leaf = tree.children_left[order] < 0
    feature = np.where(leaf, 0, tree.feature[order]).astype(np.int32)
    threshold = np.where(leaf, np.inf, tree.threshold[order])
    left = (np.where(leaf, np.arange(len(order)), first_child) + start).astype(np.int32)
    missing_left = leaf | tree.missing_go_to_left[order].astype(bool)
    values = np.ascontiguousarray(tree.value[order, 0, :][:, list(outputs)], dtype=np.float64)
    cover = np.asarray(tree.weighted_n_node_samples[order][leaf], dtype=np.float64)
    return feature, threshold, left, missing_left, values, cover


def _siblings_together(tree: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """scikit-learn's node numbers in an order in which the right child follows the left; and each left child's place."""
    order = [0]
    first_child = np.zeros(tree.node_count, dtype=np.int64)
    lefts, rights = tree.children_left.tolist(), tree.children_right.tolist()
    for place, node in enumerate(order):  # the list grows while it is walked: breadth first
        if lefts[node] >= 0:
            first_child[place] = len(order)
            order += [lefts[node], rights[node]]
    return np.array(order, dtype=np.int64), first_child
