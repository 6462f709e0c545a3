"""Logistic regression and ridge regression: the simple model that everything else has to beat."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from modelyard.features import EncodingStyle
from modelyard.problem import Task
from modelyard.training.families.family import Dimension, FitData, Fitted
from modelyard.training.families.promises import Latency, Promises

__all__ = ["Linear"]


@dataclasses.dataclass(frozen=True)
class Linear:
    """Penalised linear models on standardised features.

    ``C`` is the inverse strength of the squared penalty for classes, as in scikit-learn; ``alpha`` is the strength of
    ridge regression's.
    """

    name: str = "linear"
    style: EncodingStyle = EncodingStyle.LINEAR
    complexity: int = 1
    most_rows: int | None = None
    promises: ClassVar[Promises] = Promises(Latency.FAST, sample_weights=True)

    def defaults(self, task: Task) -> Mapping[str, Any]:
        """A mild penalty."""
        return {"C": 1.0} if task.is_classification else {"alpha": 1.0}

    def space(self, task: Task) -> Mapping[str, Dimension]:
        """The penalty alone."""
        if task.is_classification:
            return {"C": Dimension(1e-3, 1e2, log=True)}
        return {"alpha": Dimension(1e-2, 1e4, log=True)}

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:
        """Stronger penalties, for many features and few rows."""
        return ({"C": 0.1}, {"C": 0.01}) if task.is_classification else ({"alpha": 10.0}, {"alpha": 100.0})

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:  # noqa: ARG002
        """Fit; the optimum is unique, so the seed plays no role."""
        from sklearn.linear_model import LogisticRegression, Ridge

        estimator = LogisticRegression(max_iter=1_000, **params) if data.task.is_classification else Ridge(**params)
        return Fitted(estimator.fit(data.matrix, data.target, sample_weight=data.weight))
