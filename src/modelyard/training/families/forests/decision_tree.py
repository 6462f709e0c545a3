"""A single decision tree (Breiman et al., 1984): small enough to be read."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from modelyard.features import EncodingStyle
from modelyard.problem import Task
from modelyard.training.families.family import Dimension, FitData, Fitted, seed_31
from modelyard.training.families.promises import Latency, Promises

__all__ = ["DecisionTree"]


@dataclasses.dataclass(frozen=True)
class DecisionTree:
    """One tree of few leaves, grown best split first."""

    name: str = "decision_tree"
    style: EncodingStyle = EncodingStyle.FOREST
    complexity: int = 1
    most_rows: int | None = None
    promises: ClassVar[Promises] = Promises(Latency.FAST, sample_weights=True, monotone=True)

    def defaults(self, task: Task) -> Mapping[str, Any]:  # noqa: ARG002
        """As many leaves as fit on a page, none of them of a handful of rows."""
        return {"max_leaf_nodes": 32, "min_samples_leaf": 20}

    def space(self, task: Task) -> Mapping[str, Dimension]:  # noqa: ARG002
        """The size of the tree, and of its leaves."""
        return {
            "max_leaf_nodes": Dimension(4, 256, whole=True, log=True),
            "min_samples_leaf": Dimension(2, 200, whole=True, log=True),
        }

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        """A smaller tree, and a larger one with firm leaves."""
        return (
            {"max_leaf_nodes": 12, "min_samples_leaf": 10},
            {"max_leaf_nodes": 96, "min_samples_leaf": 40},
        )

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:  # noqa: ARG002
        """Fit; the seed decides between splits that are equally good."""
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        kind = DecisionTreeClassifier if data.task.is_classification else DecisionTreeRegressor
        estimator = kind(**params, random_state=seed_31(seed), monotonic_cst=data.monotone)
        estimator.fit(data.matrix, data.target, sample_weight=data.weight)
        if data.task.is_classification:
            _soften(estimator.tree_, alike=data.monotone is not None)
        return Fitted(estimator)


def _soften(tree: Any, *, alike: bool) -> None:
    """Move the class shares of every node towards those of all rows, by the weight of one row, in place.

    A leaf of one class says that the others are impossible, which some rows of one class do not show: a single mistake would cost
    a log loss of 36. This is Cestnik's m-estimate with m = 1 (1990), which keeps the order of leaves but for ties, as Provost and
    Domingos (2003) advise for trees that are asked for probabilities. ``alike`` moves all nodes by the same part, one row among all,
    which keeps the order, and so a monotone constraint.
    """
    rows, shares = tree.weighted_n_node_samples, tree.value
    rows = rows[0] if alike else rows[:, np.newaxis, np.newaxis]
    shares[:] = (rows * shares + shares[:1]) / (rows + 1)
