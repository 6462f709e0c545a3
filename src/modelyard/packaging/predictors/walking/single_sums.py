"""XGBoost's answer to one row from the leaves that it reaches, by the sums that XGBoost itself makes."""

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.packaging.predictors.walking.trees import TreeNodes
from modelyard.packaging.predictors.walking.walker import Walker, walker_of

__all__ = ["SingleSums", "single_sums"]

Single = npt.NDArray[np.float32]

_LOGISTIC = "binary:logistic"
_VALUES = ("reg:squarederror", "reg:absoluteerror")
_PROBES, _GAPS = 32, 0.1
_LARGEST_EXPONENT = 88.7  # XGBoost's own bound: beyond it a float overflows


class SingleSums:
    """The leaves' values added up in single precision, in the order of the trees, and the logistic function of that.

    Parameters
    ----------
    walker
        Finds the leaves.
    values
        By leaf, the trees' leaves one after the other.
    base
        What the sum starts from.
    exponential
        The C function ``expf``; None for sums that are answers themselves.
    probes
        Rows that stand where the trees decide, for who wants to compare.
    """

    def __init__(
        self,
        walker: Walker,
        values: Single,
        base: np.float32,
        exponential: Any | None,
        *,
        probes: npt.NDArray[np.float64],
    ) -> None:
        self.probes = probes
        self._walker = walker
        self._values = values
        self._base = base
        self._exponential = exponential

    def predict_row(self, row: list[float]) -> list[float]:
        """The output of one row."""
        reached = self._values.take(self._walker.leaves_of(row))
        reached[0] += self._base
        total = np.add.accumulate(reached)[-1]
        if self._exponential is None:
            return [float(total)]
        power = np.float32(self._exponential(min(float(-total), _LARGEST_EXPONENT)))
        return [float(_ONE / (_ONE + power))]


_ONE = np.float32(1)


def single_sums(model: Mapping[str, Any], rounds: int, library: ctypes.CDLL) -> SingleSums | None:
    """The sums of a model with one output; None for one that is not made so, or is written in another way.

    Parameters
    ----------
    model
        XGBoost's own JSON, parsed.
    rounds
        Boosting rounds to use; 0 for all.
    library
        XGBoost's shared library: its ``expf`` and ``logf`` are those that it answers with.
    """
    try:
        if not _is_plain(model["learner"]):
            return None
        return _sums(model["learner"], rounds, library)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):  # no such function, or another layout
        return None


def _is_plain(learner: Mapping[str, Any]) -> bool:
    """Trees of numbers with one value in each leaf, and one output, by a link that is known here."""
    settings, booster = learner["learner_model_param"], learner["gradient_booster"]
    outputs = int(settings["num_class"]), int(settings["num_target"])
    if booster["name"] != "gbtree" or outputs not in ((0, 1), (1, 1)):
        return False
    if learner["objective"]["name"] not in (_LOGISTIC, *_VALUES):
        return False
    return not any(
        any(tree["split_type"]) or int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in booster["model"]["trees"]
    )


def _sums(learner: Mapping[str, Any], rounds: int, library: ctypes.CDLL) -> SingleSums | None:
    """The sums of a plain model."""
    model = learner["gradient_booster"]["model"]
    trees = model["trees"][: model["iteration_indptr"][rounds] if rounds else None]
    nodes = [_nodes(tree) for tree in trees]
    features = int(learner["learner_model_param"]["num_feature"])
    walker = walker_of(nodes, features)
    if walker is None:
        return None
    probes = _probes(nodes, features)
    values = np.concatenate(
        [_singles(tree["split_conditions"])[own.leaves] for tree, own in zip(trees, nodes, strict=True)]
    )
    base = np.float32(learner["learner_model_param"]["base_score"].strip("[]"))
    if learner["objective"]["name"] != _LOGISTIC:
        return SingleSums(walker, values, base, None, probes=probes)
    margin = np.float32(-_function(library, "logf")(_ONE / base - _ONE))
    return SingleSums(walker, values, margin, _function(library, "expf"), probes=probes)


def _nodes(tree: Mapping[str, Any]) -> TreeNodes:
    """XGBoost's own arrays of a tree; below a threshold is at most the number before it."""
    conditions = _singles(tree["split_conditions"])
    return TreeNodes(
        feature=np.array(tree["split_indices"], dtype=np.int32),
        threshold=np.nextafter(conditions, np.float32(-np.inf)).astype(np.float64),
        left=np.array(tree["left_children"], dtype=np.int32),
        right=np.array(tree["right_children"], dtype=np.int32),
        missing_left=np.array(tree["default_left"], dtype=np.bool_),
    )


def _probes(trees: Sequence[TreeNodes], features: int) -> npt.NDArray[np.float64]:
    """Rows whose numbers are thresholds of their feature, or next to one; and some gaps."""
    random = np.random.default_rng(0)
    rows = np.zeros((_PROBES, features))
    asked = np.concatenate([tree.feature[tree.left >= 0] for tree in trees])
    thresholds = np.concatenate([tree.threshold[tree.left >= 0] for tree in trees]).astype(np.float32)
    for feature in np.unique(asked).tolist():
        own = random.choice(thresholds[asked == feature], _PROBES)
        rows[:, feature] = np.where(random.random(_PROBES) < 0.5, own, np.nextafter(own, np.float32(np.inf)))
    rows[random.random(rows.shape) < _GAPS] = np.nan
    return rows


def _singles(numbers: list[float]) -> Single:
    return np.array(numbers, dtype=np.float32)


def _function(library: ctypes.CDLL, name: str) -> Any:
    """A function of C's mathematics, from one float to another."""
    function = getattr(library, name)
    function.argtypes, function.restype = [ctypes.c_float], ctypes.c_float
    return function
