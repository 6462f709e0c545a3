"""Contributions that estimators can tell exactly: the libraries' own of boosted trees, and terms of linear and additive models."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from modelyard.evaluation.reasons.trees import tree_contributions, trees_of
from modelyard.problem import Task

__all__ = ["Attribution", "Encoded", "Method", "kind_of", "method_of", "method_of_family"]

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Attribution:
    """Contributions of columns, shape (rows, columns), and the score of an average row and of each row."""

    amounts: Array
    base: Array
    margin: Array
    scale: str
    exact: bool = True


@dataclasses.dataclass(frozen=True)
class Encoded:
    """Encoded rows, those that an average is taken over, and which of the estimator's outputs each row is explained for."""

    rows: Array
    background: Array
    outputs: npt.NDArray[np.intp]

    def part(self, start: int, stop: int) -> "Encoded":
        """The features from ``start`` to ``stop``."""
        rows, background = (np.ascontiguousarray(part[:, start:stop]) for part in (self.rows, self.background))
        return Encoded(rows, background, self.outputs)


Method: TypeAlias = Callable[[Any, Task, Encoded], Attribution | None]


def _scale(task: Task) -> str:
    return "value" if task is Task.REGRESSION else "log-odds"


def _lightgbm(estimator: Any, task: Task, encoded: Encoded) -> Attribution | None:
    booster = getattr(estimator, "booster_", None)
    if booster is None:
        return None
    raw = np.asarray(booster.predict(encoded.rows, pred_contrib=True), dtype=np.float64)
    width = encoded.rows.shape[1] + 1
    chosen = raw.reshape(len(raw), -1, width)[np.arange(len(raw)), encoded.outputs]
    return _of_tree(task, chosen)


def _xgboost(estimator: Any, task: Task, encoded: Encoded) -> Attribution | None:
    if not hasattr(estimator, "get_booster"):
        return None
    import xgboost

    raw = estimator.get_booster().predict(xgboost.DMatrix(encoded.rows), pred_contribs=True)
    raw = np.asarray(raw, dtype=np.float64)
    chosen = raw.reshape(len(raw), -1, encoded.rows.shape[1] + 1)[np.arange(len(raw)), encoded.outputs]
    return _of_tree(task, chosen)


def _catboost(estimator: Any, task: Task, encoded: Encoded) -> Attribution | None:
    if not hasattr(estimator, "get_feature_importance"):
        return None
    from catboost import Pool

    width = encoded.rows.shape[1] + 1
    raw = estimator.get_feature_importance(Pool(encoded.rows), type="ShapValues", thread_count=1)
    raw = np.asarray(raw, dtype=np.float64).reshape(len(encoded.rows), -1, width)
    return _of_tree(task, raw[np.arange(len(raw)), encoded.outputs])


def _ebm(estimator: Any, task: Task, encoded: Encoded) -> Attribution | None:
    """The terms themselves, against their mean over the background; exact by construction."""
    if not hasattr(estimator, "contributions"):
        return None
    rows, centre = (estimator.contributions(part) for part in (encoded.rows, encoded.background))
    chosen = (rows - centre.mean(axis=0))[np.arange(len(rows)), :, encoded.outputs]
    margin = estimator.sums(encoded.rows)[np.arange(len(rows)), encoded.outputs]
    return Attribution(chosen, margin - chosen.sum(axis=1), margin, _scale(task))


def _of_tree(task: Task, contributions: Array) -> Attribution:
    """TreeSHAP's last column is the base; the margin is the sum of all."""
    amounts, base = contributions[:, :-1], contributions[:, -1]
    return Attribution(amounts, base, contributions.sum(axis=1), _scale(task))


def _linear(estimator: Any, task: Task, encoded: Encoded) -> Attribution | None:
    """Coefficient times distance from the mean of the background; exact, if features are taken as independent."""
    if not hasattr(estimator, "coef_"):
        return None
    coefficients = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
    intercepts = np.atleast_1d(np.asarray(estimator.intercept_, dtype=np.float64))
    of_row = coefficients[encoded.outputs]
    centre = encoded.background.mean(axis=0)
    base = of_row @ centre + intercepts[encoded.outputs]
    amounts = of_row * (encoded.rows - centre)
    return Attribution(amounts, base, base + amounts.sum(axis=1), _scale(task))


def _scikit_trees(estimator: Any, task: Task, encoded: Encoded) -> Attribution | None:
    """The share of the explained class, or the value; of two classes the second is the positive one."""
    trees = trees_of(estimator)
    if not trees:
        return None
    outputs = encoded.outputs + (task is Task.BINARY)
    found = _of_tree(task, tree_contributions(trees, encoded.rows, outputs))
    return dataclasses.replace(found, scale="value" if task is Task.REGRESSION else "probability")


_OF_FAMILIES: dict[str, Method] = {
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "catboost": _catboost,
    "ebm": _ebm,
    "linear": _linear,
    "elastic_net": _linear,
    "decision_tree": _scikit_trees,
    "shallow_tree": _scikit_trees,
    "extra_trees": _scikit_trees,
    "random_forest": _scikit_trees,
}
_SIGNS: dict[str, Method] = {
    "booster_": _lightgbm,
    "get_booster": _xgboost,
    "get_feature_importance": _catboost,
    "contributions": _ebm,
    "tree_": _scikit_trees,
    "estimators_": _scikit_trees,
    "coef_": _linear,
}
_KINDS: dict[Method, str] = {_ebm: "additive models", _linear: "linear models"}


def method_of_family(family: str, estimator: Any) -> Method | None:
    """The method of a family's estimator; None if it has none, or is a forest that is too large."""
    method = _OF_FAMILIES.get(family)
    return None if method is _scikit_trees and not trees_of(estimator) else method


def method_of(estimator: Any) -> Method | None:
    """The method of an estimator whose family is not known; whether its amounts add up is for the caller to see."""
    method = next((method for name, method in _SIGNS.items() if hasattr(estimator, name)), None)
    return None if method is _scikit_trees and not trees_of(estimator) else method


def kind_of(method: Method) -> str:
    """Of what a method is exact."""
    return _KINDS.get(method, "trees")
