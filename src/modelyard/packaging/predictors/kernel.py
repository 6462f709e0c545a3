"""Machines with a Gaussian kernel: weighted sums over support vectors, and the logistic function for classes."""

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from modelyard.features.exact.distances import kernel_sums
from modelyard.packaging.predictors.archive import archive_of, arrays_in
from modelyard.packaging.predictors.files import damaged
from modelyard.packaging.predictors.predictor import DOUBLE_TOLERANCE, Matrix

__all__ = ["KernelPredictor"]

_FILE = "kernel.npz"


class KernelPredictor:
    """Values, a probability, or one probability per class, each against the rest and scaled to sum to 1.

    Parameters
    ----------
    centres
        Shape (centres, features).
    weights, intercepts
        Shapes (outputs, centres) and (outputs,).
    gamma
        Of the kernel.
    is_classes
        False for values.
    """

    kind: ClassVar[str] = "kernel"
    tolerance: ClassVar[float] = DOUBLE_TOLERANCE

    def __init__(
        self,
        centres: npt.ArrayLike,
        weights: npt.ArrayLike,
        intercepts: npt.ArrayLike,
        *,
        gamma: float,
        is_classes: bool,
    ) -> None:
        self._centres = np.asfortranarray(centres, dtype=np.float64)
        self._weights = np.ascontiguousarray(weights, dtype=np.float64)
        self._intercepts = np.asarray(intercepts, dtype=np.float64)
        if self._centres.ndim != 2 or self._weights.shape != (len(self._intercepts), len(self._centres)):
            raise ValueError("one weight for each centre, and one intercept for each output, are needed")
        self._gamma = gamma
        self._is_classes = is_classes

    @property
    def features(self) -> int | None:
        """Number of features of a row."""
        return int(self._centres.shape[1])

    @property
    def outputs(self) -> int:
        """1, or the number of classes."""
        return len(self._intercepts)

    def predict_row(self, features: list[float]) -> list[float]:
        """Outputs of one row."""
        outputs: list[float] = self.predict_matrix(np.array([features]))[0].tolist()
        return outputs

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """Outputs of many rows, shape (rows, outputs)."""
        sums = kernel_sums(matrix, self._centres, self._gamma, self._weights) + self._intercepts
        if not self._is_classes:
            return sums
        with np.errstate(over="ignore"):
            odds = np.asarray(1 / (1 + np.exp(-sums)))
        if self.outputs == 1:
            return odds
        least = np.maximum(odds, np.finfo(np.float64).tiny)
        return np.asarray(least / least.sum(axis=1, keepdims=True))

    def to_files(self) -> dict[str, bytes]:
        """One archive."""
        settings = np.array([self._gamma, float(self._is_classes)])
        arrays = {"centres": self._centres, "weights": self._weights, "intercepts": self._intercepts}
        return {_FILE: archive_of({**arrays, "settings": settings})}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote."""
        arrays = arrays_in(files, _FILE, ("centres", "weights", "intercepts", "settings"))
        try:
            gamma, is_classes = arrays["settings"].tolist()
            return cls(
                arrays["centres"], arrays["weights"], arrays["intercepts"], gamma=gamma, is_classes=bool(is_classes)
            )
        except (TypeError, ValueError) as error:
            raise damaged(_FILE, repr(error)) from error
