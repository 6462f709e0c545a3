"""Decision trees as a LightGBM model's text, with leaves that say nothing but their number."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["SCALE", "TreeNodes", "as_text"]

SCALE = 2.0**64
"""Numbers and thresholds are multiplied by this, which is exact: LightGBM takes what is below 1e-35 for 0."""


_NUMBER_AND_GAP_RIGHT = 8  # LightGBM's bits of a decision: a number, and NaN is what counts as missing
_GAP_LEFT = 2


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


def as_text(trees: Sequence[TreeNodes], features: int) -> str:
    """The model file that LightGBM reads, for rows times ``SCALE``; a tree's leaves are numbered in the order of ``leaves``.

    Raises
    ------
    ValueError
        If nodes are no tree: each but the root must be the child of one.
    """
    head = [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        f"max_feature_idx={features - 1}",
        "feature_names=" + " ".join(f"f{place}" for place in range(features)),
        "feature_infos=" + " ".join(["none"] * features),
        "",
    ]
    parts = ["\n".join((f"Tree={place}", *_lines(tree))) for place, tree in enumerate(trees)]
    return "\n".join([*head, *parts, "end of trees", ""])


def _lines(tree: TreeNodes) -> list[str]:
    """The lines of one tree."""
    inner = tree.left >= 0
    leaves = len(inner) - int(inner.sum())
    lines = [f"num_leaves={leaves}", "num_cat=0"]
    if leaves > 1:
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
    return [*lines, "leaf_value=" + " ".join("0" * leaves), "is_linear=0", "shrinkage=1", "", ""]


def _joined(values: npt.NDArray[Any]) -> str:
    """Numbers with spaces between; doubles by their shortest exact text."""
    return str(values.tolist())[1:-1].replace(",", "")


def _check(children: npt.NDArray[np.int32], inner: npt.NDArray[np.bool_]) -> None:
    """Refuse nodes that a walk could go round in, or leave."""
    if not np.array_equal(np.sort(children), np.arange(1, len(inner))):
        raise ValueError("each node but the root must be the child of one other")
