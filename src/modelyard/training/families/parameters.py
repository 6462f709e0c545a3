"""Which parameters the families that ship know, and which values these can have."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from modelyard.problem import Task
from modelyard.training.families.custom import CustomFamily
from modelyard.training.families.family import Family
from modelyard.training.families.registry import FAMILIES

__all__ = ["Bound", "impossible", "known_parameters"]


@dataclasses.dataclass(frozen=True)
class Bound:
    """The numbers that a parameter can be.

    Parameters
    ----------
    low, high
        Bounds.
    whole
        True for integers.
    open
        True if the lower bound itself is not allowed.
    """

    low: float = 0.0
    high: float = math.inf
    whole: bool = False
    open: bool = False

    @property
    def words(self) -> str:
        """As a sentence says it: a number above 0, a whole number from 2 to 16."""
        kind = "a whole number" if self.whole else "a number"
        until = "" if math.isinf(self.high) else f" to {self.high:g}"
        return f"{kind} {'above' if self.open else 'from'} {self.low:g}{until}"

    def holds(self, value: Any) -> bool:
        """True if the parameter can be this."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return False
        above = value > self.low if self.open else value >= self.low
        return above and value <= self.high and (not self.whole or isinstance(value, int))


_POSITIVE, _NOT_NEGATIVE = Bound(open=True), Bound()
_SHARE = Bound(high=1, open=True)
_COUNT, _PAIR = Bound(1, whole=True), Bound(2, whole=True)

_BOUNDS: Mapping[str, Bound] = {
    **dict.fromkeys(("C", "strength", "sharpness", "learning_rate", "learning_rate_init"), _POSITIVE),
    **dict.fromkeys(("alpha", "reg_alpha", "reg_lambda", "l2_leaf_reg", "gamma", "min_split_gain"), _NOT_NEGATIVE),
    **dict.fromkeys(
        ("min_child_weight", "random_strength", "path_smooth", "ccp_alpha", "var_smoothing"), _NOT_NEGATIVE
    ),
    **dict.fromkeys(("subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode", "rsm"), _SHARE),
    **dict.fromkeys(("n_estimators", "neighbours", "width", "min_samples_leaf", "min_data_in_leaf"), _COUNT),
    **dict.fromkeys(("num_leaves", "max_leaf_nodes", "max_bin", "max_leaves"), _PAIR),
    "depth": Bound(1, 16, whole=True),
    "l1_ratio": Bound(high=1),
    "max_depth": _COUNT,
    "min_child_samples": Bound(whole=True),
}
"""By name: a parameter means the same in all families that have it."""

_MORE: Mapping[str, tuple[str, ...]] = {
    "decision_tree": ("max_depth", "max_features", "ccp_alpha"),
    "shallow_tree": ("max_features", "ccp_alpha"),
    "random_forest": ("max_depth", "ccp_alpha"),
    "extra_trees": ("max_depth", "ccp_alpha"),
    "lightgbm": (
        "max_depth",
        "reg_alpha",
        "extra_trees",
        "min_child_weight",
        "min_split_gain",
        "max_bin",
        "path_smooth",
    ),
    "xgboost": ("reg_alpha", "gamma", "colsample_bytree", "colsample_bynode", "max_bin"),
    "catboost": ("rsm", "min_data_in_leaf"),
}
"""Beside those of a family's default configuration and of its space."""


def known_parameters(family: Family, task: Task) -> tuple[str, ...] | None:
    """The names of a family's parameters; None if it takes any, as those of other packages may."""
    if isinstance(family, CustomFamily):
        return family.parameters()
    if family.name not in FAMILIES:
        return None
    points = (family.defaults(task), family.space(task), *family.portfolio(task))
    return tuple(dict.fromkeys([*(name for point in points for name in point), *_MORE.get(family.name, ())]))


def impossible(family: Family, name: str, value: Any) -> str:
    """What a parameter of a family that ships must be, if it cannot be this value; empty if it can, or nothing is known.

    >>> from modelyard.training.families.registry import FAMILIES
    >>> impossible(FAMILIES["lightgbm"], "subsample", 1.5)
    'a number above 0 to 1'
    >>> impossible(FAMILIES["lightgbm"], "num_leaves", 31)
    ''
    """
    bound = _BOUNDS.get(name) if family.name in FAMILIES else None
    return "" if bound is None or bound.holds(value) else bound.words
