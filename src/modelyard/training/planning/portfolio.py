"""Proven configurations in the order in which they are tried when there is a time budget.

First what is cheap and different, then what is likely to be best, then what adds variety to a blend. The LightGBM
points are from AutoGluon's portfolio learnt on TabArena (2025), with faster learning so that a thousand rounds suffice;
the order follows TabArena's error against training time (2025).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from modelyard.problem import Task

__all__ = ["PORTFOLIO", "PROVEN", "Entry", "entries"]

Entry = tuple[str, Mapping[str, Any] | int | None]
"""A family, and what to change of its defaults: nothing, a point of its own portfolio, or a configuration."""

_LIGHTGBM_RANDOM_SPLITS = {
    "learning_rate": 0.035,
    "num_leaves": 39,
    "min_child_samples": 3,
    "subsample": 0.88,
    "colsample_bytree": 0.46,
    "reg_alpha": 0.24,
    "reg_lambda": 0.36,
    "extra_trees": True,
}
_LIGHTGBM_QUICK = {
    "learning_rate": 0.031,
    "num_leaves": 24,
    "min_child_samples": 1,
    "subsample": 0.78,
    "colsample_bytree": 0.49,
    "reg_alpha": 0.64,
    "reg_lambda": 0.58,
}
_LIGHTGBM_CAUTIOUS = {
    "learning_rate": 0.027,
    "num_leaves": 20,
    "min_child_samples": 2,
    "subsample": 0.71,
    "colsample_bytree": 0.43,
    "reg_alpha": 0.51,
    "reg_lambda": 0.51,
}
_LIGHTGBM_WIDE = {
    "learning_rate": 0.025,
    "num_leaves": 84,
    "min_child_samples": 3,
    "subsample": 0.98,
    "colsample_bytree": 0.53,
    "reg_alpha": 0.027,
    "reg_lambda": 0.84,
}
_LIGHTGBM_WIDE_RANDOM = {
    "learning_rate": 0.035,
    "num_leaves": 180,
    "min_child_samples": 12,
    "subsample": 0.95,
    "colsample_bytree": 0.40,
    "reg_alpha": 0.77,
    "reg_lambda": 1.6,
    "extra_trees": True,
}
_LIGHTGBM_SMALL = {
    "learning_rate": 0.03,
    "num_leaves": 8,
    "min_child_samples": 24,
    "subsample": 0.81,
    "colsample_bytree": 0.94,
    "reg_lambda": 1e-3,
}
_LIGHTGBM_STUMPS = {
    "learning_rate": 0.06,
    "num_leaves": 2,
    "min_child_samples": 20,
    "subsample": 0.9,
    "colsample_bytree": 0.59,
    "reg_lambda": 1e-3,
}
_XGBOOST_DEEP = {
    "learning_rate": 0.03,
    "max_depth": 9,
    "min_child_weight": 2.0,
    "subsample": 0.84,
    "colsample_bylevel": 0.58,
    "reg_lambda": 1.0,
    "reg_alpha": 1.1,
}

PORTFOLIO: tuple[Entry, ...] = (
    ("linear", None),
    ("shallow_tree", None),
    ("lightgbm", None),
    ("catboost", None),
    ("realmlp", None),
    ("lightgbm", _LIGHTGBM_QUICK),
    ("extra_trees", None),
    ("lightgbm", 0),
    ("xgboost", None),
    ("mlp", None),
    ("lightgbm", _LIGHTGBM_RANDOM_SPLITS),
    ("svm", None),
    ("random_forest", None),
    ("lightgbm", _LIGHTGBM_CAUTIOUS),
    ("lightgbm", _LIGHTGBM_WIDE),
    ("catboost", 0),
    ("xgboost", 0),
    ("lightgbm", _LIGHTGBM_WIDE_RANDOM),
    ("linear", 0),
    ("lightgbm", _LIGHTGBM_SMALL),
    ("xgboost", _XGBOOST_DEEP),
    ("realmlp", 0),
    ("ebm", None),
    ("lightgbm", 1),
    ("lightgbm", _LIGHTGBM_STUMPS),
)

PROVEN = frozenset(family for family, _ in PORTFOLIO)
"""The families of the portfolio."""


def entries(families: Mapping[str, Any], task: Task) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, family and configuration of each candidate; families that the portfolio does not know come last."""
    count: dict[str, int] = {}
    strangers = [(name, None) for name in families if name not in PROVEN]
    for name, change in (*PORTFOLIO, *strangers):
        if name not in families:
            continue
        point = _point(families[name], change, task)
        if point is None:
            continue
        count[name] = count.get(name, 0) + 1
        yield name if count[name] == 1 else f"{name}-{count[name]}", name, point


def _point(family: Any, change: Mapping[str, Any] | int | None, task: Task) -> dict[str, Any] | None:
    """The configuration of an entry; None if the family has no such point."""
    defaults = dict(family.defaults(task))
    if change is None:
        return defaults
    if isinstance(change, int):
        points = family.portfolio(task)
        return {**defaults, **points[change]} if change < len(points) else None
    return {**defaults, **change}
