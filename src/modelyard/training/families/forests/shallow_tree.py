"""A tree of three questions: a simple model beside the linear one, which every later figure is held against."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.problem import Task
from modelyard.training.families.family import Dimension
from modelyard.training.families.forests.decision_tree import DecisionTree

__all__ = ["ShallowTree"]


@dataclasses.dataclass(frozen=True)
class ShallowTree(DecisionTree):
    """One tree of depth three: at most eight rules, each of three conditions."""

    name: str = "shallow_tree"

    def defaults(self, task: Task) -> Mapping[str, Any]:  # noqa: ARG002
        """Three levels, and no leaf of a handful of rows."""
        return {"max_depth": 3, "min_samples_leaf": 20}

    def space(self, task: Task) -> Mapping[str, Dimension]:  # noqa: ARG002
        """The size of its leaves; deeper it would be another family."""
        return {"min_samples_leaf": Dimension(5, 200, whole=True, log=True)}

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        """Firmer leaves."""
        return ({"min_samples_leaf": 60},)
