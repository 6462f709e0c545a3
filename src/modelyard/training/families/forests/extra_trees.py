"""Extremely randomised trees (Geurts, Ernst and Wehenkel, 2006): forests that also draw their thresholds."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from modelyard.features import EncodingStyle
from modelyard.problem import Task
from modelyard.training.families.family import Dimension, FitData, Fitted, seed_31
from modelyard.training.families.promises import Latency, Promises

__all__ = ["ExtraTrees"]


@dataclasses.dataclass(frozen=True)
class ExtraTrees:
    """Averaged deep trees on all rows, split at random thresholds: quicker to fit than a forest, and smoother.

    Parameters
    ----------
    trees
        Number of trees.
    """

    trees: int = 200
    name: str = "extra_trees"
    style: EncodingStyle = EncodingStyle.FOREST
    complexity: int = 2
    most_rows: int | None = None
    promises: ClassVar[Promises] = Promises(Latency.MODERATE, sample_weights=True, monotone=True)

    def defaults(self, task: Task) -> Mapping[str, Any]:
        """Many features are looked at for values, few for classes, as the authors advise; leaves of two rows or more."""
        return {
            "n_estimators": self.trees,
            "min_samples_leaf": 2,
            "max_features": "sqrt" if task.is_classification else 0.75,
            "max_leaf_nodes": 15_000,
        }

    def space(self, task: Task) -> Mapping[str, Dimension]:  # noqa: ARG002
        """Nothing, as for forests."""
        return {}

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        """Nothing, as there is no space."""
        return ()

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:  # noqa: ARG002
        """Fit in one thread."""
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        kind = ExtraTreesClassifier if data.task.is_classification else ExtraTreesRegressor
        estimator = kind(**params, n_jobs=1, random_state=seed_31(seed), monotonic_cst=data.monotone)
        return Fitted(estimator.fit(data.matrix, data.target, sample_weight=data.weight))
