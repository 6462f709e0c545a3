"""Nearest neighbours: the training rows as arrays, compared one by one."""

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from modelyard.features.exact.distances import nearest_means
from modelyard.packaging.predictors.archive import archive_of, arrays_in
from modelyard.packaging.predictors.files import damaged
from modelyard.packaging.predictors.predictor import DOUBLE_TOLERANCE, Matrix

__all__ = ["NeighboursPredictor"]

_FILE = "neighbours.npz"


class NeighboursPredictor:
    """The mean answer of the nearest known rows, ties included.

    Parameters
    ----------
    known, answers
        Shapes (rows, features) and (rows, outputs).
    neighbours
        How many count.
    """

    kind: ClassVar[str] = "neighbours"
    tolerance: ClassVar[float] = DOUBLE_TOLERANCE

    def __init__(self, known: npt.ArrayLike, answers: npt.ArrayLike, neighbours: int) -> None:
        self._known = np.asfortranarray(known, dtype=np.float64)
        self._answers = np.asarray(answers, dtype=np.float64)
        if self._known.ndim != 2 or self._answers.ndim != 2 or len(self._known) != len(self._answers):
            raise ValueError("one answer for each known row is needed")
        if len(self._known) == 0 or neighbours < 1:
            raise ValueError("at least one row and one neighbour are needed")
        self._neighbours = neighbours

    @property
    def features(self) -> int | None:
        """Number of features of a row."""
        return int(self._known.shape[1])

    @property
    def outputs(self) -> int:
        """1, or the number of classes."""
        return int(self._answers.shape[1])

    def predict_row(self, features: list[float]) -> list[float]:
        """Outputs of one row."""
        outputs: list[float] = self.predict_matrix(np.array([features]))[0].tolist()
        return outputs

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """Outputs of many rows, shape (rows, outputs)."""
        return nearest_means(matrix, self._known, self._answers, self._neighbours)

    def to_files(self) -> dict[str, bytes]:
        """One archive."""
        arrays = {"known": self._known, "answers": self._answers, "neighbours": np.array([self._neighbours])}
        return {_FILE: archive_of(arrays)}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote."""
        arrays = arrays_in(files, _FILE, ("known", "answers", "neighbours"))
        try:
            return cls(arrays["known"], arrays["answers"], int(arrays["neighbours"].item()))
        except ValueError as error:
            raise damaged(_FILE, repr(error)) from error
