"""Naive Bayes with a normal distribution for each feature in each class; classes only."""

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from modelyard.features import EncodingStyle
from modelyard.problem import Task
from modelyard.training.families.family import Dimension, FitData, Fitted
from modelyard.training.families.promises import Latency, Promises

__all__ = ["NaiveBayes"]


@dataclasses.dataclass(frozen=True)
class NaiveBayes:
    """Means and variances by class: fitted in one pass, and exactly the same whether rows come at once or in parts.

    ``var_smoothing`` is added to all variances, in units of the largest variance of a feature.
    """

    name: str = "naive_bayes"
    style: EncodingStyle = EncodingStyle.LINEAR
    complexity: int = 1
    most_rows: int | None = None
    promises: ClassVar[Promises] = Promises(
        Latency.FAST, tasks=(Task.BINARY, Task.MULTICLASS), sample_weights=True, incremental=True
    )

    def defaults(self, task: Task) -> Mapping[str, Any]:  # noqa: ARG002
        """Firmer than scikit-learn's 1e-9, at which one rare level decides alone."""
        return {"var_smoothing": 1e-3}

    def space(self, task: Task) -> Mapping[str, Dimension]:  # noqa: ARG002
        """The smoothing."""
        return {"var_smoothing": Dimension(1e-9, 10.0, log=True)}

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        """Hardly any, and a lot."""
        return ({"var_smoothing": 1e-6}, {"var_smoothing": 0.3})

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:  # noqa: ARG002
        """Fit; nothing is drawn."""
        from sklearn.naive_bayes import GaussianNB

        return Fitted(GaussianNB(**params).fit(data.matrix, data.target, sample_weight=data.weight))

    def update(self, estimator: Any, data: FitData, params: Mapping[str, Any], *, seed: int) -> Fitted:  # noqa: ARG002
        """Means and variances of old and new rows together (Chan, Golub and LeVeque, 1983)."""
        learner = copy.deepcopy(estimator)
        return Fitted(learner.partial_fit(data.matrix, data.target, sample_weight=data.weight))
