"""Naive Bayes: a normal distribution for each feature in each class."""

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from modelyard.packaging.predictors.archive import archive_of, arrays_in
from modelyard.packaging.predictors.files import damaged
from modelyard.packaging.predictors.predictor import DOUBLE_TOLERANCE, Matrix

__all__ = ["GaussianPredictor"]

_FILE = "gaussian.npz"
_LARGEST = 1e120  # its square leaves room below the largest double


class GaussianPredictor:
    """Bayes' rule on log densities, summed as scikit-learn sums them.

    Parameters
    ----------
    means, variances
        Shape (classes, features).
    log_priors
        Shape (classes,).
    """

    kind: ClassVar[str] = "gaussian"
    tolerance: ClassVar[float] = DOUBLE_TOLERANCE

    def __init__(self, means: npt.ArrayLike, variances: npt.ArrayLike, log_priors: npt.ArrayLike) -> None:
        self._means = np.atleast_2d(np.asarray(means, dtype=np.float64))
        self._variances = np.atleast_2d(np.asarray(variances, dtype=np.float64))
        self._log_priors = np.asarray(log_priors, dtype=np.float64)
        if self._means.shape != self._variances.shape or self._log_priors.shape != self._means.shape[:1]:
            raise ValueError("one mean and variance for each feature of each class are needed")
        if len(self._means) < 2 or not (self._variances > 0).all():
            raise ValueError("two classes and variances above 0 are needed")
        self._constants = self._log_priors - 0.5 * np.log(2 * np.pi * self._variances).sum(axis=1)

    @property
    def features(self) -> int | None:
        """Number of features of a row."""
        return int(self._means.shape[1])

    @property
    def outputs(self) -> int:
        """1 for two classes, else the number of classes."""
        return 1 if len(self._means) == 2 else len(self._means)

    def predict_row(self, features: list[float]) -> list[float]:
        """Outputs of one row."""
        outputs: list[float] = self.predict_matrix(np.array([features]))[0].tolist()
        return outputs

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """Outputs of many rows, shape (rows, outputs); of two classes, the second one's."""
        bounded = np.clip(matrix, -_LARGEST, _LARGEST)
        logarithms = np.empty((len(matrix), len(self._means)))
        for code, (mean, variance) in enumerate(zip(self._means, self._variances, strict=True)):
            logarithms[:, code] = self._constants[code] - 0.5 * ((bounded - mean) ** 2 / variance).sum(axis=1)
        powers = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
        chances = powers / powers.sum(axis=1, keepdims=True)
        return np.asarray(chances[:, 1:] if self.outputs == 1 else chances)

    def to_files(self) -> dict[str, bytes]:
        """One archive."""
        arrays = {"means": self._means, "variances": self._variances, "log_priors": self._log_priors}
        return {_FILE: archive_of(arrays)}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote."""
        arrays = arrays_in(files, _FILE, ("means", "variances", "log_priors"))
        try:
            return cls(arrays["means"], arrays["variances"], arrays["log_priors"])
        except ValueError as error:
            raise damaged(_FILE, repr(error)) from error
