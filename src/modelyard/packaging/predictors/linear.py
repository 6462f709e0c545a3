"""Linear models as coefficients: a dot product, then the link that scikit-learn uses."""

import enum
import json
import math
from collections.abc import Callable, Mapping
from operator import mul
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from modelyard.packaging.predictors.files import damaged, json_of
from modelyard.packaging.predictors.predictor import DOUBLE_TOLERANCE, Matrix

__all__ = ["LinearPredictor", "Link"]

_FILE = "linear.json"
_LARGEST = 1e120  # leaves room for any coefficient and any number of features below the largest double


class Link(enum.StrEnum):
    """From the dot product to the output.

    ``identity``: a value. ``logistic``: ``1 / (1 + exp(-z))``, the probability of the positive class. ``softmax``:
    ``exp(z_k) / sum exp(z)``, one probability per class. ``against_rest``: the logistic function of each class against
    the rest, scaled to sum to 1.
    """

    IDENTITY = "identity"
    LOGISTIC = "logistic"
    SOFTMAX = "softmax"
    AGAINST_REST = "against_rest"


class LinearPredictor:
    """Coefficients and intercepts in double precision.

    Features beyond 1e120 count as 1e120 where the sum would overflow otherwise, so that an absurd but valid number
    gives an answer instead of not-a-number.

    Parameters
    ----------
    coefficients
        Shape (outputs, features).
    intercepts
        Shape (outputs,).
    link
        See :class:`Link`.

    Attributes
    ----------
    sums
        By output: the coefficients and the intercept, as plain numbers.
    linked
        The link for one row: from finite sums to outputs.
    """

    kind: ClassVar[str] = "linear"
    tolerance: ClassVar[float] = DOUBLE_TOLERANCE

    def __init__(self, coefficients: npt.ArrayLike, intercepts: npt.ArrayLike, link: Link) -> None:
        self._coefficients = np.atleast_2d(np.asarray(coefficients, dtype=np.float64))
        self._intercepts = np.atleast_1d(np.asarray(intercepts, dtype=np.float64))
        if len(self._coefficients) != len(self._intercepts):
            raise ValueError("one intercept per row of coefficients is needed")
        self._link = Link(link)
        self.linked = _OF_SUMS[self._link]
        self.sums: list[tuple[list[float], float]] = list(
            zip(self._coefficients.tolist(), self._intercepts.tolist(), strict=True)
        )

    @property
    def features(self) -> int | None:
        """Number of coefficients of one output."""
        return int(self._coefficients.shape[1])

    @property
    def outputs(self) -> int:
        """1, or the number of classes."""
        return len(self._intercepts)

    def predict_row(self, features: list[float]) -> list[float]:
        """Outputs of one row, in plain Python: faster than NumPy below some hundred features."""
        sums = [sum(map(mul, weights, features)) + intercept for weights, intercept in self.sums]
        if not all(map(math.isfinite, sums)):
            outputs: list[float] = self.predict_matrix(np.array([features]))[0].tolist()
            return outputs
        return self.linked(sums)

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """Outputs of many rows, shape (rows, outputs)."""
        with np.errstate(over="ignore", invalid="ignore"):
            sums = matrix @ self._coefficients.T + self._intercepts
            broken = ~np.isfinite(sums).all(axis=1)
            if broken.any():
                bounded = np.clip(matrix[broken], -_LARGEST, _LARGEST)
                sums[broken] = bounded @ self._coefficients.T + self._intercepts
            if self._link is Link.LOGISTIC:
                return np.asarray(1.0 / (1.0 + np.exp(-sums)))
        if self._link is Link.AGAINST_REST:
            sums = -np.logaddexp(0.0, -sums)
        if self._link in (Link.SOFTMAX, Link.AGAINST_REST):
            powers = np.exp(sums - sums.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True))
        return np.asarray(sums)

    def contributions(self, matrix: Matrix, background: Matrix) -> Matrix:
        """Coefficient times distance from the background's mean, and the base in the last place.

        Exact, if features are taken as independent. Shape (rows, outputs, features + 1); sums are raw scores.
        """
        centre = background.mean(axis=0)
        amounts = (matrix - centre)[:, np.newaxis] * self._coefficients
        base = np.broadcast_to(self._coefficients @ centre + self._intercepts, amounts.shape[:2])
        return np.concatenate([amounts, base[..., np.newaxis]], axis=2)

    def to_files(self) -> dict[str, bytes]:
        """One JSON file; floats are written with their shortest exact text."""
        content = {
            "link": self._link.value,
            "coefficients": self._coefficients.tolist(),
            "intercepts": self._intercepts.tolist(),
        }
        return {_FILE: json.dumps(content, allow_nan=False).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote."""
        content = json_of(files, _FILE)
        try:
            return cls(content["coefficients"], content["intercepts"], Link(content["link"]))
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(_FILE, repr(error)) from error


def _identity(sums: list[float]) -> list[float]:
    return sums


def _logistic(sums: list[float]) -> list[float]:
    """The logistic function without overflow."""
    powers = [math.exp(-abs(value)) for value in sums]
    return [(1.0 if value >= 0 else power) / (1.0 + power) for value, power in zip(sums, powers, strict=True)]


def _softmax(sums: list[float]) -> list[float]:
    """The softmax function without overflow."""
    largest = max(sums)
    powers = [math.exp(value - largest) for value in sums]
    total = sum(powers)
    return [power / total for power in powers]


def _against_rest(sums: list[float]) -> list[float]:
    """Logistic functions scaled to sum to 1, by their logarithms: neither overflows, nor are all of them 0."""
    return _softmax([min(value, 0.0) - math.log1p(math.exp(-abs(value))) for value in sums])


_OF_SUMS: dict[Link, Callable[[list[float]], list[float]]] = {
    Link.IDENTITY: _identity,
    Link.LOGISTIC: _logistic,
    Link.SOFTMAX: _softmax,
    Link.AGAINST_REST: _against_rest,
}
