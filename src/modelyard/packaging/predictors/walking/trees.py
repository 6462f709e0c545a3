"""Decision trees as a LightGBM model's text: with leaves that say nothing but their number, or with all they answer."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["SCALE", "LeafAnswers", "TreeNodes", "as_text"]

SCALE = 2.0**64
"""Numbers and thresholds are multiplied by this, which is exact: LightGBM takes what is below 1e-35 for 0."""


_NUMBER_AND_GAP_RIGHT = 8  # LightGBM's bits of a decision: a number, and NaN is what counts as missing
_GAP_LEFT = 2

_MOST_COUNTED = 1 << 30  # LightGBM counts rows in 32 bits


@dataclasses.dataclass(frozen=True)
class TreeNodes:
    """One tree; the root is node 0.

    Parameters
    ----------
    feature, threshold
        By node: a row goes left where its feature, in single precision, is at most the threshold, a double.
    left, right
        By node: its children, by number; negative for a leaf.
    missing_left
        By node: whether a missing value goes left.
    """

    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float64]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    missing_left: npt.NDArray[np.bool_]

    @property
    def leaves(self) -> npt.NDArray[np.int64]:
        """Numbers of the nodes that are leaves, in order."""
        return np.flatnonzero(self.left < 0)


@dataclasses.dataclass(frozen=True)
class LeafAnswers:
    """What the leaves of one tree say, in the order of :attr:`TreeNodes.leaves`.

    Parameters
    ----------
    values
        Shape (leaves, outputs).
    cover
        Weight of the training rows that reached the leaf, above 0. Whole numbers are kept as they are; others are
        rounded to a billionth of the tree's, since LightGBM counts rows.
    """

    values: npt.NDArray[np.float64]
    cover: npt.NDArray[np.float64]

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """The cover in whole numbers, 1 at least."""
        total = float(self.cover.sum())
        is_counted = total <= _MOST_COUNTED and np.array_equal(self.cover, np.rint(self.cover))
        scale = 1.0 if is_counted else _MOST_COUNTED / total
        return np.maximum(np.rint(self.cover * scale), 1).astype(np.int64)


def as_text(trees: Sequence[TreeNodes], features: int, answers: Sequence[LeafAnswers] = ()) -> str:
    """The model file that LightGBM reads, for rows times ``SCALE``; a tree's leaves are numbered in the order of ``leaves``.

    Parameters
    ----------
    trees
        One at least.
    features
        Number of features of a row.
    answers
        By tree, what its leaves say; the model then has as many outputs, whose raw scores are sums over trees. Without
        them leaves say 0.

    Raises
    ------
    ValueError
        If nodes are no tree: each but the root must be the child of one.
    """
    outputs = answers[0].values.shape[1] if answers else 1
    head = [
        "tree",
        "version=v4",
        f"num_class={outputs}",
        f"num_tree_per_iteration={outputs}",
        "label_index=0",
        f"max_feature_idx={features - 1}",
        "feature_names=" + " ".join(f"f{place}" for place in range(features)),
        "feature_infos=" + " ".join(["none"] * features),
        "",
    ]
    parts = []
    for place, tree in enumerate(trees):
        nodes = _lines(tree)
        for output, leaves in enumerate(_answers(tree, answers[place]) if answers else [_silence(tree)]):
            end = ["is_linear=0", "shrinkage=1", "", ""]
            parts.append("\n".join((f"Tree={place * outputs + output}", *nodes, *leaves, *end)))
    return "\n".join([*head, *parts, "end of trees", ""])


def _lines(tree: TreeNodes) -> list[str]:
    """The lines of one tree that say how its nodes hang together."""
    inner = tree.left >= 0
    leaves = len(inner) - int(inner.sum())
    lines = [f"num_leaves={leaves}", "num_cat=0"]
    if inner.any():
        # LightGBM counts inner nodes up from 0 and leaves down from -1.
        number = np.where(inner, np.cumsum(inner) - 1, np.cumsum(inner) - np.arange(1, len(inner) + 1))
        left, right = tree.left[inner], tree.right[inner]
        _check(np.concatenate([left, right]), inner)
        columns: dict[str, npt.NDArray[Any]] = {
            "split_feature": tree.feature[inner],
            "threshold": tree.threshold[inner] * SCALE,
            "decision_type": _NUMBER_AND_GAP_RIGHT + _GAP_LEFT * tree.missing_left[inner],
            "left_child": number[left],
            "right_child": number[right],
        }
        lines += [f"{name}={_joined(values)}" for name, values in columns.items()]
    return lines


def _silence(tree: TreeNodes) -> list[str]:
    """Leaves without an answer."""
    return ["leaf_value=" + " ".join("0" * len(tree.leaves))]


def _answers(tree: TreeNodes, answers: LeafAnswers) -> list[list[str]]:
    """By output, what the leaves say, and how many rows reached each node."""
    inner = tree.left >= 0
    counts = np.zeros(len(inner), dtype=np.int64)
    counts[~inner] = answers.counts
    for nodes in reversed(_levels(tree)):
        counts[nodes] = counts[tree.left[nodes]] + counts[tree.right[nodes]]
    lines = [f"leaf_count={_joined(counts[~inner])}"]
    if inner.any():
        lines.append(f"internal_count={_joined(counts[inner])}")
    return [[f"leaf_value={_joined(column)}", *lines] for column in answers.values.T]


def _levels(tree: TreeNodes) -> list[npt.NDArray[np.int64]]:
    """The inner nodes by their distance from the root."""
    levels: list[npt.NDArray[np.int64]] = []
    nodes = np.zeros(1, dtype=np.int64)
    while True:
        nodes = nodes[tree.left[nodes] >= 0]
        if not len(nodes):
            return levels
        levels.append(nodes)
        nodes = np.concatenate([tree.left[nodes], tree.right[nodes]])


def _joined(values: npt.NDArray[Any]) -> str:
    """Numbers with spaces between; doubles by their shortest exact text."""
    return str(values.tolist())[1:-1].replace(",", "")


def _check(children: npt.NDArray[np.int32], inner: npt.NDArray[np.bool_]) -> None:
    """Refuse nodes that a walk could go round in, or leave."""
    if not np.array_equal(np.sort(children), np.arange(1, len(inner))):
        raise ValueError("each node but the root must be the child of one other")
