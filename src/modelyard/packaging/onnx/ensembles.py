"""Trees as one node of a graph: the operator that compares doubles."""

from collections.abc import Iterator

import numpy as np

from modelyard.packaging.onnx.graph import Graph
from modelyard.packaging.onnx.trees import Ensemble, Node, Tree

__all__ = ["summed_trees"]

_AT_OR_BELOW, _BELOW = 0, 1  # modes of a node
_SUM = 1


def summed_trees(graph: Graph, matrix: str, ensemble: Ensemble) -> str:
    """The sum of the trees as doubles, shape (rows, outputs)."""
    from onnx import TensorProto, numpy_helper

    nodes, leaves, targets, roots = _joined(ensemble)
    mode, kind = (_BELOW, np.float32) if ensemble.single else (_AT_OR_BELOW, np.float64)
    rows = graph.add("Cast", matrix, to=TensorProto.FLOAT) if ensemble.single else matrix
    # A leaf's place is told from a node's by a flag beside it.
    sums = graph.add(
        "TreeEnsemble",
        rows,
        domain="ai.onnx.ml",
        aggregate_function=_SUM,
        n_targets=ensemble.outputs,
        post_transform=0,
        tree_roots=roots,
        nodes_featureids=[node.feature for node in nodes],
        nodes_splits=numpy_helper.from_array(np.array([node.threshold for node in nodes], dtype=kind)),
        nodes_modes=numpy_helper.from_array(np.full(len(nodes), mode, dtype=np.uint8)),
        nodes_truenodeids=[_place(node.true) for node in nodes],
        nodes_trueleafs=[int(node.true < 0) for node in nodes],
        nodes_falsenodeids=[_place(node.false) for node in nodes],
        nodes_falseleafs=[int(node.false < 0) for node in nodes],
        nodes_missing_value_tracks_true=[int(node.missing_true) for node in nodes],
        leaf_targetids=targets,
        leaf_weights=numpy_helper.from_array(np.array(leaves, dtype=kind)),
    )
    return graph.to_double(sums) if ensemble.single else sums


def _joined(ensemble: Ensemble) -> tuple[list[Node], list[float], list[int], list[int]]:
    """All nodes and leaves, one tree after the other, and where each tree begins."""
    nodes: list[Node] = []
    leaves: list[float] = []
    targets: list[int] = []
    roots = []
    for tree in ensemble.trees:
        roots.append(len(nodes))
        nodes += _moved(tree, len(nodes), len(leaves))
        leaves += tree.leaves
        targets += [tree.output] * len(tree.leaves)
    return nodes, leaves, targets, roots


def _moved(tree: Tree, start: int, first_leaf: int) -> Iterator[Node]:
    """The nodes with places among all; a tree of one leaf gets a node that leads to it both ways."""

    def moved(child: int) -> int:
        return child + start if child >= 0 else child - first_leaf

    for node in tree.nodes or (Node(0, 0.0, -1, -1, missing_true=True),):
        yield Node(node.feature, node.threshold, moved(node.true), moved(node.false), node.missing_true)


def _place(child: int) -> int:
    return child if child >= 0 else -1 - child
