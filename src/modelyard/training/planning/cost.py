"""What a fit costs: seconds on one core, from the size of a table. Good to a factor of two or three, which ordering needs.

The constants were measured on one core of this project's build machine, by ``benchmarks/training/cost.py``. A faster or
slower machine is not wrong by more than its speed; the clock compares with what was spent (see
:class:`~modelyard.training.planning.clock.Clock`).
"""

import dataclasses
import math

__all__ = ["Cost", "Size", "fit_seconds", "rows_within"]


@dataclasses.dataclass(frozen=True)
class Size:
    """How large a fit is.

    Parameters
    ----------
    rows, features
        Of the matrix that is learnt from (see :func:`~modelyard.training.planning.width.matrix_width`).
    outputs
        Models that boosting makes side by side: the number of classes from three on, else 1.
    of_values
        Whether values are predicted, no classes: trees are deeper then, and look at more features.
    """

    rows: int
    features: int
    outputs: int = 1
    of_values: bool = False


@dataclasses.dataclass(frozen=True)
class Cost:
    """Seconds of a fit: ``start + per_cell · rows · features + per_pair · rows² + per_sorted · rows · log2(rows)``.

    Parameters
    ----------
    start, per_cell, per_pair, per_sorted
        The terms: families pay for cells, kernels and neighbours for pairs of rows, deep trees and networks for rows too.
    by_output
        Whether a model is made for each output, so that cells count so many times.
    """

    start: float
    per_cell: float = 0.0
    per_pair: float = 0.0
    per_sorted: float = 0.0
    by_output: bool = False

    def seconds(self, size: Size) -> float:
        """Of one fit.

        >>> Cost(0.5, 1e-6).seconds(Size(rows=1_000, features=20))
        0.52
        """
        cells = size.rows * size.features * (size.outputs if self.by_output else 1)
        sorted_rows = size.rows * math.log2(max(size.rows, 2))
        return self.start + self.per_cell * cells + self.per_pair * size.rows**2 + self.per_sorted * sorted_rows


_COSTS = {
    "linear": Cost(0.05, 8e-7),
    "elastic_net": Cost(0.05, 3e-6),
    "naive_bayes": Cost(0.005, 4e-8),
    "sgd": Cost(0.02, 2e-7),
    "shallow_tree": Cost(0.01, 8e-8),
    "decision_tree": Cost(0.02, 1.5e-7),
    "nearest_neighbours": Cost(0.01, 4e-8, 2e-9),
    "random_forest": Cost(0.3, per_sorted=1.6e-5),
    "extra_trees": Cost(0.3, per_sorted=1.8e-5),
    "svm": Cost(0.1, 2e-7, 1.2e-7),
    "lightgbm": Cost(0.1, 2e-6, by_output=True),
    "xgboost": Cost(0.1, 2.5e-6, by_output=True),
    "catboost": Cost(0.3, 2.5e-6, by_output=True),
    "ebm": Cost(2.5, 1.3e-5),
    "mlp": Cost(0.6, 3e-6),
    "realmlp": Cost(0.05, 1.5e-6, per_sorted=1.3e-5),
}
_COSTS_OF_VALUES = {
    "random_forest": Cost(0.3, 4e-6, per_sorted=1.6e-5),
    "extra_trees": Cost(0.2, 8e-6, per_sorted=1.4e-5),
    "lightgbm": Cost(0.02, 8e-7, per_sorted=1.1e-5),
    "xgboost": Cost(0.05, 5.5e-6, per_sorted=2.5e-6),
    "catboost": Cost(0.1, 6.5e-6, per_sorted=2e-6),
    "mlp": Cost(0.1, 3e-7, per_sorted=4.8e-5),
}
"""Where they differ from those of classes."""

_UNKNOWN = Cost(1.0, 1e-5)


def fit_seconds(family: str, size: Size) -> float:
    """Predicted seconds of one fit of a family's default configuration; of unknown families a cautious guess."""
    known = _COSTS | _COSTS_OF_VALUES if size.of_values else _COSTS
    return known.get(family, _UNKNOWN).seconds(size)


def rows_within(family: str, seconds: float, features: int, outputs: int) -> int:
    """How many rows a family's default configuration may learn from in so many predicted seconds; none below 0.

    Only for families that pay for cells alone.

    >>> rows_within("lightgbm", 2.1, features=10, outputs=1)
    100000
    """
    cost = _COSTS.get(family, _UNKNOWN)
    return max(0, round((seconds - cost.start) / (cost.per_cell * max(features, 1) * outputs)))
