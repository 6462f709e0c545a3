"""Metrics that are means of losses, on a scale where their error is even, with its size in every bootstrap sample.

A few large losses decide a mean, and a sample that lacks them has both a small mean and a small spread. Dividing by the
spread of each sample mends that (the studentised bootstrap: Efron and Tibshirani, 1993, section 12.5; Hall, 1992).
"""

import dataclasses
import math
from typing import Any, Self

import numpy as np
import numpy.typing as npt

__all__ = ["MeanFigure", "mean_figure"]

Array = npt.NDArray[np.float64]

_LARGEST = 700.0
"""The logarithm of about the largest double."""


@dataclasses.dataclass(frozen=True)
class MeanFigure:
    """A mean of losses by unit: a row, or rows that belong together.

    Parameters
    ----------
    metric
        Its name.
    first
        A row of each unit, where the weight of the unit stands.
    sums
        By unit, shape (kinds, units): losses and rows; for R² also true values and their squares.
    products
        Of each two kinds, shape (units, kinds * kinds).
    """

    metric: str
    first: npt.NDArray[np.intp]
    sums: Array
    products: Array

    @classmethod
    def of(cls, metric: str, truth: Array, losses: Array, units: npt.NDArray[Any] | None) -> Self:
        """The figure of rows with their losses."""
        labels = np.arange(len(truth)) if units is None else units
        _, first, code = np.unique(labels, return_index=True, return_inverse=True)
        kinds = [losses, np.ones(len(truth))]
        if metric == "r2":
            centred = truth - truth.mean()
            kinds += [centred, centred**2]
        sums = np.array([np.bincount(code.reshape(-1), values) for values in kinds])
        products = (sums[:, np.newaxis] * sums).reshape(len(kinds) ** 2, -1).T
        return cls(metric, first, sums, products)

    def logarithms(self, weights: Array) -> tuple[Array, Array]:
        """The logarithm of the figure under each weighting of the rows, and its standard error.

        R² stands for the logarithm of ``1 - R²``, RMSE for that of its square. What one unit moves is a sum of its kinds,
        each with a factor that the sample decides; so its squares follow from the products of the kinds.

        Parameters
        ----------
        weights
            Shape (samples, rows); rows of one unit weigh the same.
        """
        drawn = weights[:, self.first]
        totals = drawn @ self.sums.T
        rows = totals[:, 1]
        mean = totals[:, 0] / rows
        figure, factors = np.log(mean), [1 / mean, -np.ones(len(mean))]
        if self.metric == "r2":
            centre = totals[:, 2] / rows
            variance = totals[:, 3] / rows - centre**2
            figure = figure - np.log(variance)
            factors = [1 / mean, -(centre**2) / variance, 2 * centre / variance, -1 / variance]
        moved = np.stack(factors, axis=1)
        kinds = len(factors)
        squares = np.einsum("bi,bij,bj->b", moved, (drawn @ self.products).reshape(-1, kinds, kinds), moved)
        return figure, np.sqrt(np.maximum(squares, 0.0)) / rows

    def from_logarithm(self, logarithm: float) -> float:
        """The metric that belongs to a logarithm."""
        bounded = min(logarithm, _LARGEST)
        if self.metric == "r2":
            return 1 - math.exp(bounded)
        return math.exp(bounded / 2 if self.metric == "rmse" else bounded)


def mean_figure(
    metric: str, truth: Array, prediction: Array, units: npt.NDArray[Any] | None = None
) -> MeanFigure | None:
    """The metric as a mean of losses; None if it is none."""
    losses = _losses(metric, truth, prediction)
    return None if losses is None else MeanFigure.of(metric, truth, losses, units)


def _losses(metric: str, truth: Array, prediction: Array) -> Array | None:
    """One loss a row, of which the metric is the mean, or its root, or its ratio to the variance of the truth."""
    if metric in ("rmse", "r2"):
        return np.asarray((truth - prediction) ** 2)
    if metric in ("mae", "mape"):
        errors = np.abs(truth - prediction)
        return np.asarray(errors if metric == "mae" else errors / np.abs(truth))
    if metric not in ("log_loss", "brier"):
        return None
    several = prediction if prediction.ndim == 2 else np.column_stack([1 - prediction, prediction])
    codes = truth.astype(np.intp)
    if metric == "log_loss":
        smallest = np.finfo(np.float64).eps
        return np.asarray(-np.log(np.clip(several[np.arange(len(codes)), codes], smallest, 1 - smallest)))
    distance = ((several - np.eye(several.shape[1])[codes]) ** 2).sum(axis=1)
    return np.asarray(distance if prediction.ndim == 2 else distance / 2)
