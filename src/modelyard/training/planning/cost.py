"""What a fit costs: seconds on one core, from the size of a table. Good to a factor of two, which ordering needs.

The constants were measured on one core of this project's build machine, by ``benchmarks/training/cost.py``. A faster or
slower machine is not wrong by more than its speed; the clock compares with what was spent (see
:class:`~modelyard.training.planning.clock.Clock`).
"""

import dataclasses

__all__ = ["Cost", "Size", "fit_seconds", "rows_within"]


@dataclasses.dataclass(frozen=True)
class Size:
    """How large a fit is.

    Parameters
    ----------
    rows, features
        Of the matrix that is learnt from.
    outputs
        Models that boosting makes side by side: the number of classes from three on, else 1.
    """

    rows: int
    features: int
    outputs: int = 1


@dataclasses.dataclass(frozen=True)
class Cost:
    """Seconds of a fit: ``start + per_cell · rows · features · outputs + per_pair · rows²``.

    Parameters
    ----------
    start, per_cell, per_pair
        The terms.
    """

    start: float
    per_cell: float
    per_pair: float = 0.0

    def seconds(self, size: Size) -> float:
        """Of one fit.

        >>> Cost(0.5, 1e-6).seconds(Size(rows=1_000, features=20))
        0.52
        """
        return self.start + self.per_cell * size.rows * size.features * size.outputs + self.per_pair * size.rows**2


_COSTS = {
    "linear": Cost(0.02, 3e-7),
    "elastic_net": Cost(0.05, 2e-6),
    "naive_bayes": Cost(0.01, 1e-7),
    "sgd": Cost(0.05, 1e-6),
    "decision_tree": Cost(0.02, 5e-7),
    "nearest_neighbours": Cost(0.01, 1e-7, 2e-9),
    "random_forest": Cost(0.6, 1.5e-5),
    "extra_trees": Cost(0.6, 8e-6),
    "svm": Cost(0.1, 1e-6, 1.2e-7),
    "lightgbm": Cost(0.3, 3e-6),
    "xgboost": Cost(0.4, 4e-6),
    "catboost": Cost(1.0, 8e-6),
    "ebm": Cost(3.0, 3e-5),
    "mlp": Cost(0.5, 5e-6),
}
_UNKNOWN = Cost(1.0, 1e-5)


def fit_seconds(family: str, size: Size) -> float:
    """Predicted seconds of one fit of a family's default configuration; of unknown families a cautious guess."""
    return _COSTS.get(family, _UNKNOWN).seconds(size)


def rows_within(family: str, seconds: float, features: int, outputs: int) -> int:
    """How many rows a family's default configuration may learn from in so many predicted seconds; none below 0.

    >>> rows_within("lightgbm", 3.3, features=10, outputs=1)
    100000
    """
    cost = _COSTS.get(family, _UNKNOWN)
    return max(0, round((seconds - cost.start) / (cost.per_cell * max(features, 1) * outputs)))
