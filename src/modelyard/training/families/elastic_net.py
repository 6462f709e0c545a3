"""Elastic net (Zou and Hastie, 2005): a linear model whose penalty also takes features out altogether."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from modelyard.features import EncodingStyle
from modelyard.problem import Task
from modelyard.training.families.family import Dimension, FitData, Fitted, seed_31
from modelyard.training.families.promises import Latency, Promises

__all__ = ["ElasticNet"]


@dataclasses.dataclass(frozen=True)
class ElasticNet:
    """Absolute and squared penalty mixed, on standardised features.

    ``C`` is the inverse strength for classes, ``strength`` the strength for values in units of the target's standard
    deviation; ``l1_ratio`` is the share of the absolute penalty.
    """

    name: str = "elastic_net"
    style: EncodingStyle = EncodingStyle.LINEAR
    complexity: int = 1
    most_rows: int | None = None
    promises: ClassVar[Promises] = Promises(Latency.FAST, sample_weights=True)

    def defaults(self, task: Task) -> Mapping[str, Any]:
        """Half and half, mild."""
        return {"C": 0.1, "l1_ratio": 0.5} if task.is_classification else {"strength": 1e-4, "l1_ratio": 0.5}

    def space(self, task: Task) -> Mapping[str, Dimension]:
        """Strength and mixture."""
        mixture = Dimension(0.05, 1.0)
        if task.is_classification:
            return {"C": Dimension(1e-3, 1e2, log=True), "l1_ratio": mixture}
        return {"strength": Dimension(1e-5, 0.3, log=True), "l1_ratio": mixture}

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:
        """The pure absolute penalty (Tibshirani's lasso, 1996), and a stronger mixture."""
        if task.is_classification:
            return ({"C": 0.1, "l1_ratio": 1.0}, {"C": 0.01, "l1_ratio": 0.5})
        return ({"strength": 0.003, "l1_ratio": 1.0}, {"strength": 0.03, "l1_ratio": 0.5})

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:  # noqa: ARG002
        """Fit: coordinates in turn for values, averaged stochastic gradients (SAGA) for classes."""
        from sklearn.linear_model import ElasticNet as ElasticNetRegressor
        from sklearn.linear_model import LogisticRegression

        estimator: Any
        if data.task.is_classification:
            estimator = LogisticRegression(
                **params, solver="saga", tol=1e-3, max_iter=1_000, random_state=seed_31(seed)
            )
        else:
            alpha = float(params["strength"]) * (float(data.target.std()) or 1.0)
            estimator = ElasticNetRegressor(alpha=alpha, l1_ratio=params["l1_ratio"], max_iter=5_000)
        return Fitted(estimator.fit(data.matrix, data.target, sample_weight=data.weight))
