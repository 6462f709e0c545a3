"""How soon random cuts part a row from all others: an isolation forest, in NumPy alone.

After Liu, Ting and Zhou ("Isolation Forest", ICDM 2008, algorithms 1 to 3): each tree cuts a sample of rows at random
values of random columns until every row stands alone, or the depth of a balanced tree is reached; a row that comes to
stand alone early is unlike the others. All trees grow together, level by level.
"""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

__all__ = ["isolation_scores"]

Matrix = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

_TREES = 100
_SAMPLE = 256


@dataclasses.dataclass(frozen=True)
class _Forest:
    """Nodes by tree and place, both (trees, nodes): the children of place i stand at 2i + 1 and 2i + 2.

    Parameters
    ----------
    column
        Where the node cuts; -1 for a leaf.
    cut
        Greater values go to the second child.
    length
        Path to the leaf, with the mean depth of the rows that were not parted in it.
    """

    column: Places
    cut: Matrix
    length: Matrix


def isolation_scores(matrix: Matrix, *, seed: int) -> Matrix:
    """Score of each row: towards 1 if it is parted early, below 0.5 if it is in the crowd.

    Parameters
    ----------
    matrix
        Finite numbers, shape (rows, columns).
    seed
        Of the samples and the cuts.

    >>> crowd = np.random.default_rng(0).normal(size=(500, 2))
    >>> scores = isolation_scores(np.vstack([crowd, [[9.0, 9.0]]]), seed=0)
    >>> int(scores.argmax())
    500
    """
    random = np.random.default_rng(seed)
    size = min(_SAMPLE, len(matrix))
    rows = np.array([random.choice(len(matrix), size, replace=False) for _ in range(_TREES)])
    forest = _grow(matrix, rows, random)
    length = np.mean([_lengths(matrix, forest, tree) for tree in range(_TREES)], axis=0)
    scores: Matrix = 2.0 ** (-length / max(float(_mean_depth(np.array([size]))[0]), 1.0))
    return scores


def _grow(matrix: Matrix, rows: Places, random: np.random.Generator) -> _Forest:
    """All trees, one level after the other; ``rows`` are the samples, shape (trees, size)."""
    trees, size = rows.shape
    depth = math.ceil(math.log2(max(size, 2)))
    nodes = 2 ** (depth + 1) - 1
    forest = _Forest(np.full((trees, nodes), -1), np.zeros((trees, nodes)), np.zeros((trees, nodes)))
    node = np.repeat(np.arange(trees) * nodes, size)
    row = rows.ravel()
    for level in range(depth + 1):
        order = np.argsort(node, kind="stable")
        node, row = node[order], row[order]
        starts = np.flatnonzero(np.r_[True, node[1:] != node[:-1]])
        sizes = np.diff(np.r_[starts, len(node)])
        held = matrix[row]
        low, high = np.minimum.reduceat(held, starts), np.maximum.reduceat(held, starts)
        column = np.where(high > low, random.random(low.shape), -1.0).argmax(axis=1)
        ends = low[np.arange(len(starts)), column], high[np.arange(len(starts)), column]
        cut = ends[0] + random.random(len(starts)) * (ends[1] - ends[0])
        parted = (ends[1] > ends[0]) & (level < depth)
        forest.length.flat[node[starts]] = level + _mean_depth(sizes)
        forest.column.flat[node[starts[parted]]] = column[parted]
        forest.cut.flat[node[starts[parted]]] = cut[parted]
        mine = np.repeat(np.arange(len(starts)), sizes)
        second = held[np.arange(len(row)), column[mine]] > cut[mine]
        base = node // nodes * nodes
        node, row = (base + 2 * (node - base) + 1 + second)[parted[mine]], row[parted[mine]]
        if len(node) == 0:
            break
    return forest


def _lengths(matrix: Matrix, forest: _Forest, tree: int) -> Matrix:
    """Path length of every row in one tree."""
    place = np.zeros(len(matrix), dtype=np.int64)
    while True:
        column = forest.column[tree, place]
        inner = np.flatnonzero(column >= 0)
        if len(inner) == 0:
            length: Matrix = forest.length[tree, place]
            return length
        second = matrix[inner, column[inner]] > forest.cut[tree, place[inner]]
        place[inner] = 2 * place[inner] + 1 + second


def _mean_depth(sizes: Places) -> Matrix:
    """Mean depth of an unsuccessful search in a binary tree of so many rows (equation 1)."""
    many = np.maximum(sizes, 3).astype(np.float64)
    depth = 2 * (np.log(many - 1) + np.euler_gamma) - 2 * (many - 1) / many
    return np.where(sizes > 2, depth, np.where(sizes == 2, 1.0, 0.0))
