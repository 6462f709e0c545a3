"""CatBoost's oblivious trees: one comparison a level, whose answers are the bits of the leaf's number.

``import catboost`` takes a second and loads pandas; the trees are small tables that NumPy reads faster than the library
answers a single row.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from modelyard.packaging.predictors.files import damaged
from modelyard.packaging.predictors.linear import LinearPredictor, Link
from modelyard.packaging.predictors.predictor import DOUBLE_TOLERANCE, Matrix
from modelyard.packaging.predictors.tables.coalitions import LevelTrees, add_shapley_values, coalition_work
from modelyard.packaging.predictors.tables.written import read_tables, write_tables

__all__ = ["ObliviousPredictor", "ObliviousTrees", "oblivious_trees"]

_FILE = "oblivious.npz"
_TYPES = {
    "feature": np.int64,
    "border": np.float64,
    "missing_above": np.bool_,
    "places": np.int64,
    "starts": np.int64,
    "leaves": np.float64,
    "base": np.float64,
}
_WEIGHTS = "weights"
_MOST_LEVELS = 10
"""Deeper trees are sampled: each level doubles the coalitions."""

_WORD = 16
"""Bits of a leaf's number; CatBoost allows 16 levels."""

_STEPS_AT_ONCE = 1 << 21  # rows times comparisons: some MB of booleans


@dataclasses.dataclass(frozen=True)
class ObliviousTrees:
    """All trees, as tables.

    Parameters
    ----------
    feature, border, missing_above
        By distinct comparison: the feature, the value that it must exceed, and whether a missing value does.
    places
        Which comparison stands at a level of a tree, shape (trees, levels); -1 beyond a tree's depth, where the bit is 0.
    starts
        By tree: where its leaves begin.
    leaves
        Shape (leaves, outputs).
    base
        Added to the sum of the leaves, shape (outputs,).
    features
        Number of features of a row.
    weights
        Weight of the training rows that reached each leaf, shape (leaves,); None where nobody kept it.
    """

    feature: npt.NDArray[np.int64]
    border: Matrix
    missing_above: npt.NDArray[np.bool_]
    places: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    leaves: Matrix
    base: Matrix
    features: int
    weights: Matrix | None = None


class ObliviousPredictor:
    """The sum over trees, and the link.

    CatBoost holds features and borders in single precision and adds leaves in double precision; so does this.

    Parameters
    ----------
    trees
        The tables.
    link
        From the sum to the output.

    Raises
    ------
    ValueError
        If the tables do not fit together.
    """

    kind: ClassVar[str] = "oblivious"
    tolerance: ClassVar[float] = DOUBLE_TOLERANCE

    def __init__(self, trees: ObliviousTrees, link: Link) -> None:
        _check(trees)
        self._trees = trees
        self._link = Link(link)
        self._last = LinearPredictor(np.eye(len(trees.base)), np.zeros(len(trees.base)), self._link)
        # The last comparison is never true: it stands beyond a tree's depth.
        self._feature = np.append(trees.feature, 0)
        self._border = np.append(trees.border, np.inf)
        self._missing_above = np.append(trees.missing_above, False)
        levels = trees.places.shape[1]
        self._bits = 8 if levels <= 8 else _WORD
        padded = np.full((len(trees.places), self._bits), -1)
        padded[:, :levels] = trees.places
        self._places = padded.ravel() % len(self._feature)

    @property
    def features(self) -> int | None:
        """Number of features of a row."""
        return self._trees.features

    @property
    def outputs(self) -> int:
        """1, or the number of classes."""
        return len(self._trees.base)

    def predict_row(self, features: list[float]) -> list[float]:
        """Outputs of one row."""
        sums: list[float] = self._sums(np.array([features]))[0].tolist()
        return self._last.predict_row(sums)

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """Outputs of many rows, shape (rows, outputs)."""
        chunk = max(1, _STEPS_AT_ONCE // len(self._places))
        sums = np.empty((len(matrix), self.outputs))
        for start in range(0, len(matrix), chunk):
            sums[start : start + chunk] = self._sums(matrix[start : start + chunk])
        return self._last.predict_matrix(sums)

    def contributions(self, matrix: Matrix, background: Matrix) -> Matrix | None:
        """Shapley values by feature and the base in the last place, shape (rows, outputs, features + 1).

        The game is TreeSHAP's, sums are those before the link, and the background is CatBoost's own: the rows that each
        tree learned from. None where the package does not hold their shares, as older ones do not, or trees are deep.
        """
        del background
        trees = self._trees
        if trees.weights is None or trees.places.shape[1] > _MOST_LEVELS:
            return None
        found = np.zeros((trees.features + 1, self.outputs, len(matrix)))
        found[-1] = trees.base[:, np.newaxis]
        above = self._above(matrix)
        depths = (trees.places >= 0).sum(axis=1)
        for depth in np.unique(depths).tolist():
            own = np.flatnonzero(depths == depth)
            levels = trees.places[own, :depth]
            places = trees.starts[own, np.newaxis] + np.arange(1 << depth)
            part = LevelTrees(trees.feature[levels], trees.leaves[places], trees.weights[places])
            add_shapley_values(found, part, above[:, levels])
        return np.ascontiguousarray(found.transpose(2, 1, 0))

    @property
    def explaining_work(self) -> int:
        """Steps that the reasons for a row take."""
        return coalition_work((self._trees.places >= 0).sum(axis=1)) * self.outputs

    def _sums(self, matrix: Matrix) -> Matrix:
        """What the leaves of all trees add up to, shape (rows, outputs)."""
        words = np.packbits(self._above(matrix).take(self._places, axis=1), axis=1, bitorder="little")
        leaf = words if self._bits == 8 else words.view("<u2")
        reached = self._trees.leaves.take(leaf + self._trees.starts, axis=0)
        return np.asarray(reached.sum(axis=1) + self._trees.base)

    def _above(self, matrix: Matrix) -> npt.NDArray[np.bool_]:
        """The answer of every comparison, and of the one that is never true, shape (rows, comparisons + 1)."""
        with np.errstate(over="ignore"):
            values = matrix.astype(np.float32).take(self._feature, axis=1)
        above = np.asarray(values > self._border)
        gaps = np.isnan(values)
        if gaps.any():
            above |= gaps & self._missing_above
        return above

    def to_files(self) -> dict[str, bytes]:
        """One archive."""
        return write_tables(_FILE, self._trees, self._link)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote; leaves that cannot be reached by number are refused."""
        try:
            fields, link = read_tables(files, _FILE, _TYPES, (_WEIGHTS,))
            return cls(ObliviousTrees(**fields), link)
        except (IndexError, ValueError) as error:
            raise damaged(_FILE, repr(error)) from error


def _check(trees: ObliviousTrees) -> None:
    """Refuse tables that point outside of each other."""
    splits = len(trees.feature)
    if not len(trees.border) == len(trees.missing_above) == splits:
        raise ValueError("one feature, border and direction for each comparison are needed")
    if trees.places.ndim != 2 or trees.places.shape[1] > _WORD or len(trees.starts) != len(trees.places):
        raise ValueError("up to 16 levels and one start for each tree are needed")
    if trees.leaves.ndim != 2 or trees.base.shape != trees.leaves.shape[1:]:
        raise ValueError("as many bases as outputs are needed")
    if splits and (trees.feature.min() < 0 or trees.feature.max() >= trees.features):
        raise ValueError("a comparison looks outside the row")
    if trees.places.size and (trees.places.min() < -1 or trees.places.max() >= splits):
        raise ValueError("a level has no comparison")
    highest = trees.starts + ((trees.places >= 0) << np.arange(trees.places.shape[1])).sum(axis=1)
    if len(highest) and (trees.starts.min() < 0 or highest.max() >= len(trees.leaves)):
        raise ValueError("a leaf is missing")
    if trees.weights is not None and (len(trees.weights) != len(trees.leaves) or (trees.weights < 0).any()):
        raise ValueError("a weight of each leaf is needed, none below 0")


def oblivious_trees(model: Mapping[str, Any]) -> ObliviousTrees:
    """The tables of a model that CatBoost saved as JSON, all of whose features are numbers.

    Parameters
    ----------
    model
        The parsed file. Levels are stored from the lowest bit of the leaf's number to the highest.
    """
    described = model["features_info"]["float_features"]
    flat = {item["feature_index"]: item["flat_feature_index"] for item in described}
    above = {item["feature_index"]: item["nan_value_treatment"] == "AsTrue" for item in described}
    scale, base = model["scale_and_bias"]
    trees = model["oblivious_trees"]
    levels = [[(split["float_feature_index"], split["border"]) for split in tree["splits"] or ()] for tree in trees]
    leaves = [np.reshape(tree["leaf_values"], (-1, len(base))) for tree in trees]
    weights = [np.asarray(tree.get("leaf_weights", ()), dtype=np.float64) for tree in trees]
    ends = np.cumsum([0, *(len(part) for part in leaves)])
    splits = {split: place for place, split in enumerate(dict.fromkeys(itertools.chain.from_iterable(levels)))}
    places = np.full((len(trees), max(map(len, levels), default=0)), -1)
    for row, tree in zip(places, levels, strict=True):
        row[: len(tree)] = [splits[split] for split in tree]
    return ObliviousTrees(
        feature=np.array([flat[feature] for feature, _ in splits], dtype=np.int64),
        border=np.array([border for _, border in splits], dtype=np.float64),
        missing_above=np.array([above[feature] for feature, _ in splits], dtype=bool),
        places=places,
        starts=ends[:-1],
        leaves=np.concatenate([np.empty((0, len(base))), *leaves]) * scale,
        base=np.array(base, dtype=np.float64),
        features=max(item["flat_feature_index"] for item in described) + 1,
        weights=_all_weights(weights, leaves),
    )


def _all_weights(weights: Sequence[Matrix], leaves: Sequence[Matrix]) -> Matrix | None:
    """The weights of all leaves; None if some were not saved."""
    if any(len(part) != len(own) for part, own in zip(weights, leaves, strict=True)):
        return None
    return np.concatenate([np.empty(0), *weights])
