"""Ensembles of trees in one shape, as doubles: from LightGBM's text, XGBoost's JSON and our own arrays."""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from modelyard.core import StateError

__all__ = ["Ensemble", "Node", "Tree", "forest_trees", "lightgbm_trees", "unconvertible", "xgboost_trees"]


@dataclasses.dataclass(frozen=True)
class Node:
    """One comparison. A child is a node's place within its tree, or -1 - the place of a leaf."""

    feature: int
    threshold: float
    true: int
    false: int
    missing_true: bool


@dataclasses.dataclass(frozen=True)
class Tree:
    """Nodes, the first of which is the root, and leaves; a tree of one leaf has no node. Leaves add to one output."""

    nodes: tuple[Node, ...]
    leaves: tuple[float, ...]
    output: int


@dataclasses.dataclass(frozen=True)
class Ensemble:
    """The sum of trees.

    Parameters
    ----------
    trees
        All of them.
    outputs
        Numbers a row.
    single
        True if numbers are compared and added in single precision, and a row goes the true way below the threshold;
        False if all are doubles, and it does so at the threshold too.
    """

    trees: tuple[Tree, ...]
    outputs: int
    single: bool = False


def unconvertible(what: str, got: str) -> StateError:
    """The error for a model that cannot be written as ONNX exactly."""
    return StateError(
        f"{what} has no exact form in ONNX",
        where="model",
        got=got,
        cure="Serve the package itself; docs/06-packaging.md names the families that can be exported",
    )


def lightgbm_trees(text: str) -> tuple[Ensemble, str]:
    """The trees of LightGBM's text, and its objective.

    A row goes left at or below the threshold. Where a feature was never missing in training, LightGBM takes a missing
    value for 0; where it was, the node has a direction for it.

    Raises
    ------
    StateError
        If there are categorical splits, linear leaves, or zeros that stand for missing values.
    """
    head, *blocks = text.partition("\nend of trees")[0].split("\nTree=")
    facts = _pairs(head)
    if "average_output" in head.split("\n"):
        raise unconvertible("a random forest of LightGBM", "average_output")
    outputs = int(facts["num_tree_per_iteration"])
    trees = tuple(_lightgbm_tree(_pairs(block), number % outputs) for number, block in enumerate(blocks))
    return Ensemble(trees, outputs), facts["objective"]


def _pairs(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.split("\n") if "=" in line)


def _lightgbm_tree(facts: Mapping[str, str], output: int) -> Tree:
    leaves = tuple(float(word) for word in facts["leaf_value"].split())
    if facts.get("is_linear", "0") != "0" or facts["num_cat"] != "0":
        raise unconvertible("this LightGBM model", "linear leaves or categorical splits")
    if facts["num_leaves"] == "1":
        return Tree((), leaves, output)
    features, lefts, rights, kinds = (
        [int(word) for word in facts[name].split()]
        for name in ("split_feature", "left_child", "right_child", "decision_type")
    )
    thresholds = [float(word) for word in facts["threshold"].split()]
    nodes = tuple(
        Node(feature, threshold, left, right, missing_true=_missing_left(kind, threshold))
        for feature, threshold, left, right, kind in zip(features, thresholds, lefts, rights, kinds, strict=True)
    )
    return Tree(nodes, leaves, output)


def _missing_left(kind: int, threshold: float) -> bool:
    """Bits of LightGBM's decision type: 1 is the default direction, 2 and 3 are what counts as missing."""
    missing = kind >> 2 & 3
    if missing == 1:
        raise unconvertible("this LightGBM model", "zeros that stand for missing values")
    return bool(kind & 2) if missing == 2 else threshold >= 0


def xgboost_trees(model: Mapping[str, Any], rounds: int) -> tuple[Ensemble, str]:
    """The trees of XGBoost's JSON (the first ``rounds``, or all for 0), and the objective.

    What XGBoost begins every sum with comes first, as a tree of one leaf for each output.

    Raises
    ------
    StateError
        If it is no sum of plain trees.
    """
    learner = model["learner"]
    booster = learner["gradient_booster"]
    if booster["name"] != "gbtree":
        raise unconvertible("this XGBoost model", booster["name"])
    outputs = max(1, int(learner["learner_model_param"]["num_class"]))
    objective = str(learner["objective"]["name"])
    base = [float(word) for word in learner["learner_model_param"]["base_score"].strip("[]").split(",")]
    if objective == "binary:logistic":
        base = [math.log(value / (1 - value)) for value in base]
    ends = booster["model"]["iteration_indptr"]
    stop = ends[rounds] if rounds else len(booster["model"]["trees"])
    classes = booster["model"]["tree_info"][:stop]
    trees = tuple(
        _xgboost_tree(tree, output) for tree, output in zip(booster["model"]["trees"][:stop], classes, strict=True)
    )
    starts = tuple(Tree((), (value,), output) for output, value in enumerate(base * (outputs // len(base))))
    return Ensemble((*starts, *trees), outputs, single=True), objective


def _xgboost_tree(tree: Mapping[str, Any], output: int) -> Tree:
    """Leaves stand among the nodes, their values in the place of thresholds; all in single precision."""
    if any(tree["split_type"]) or int(tree["tree_param"]["size_leaf_vector"]) > 1:
        raise unconvertible("this XGBoost model", "categorical splits or leaves of several outputs")
    lefts = tree["left_children"]
    values = np.asarray(tree["split_conditions"], dtype=np.float32).astype(np.float64).tolist()
    inner = {place: number for number, place in enumerate(p for p, left in enumerate(lefts) if left >= 0)}
    ends = {place: -1 - number for number, place in enumerate(p for p, left in enumerate(lefts) if left < 0)}
    places = {**inner, **ends}
    nodes = tuple(
        Node(
            tree["split_indices"][place],
            values[place],
            places[lefts[place]],
            places[tree["right_children"][place]],
            missing_true=bool(tree["default_left"][place]),
        )
        for place in inner
    )
    return Tree(nodes, tuple(values[place] for place in ends), output)


def forest_trees(arrays: Mapping[str, Any]) -> Ensemble:
    """The trees of our own arrays, whose mean is the answer: leaves are divided by the number of trees.

    A tree with several outputs becomes one tree for each.
    """
    outputs, count = arrays["values"].shape[1], len(arrays["roots"])
    ends = [*arrays["roots"][1:].tolist(), len(arrays["left"])]
    parts = [range(root, end) for root, end in zip(arrays["roots"].tolist(), ends, strict=True)]
    trees = tuple(tree for part in parts for tree in _forest_trees(arrays, part, outputs, count))
    return Ensemble(trees, outputs)


def _forest_trees(arrays: Mapping[str, Any], part: Sequence[int], outputs: int, count: int) -> Iterator[Tree]:
    left = arrays["left"]
    inner = {place: number for number, place in enumerate(p for p in part if left[p] != p)}
    ends = {place: -1 - number for number, place in enumerate(p for p in part if left[p] == p)}
    places = {**inner, **ends}
    nodes = tuple(
        Node(
            int(arrays["feature"][place]),
            float(arrays["threshold"][place]),
            places[int(left[place])],
            places[int(left[place]) + 1],
            missing_true=bool(arrays["missing_left"][place]),
        )
        for place in inner
    )
    for output in range(outputs):
        yield Tree(nodes, tuple(float(arrays["values"][place, output]) / count for place in ends), output)
