"""Small models of this room's own: a ridge and a booster that correct a score, fitted in milliseconds."""

import dataclasses
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Correction", "chance", "fit_correction", "fit_ridge", "recalibrated", "row_losses"]

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

_BINS = 16
_DEPTH = 3
_RATE = 0.15
_LEAF_RIDGE = 20.0
_FEWEST_ROUNDS, _MOST_ROUNDS = 8, 40
_ROWS_A_ROUND = 50
_STEPS = 40
_LONGEST_STEP = 2.0
_FARTHEST = 30.0


class _Tree(NamedTuple):
    """A symmetric tree: one split a level, in all leaves alike (Prokhorenkova et al. 2018, "CatBoost", section 4)."""

    splits: tuple[tuple[int, int], ...]
    values: Floats


def chance(logit: Floats) -> Floats:
    """The probability of a log-odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -_FARTHEST, _FARTHEST))))


def row_losses(truth: Floats, margin: Floats, *, logistic: bool) -> Floats:
    """Log loss of each row if ``margin`` is a log-odds, else its squared error."""
    if logistic:
        return np.asarray(np.logaddexp(0.0, margin) - truth * margin)
    return np.asarray((truth - margin) ** 2)


def fit_ridge(
    matrix: Floats, truth: Floats, offset: Floats, *, logistic: bool, penalty: float = 1.0, weight: Floats | None = None
) -> Floats:
    """Weights of the columns of ``matrix`` beside ``offset``: least squares, or logistic by reweighted least squares.

    The first column is the intercept and is not held back. ``weight`` says how often each row counts.
    """
    counts = np.ones(len(truth)) if weight is None else weight
    ridge = np.full(matrix.shape[1], penalty)
    ridge[0] = 1e-9
    weights = np.zeros(matrix.shape[1])
    for _ in range(_STEPS if logistic else 1):
        margin = offset + matrix @ weights
        share = chance(margin) if logistic else margin
        curvature = counts * (np.maximum(share * (1 - share), 1e-6) if logistic else 1.0)
        gradient = matrix.T @ (counts * (truth - share)) - ridge * weights
        step = np.linalg.solve((matrix * curvature[:, None]).T @ matrix + np.diag(ridge), gradient)
        longest = float(np.abs(step).max())
        weights = weights + step * min(1.0, _LONGEST_STEP / max(longest, 1e-12) if logistic else 1.0)
        if longest < 1e-6:
            break
    return weights


def recalibrated(truth: Floats, margin: Floats, others: Floats, *, logistic: bool) -> Floats:
    """Margins ``others`` as another level, slope and two bends of ``margin`` tell the outcome."""
    bends = np.quantile(margin, [1 / 3, 2 / 3])
    weights = fit_ridge(_basis(margin, margin, bends), truth, margin, logistic=logistic)
    return np.asarray(others + _basis(others, margin, bends) @ weights)


def _basis(margin: Floats, known: Floats, bends: Floats) -> Floats:
    """Intercept, slope and two bends, in units of the spread; values beyond those known go on as at the last one."""
    spread = float(known.std()) or 1.0
    inside = np.clip(margin, known.min(), known.max())
    line = (inside - known.mean()) / spread
    return np.column_stack([np.ones(len(margin)), line, *(np.maximum(inside - bend, 0) / spread for bend in bends)])


@dataclasses.dataclass(frozen=True)
class Correction:
    """What features add to a margin: the mean of a ridge and of a booster, so that lines and corners are both seen."""

    weights: Floats
    edges: tuple[Floats, ...]
    trees: tuple[_Tree, ...]

    def add(self, matrix: Floats) -> Floats:
        """The amount to add to the margin of each row."""
        line = _with_one(matrix) @ self.weights
        codes = _codes(matrix, self.edges)
        steps = np.zeros(len(matrix))
        for tree in self.trees:
            steps += _RATE * tree.values[_leaves(codes, tree.splits)]
        return np.asarray((line + steps) / 2)


def fit_correction(matrix: Floats, truth: Floats, margin: Floats, *, logistic: bool) -> Correction:
    """Fit what standardised features, shape (rows, columns), say about the outcome beyond ``margin``.

    The booster takes as many rounds as the rows can bear, at most 40, of trees of depth 3 over 16 bins a feature.
    """
    weights = fit_ridge(_with_one(matrix), truth, margin, logistic=logistic, penalty=_LEAF_RIDGE)
    levels = np.arange(1, _BINS) / _BINS
    edges = tuple(np.unique(np.quantile(column, levels)) for column in matrix.T)
    codes = _codes(matrix, edges)
    current, trees = margin.astype(np.float64), []
    scale = 1.0 if logistic else float(np.mean((truth - margin) ** 2)) or 1.0
    for _ in range(int(np.clip(len(truth) // _ROWS_A_ROUND, _FEWEST_ROUNDS, _MOST_ROUNDS)) if codes.size else 0):
        share = chance(current) if logistic else current
        curvature = np.maximum(share * (1 - share), 1e-6) if logistic else np.full(len(truth), 1.0)
        tree = _grow(codes, (truth - share) / np.sqrt(scale), curvature)
        tree = tree._replace(values=tree.values * np.sqrt(scale))
        trees.append(tree)
        current = current + _RATE * tree.values[_leaves(codes, tree.splits)]
    return Correction(weights, edges, tuple(trees))


def _with_one(matrix: Floats) -> Floats:
    return np.column_stack([np.ones(len(matrix)), matrix])


def _codes(matrix: Floats, edges: tuple[Floats, ...]) -> Codes:
    """The bin of every value; a value equal to an edge is in the bin below."""
    if not edges:
        return np.zeros((len(matrix), 0), dtype=np.int64)
    return np.column_stack([np.searchsorted(edge, column) for edge, column in zip(edges, matrix.T, strict=True)])


def _leaves(codes: Codes, splits: tuple[tuple[int, int], ...]) -> Codes:
    leaf = np.zeros(len(codes), dtype=np.int64)
    for column, place in splits:
        leaf = 2 * leaf + (codes[:, column] > place)
    return leaf


def _grow(codes: Codes, gradient: Floats, curvature: Floats) -> _Tree:
    """A symmetric tree whose splits take most off the loss, to second order (Chen and Guestrin 2016, equation 7)."""
    rows, columns = codes.shape
    leaf = np.zeros(rows, dtype=np.int64)
    splits: tuple[tuple[int, int], ...] = ()
    places = np.arange(columns)[None, :] * _BINS + codes
    pull, bend = np.repeat(gradient, columns), np.repeat(curvature, columns)
    for level in range(_DEPTH):
        keys = (leaf[:, None] * columns * _BINS + places).ravel()
        size = 2**level * columns * _BINS
        shape = (2**level, columns, _BINS)
        left = np.bincount(keys, pull, minlength=size).reshape(shape).cumsum(axis=-1)
        below = np.bincount(keys, bend, minlength=size).reshape(shape).cumsum(axis=-1)
        right, above = left[..., -1:] - left, below[..., -1:] - below
        gain = (left**2 / (below + _LEAF_RIDGE) + right**2 / (above + _LEAF_RIDGE)).sum(axis=0)
        column, place = divmod(int(gain[:, :-1].argmax()), _BINS - 1)
        splits = (*splits, (column, place))
        leaf = 2 * leaf + (codes[:, column] > place)
    total = np.bincount(leaf, gradient, minlength=2**_DEPTH)
    weight = np.bincount(leaf, curvature, minlength=2**_DEPTH)
    return _Tree(splits, np.asarray(total / (weight + _LEAF_RIDGE)))
