"""A fitted network: layers of weights, and what is done to the features before the first one."""

import dataclasses

import numpy as np
import numpy.typing as npt

from modelyard.features.exact.activations import Activation, activated, squashed

__all__ = ["NetworkEstimator", "Squash"]

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Squash:
    """Features centred, scaled and smoothly clipped: ``(feature - center) * factor``, never beyond ±3.

    Parameters
    ----------
    centers, factors
        By feature, shape (features,).
    """

    centers: Array
    factors: Array

    def apply(self, matrix: Array) -> Array:
        """Of many rows, shape (rows, features)."""
        return squashed(matrix, self.centers, self.factors)


@dataclasses.dataclass(frozen=True)
class NetworkEstimator:
    """Layers of weights, with one kind of unit in between.

    Parameters
    ----------
    weights, offsets
        By layer: shapes (inputs, units) and (units,). The last layer has one unit for two classes or a value.
    bound
        Features beyond ± this count as this.
    center, scale
        Regression: the value is ``center + scale * output``.
    activation
        Of the hidden units.
    squash
        What is done to the features within their bounds; None for nothing.
    """

    weights: tuple[Array, ...]
    offsets: tuple[Array, ...]
    bound: float
    center: float = 0.0
    scale: float = 1.0
    activation: Activation = Activation.RELU
    squash: Squash | None = None

    def outputs(self, matrix: Array) -> Array:
        """Outputs of the last layer, shape (rows, units)."""
        flow = np.clip(matrix, -self.bound, self.bound)
        if self.squash is not None:
            flow = self.squash.apply(flow)
        for weights, offsets in zip(self.weights[:-1], self.offsets[:-1], strict=True):
            flow = activated(self.activation, flow @ weights + offsets)
        return np.asarray(flow @ self.weights[-1] + self.offsets[-1])

    def predict(self, matrix: Array) -> Array:
        """Values, shape (rows,)."""
        return self.center + self.scale * self.outputs(matrix)[:, 0]

    def predict_proba(self, matrix: Array) -> Array:
        """Probabilities, shape (rows, classes)."""
        outputs = self.outputs(matrix)
        if outputs.shape[1] == 1:
            with np.errstate(over="ignore"):
                second = 1 / (1 + np.exp(-outputs))
            return np.hstack([1 - second, second])
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))
