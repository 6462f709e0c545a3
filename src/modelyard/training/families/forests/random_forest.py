"""Random forests (Breiman, 2001): hard to get wrong, large to keep."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from modelyard.features import EncodingStyle
from modelyard.problem import Task
from modelyard.training.families.family import Dimension, FitData, Fitted
from modelyard.training.families.promises import Latency, Promises

__all__ = ["RandomForest"]


@dataclasses.dataclass(frozen=True)
class RandomForest:
    """Averaged deep trees on bootstrap samples.

    Parameters
    ----------
    trees
        Number of trees; the error only falls with it, and so does the speed.
    """

    trees: int = 150
    name: str = "random_forest"
    style: EncodingStyle = EncodingStyle.FOREST
    complexity: int = 2
    most_rows: int | None = None
    promises: ClassVar[Promises] = Promises(Latency.MODERATE, sample_weights=True, monotone=True)

    def defaults(self, task: Task) -> Mapping[str, Any]:
        """Small leaves averaged out, for smooth probabilities; leaves are capped so that the model stays loadable."""
        return {
            "n_estimators": self.trees,
            "min_samples_leaf": 5 if task.is_classification else 2,
            "max_features": "sqrt" if task.is_classification else 0.5,
            "max_leaf_nodes": 15_000,
        }

    def space(self, task: Task) -> Mapping[str, Dimension]:  # noqa: ARG002
        """Nothing: forests gain least from tuning (Probst, Boulesteix and Bischl, 2019), and cost most."""
        return {}

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        """Nothing, as there is no space."""
        return ()

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:  # noqa: ARG002
        """Fit in one thread."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        kind = RandomForestClassifier if data.task.is_classification else RandomForestRegressor
        estimator = kind(**params, n_jobs=1, random_state=seed, monotonic_cst=data.monotone)
        return Fitted(estimator.fit(data.matrix, data.target, sample_weight=data.weight))
