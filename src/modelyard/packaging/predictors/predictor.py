"""What every predictor offers: from encoded features to outputs, for one row and for many, without scikit-learn."""

from collections.abc import Mapping
from typing import ClassVar, Protocol, Self, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

__all__ = ["DOUBLE_TOLERANCE", "SINGLE_TOLERANCE", "Explains", "Matrix", "Predictor", "TakesTime"]

Matrix: TypeAlias = npt.NDArray[np.float64]

DOUBLE_TOLERANCE = 1e-9
"""Allowed difference from the training pipeline where all arithmetic is in double precision."""

SINGLE_TOLERANCE = 1e-6
"""Allowed difference where the library itself answers in single precision."""


class Predictor(Protocol):
    """A fitted model as numbers, with its own file format.

    Outputs are one number a row (the probability of the positive class, or a value), or one probability per class.
    Implementations may be shared between threads.
    """

    kind: ClassVar[str]
    """Name in the scoring plan."""

    @property
    def tolerance(self) -> float:
        """How far outputs may be from those of the training pipeline; relative above 1."""

    @property
    def features(self) -> int | None:
        """Number of features of a row; None if any number will do."""

    @property
    def outputs(self) -> int:
        """Numbers a row: 1, or one per class."""

    def predict_row(self, features: list[float]) -> list[float]:
        """Outputs of one row; the hot path of serving."""

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """Outputs of many rows, shape (rows, ``outputs``)."""

    def to_files(self) -> dict[str, bytes]:
        """The model as files: name to content."""

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """The inverse of :meth:`to_files`.

        Raises
        ------
        IntegrityError
            If a file is missing or cannot be read.
        """


@runtime_checkable
class Explains(Protocol):
    """A predictor that knows what each feature adds."""

    def contributions(self, matrix: Matrix, background: Matrix) -> Matrix | None:
        """Amounts of features, and the base in the last place, shape (rows, outputs, features + 1).

        Their sum is the output, or the number from which the link makes it. ``background`` holds encoded rows, the
        average of which is the base where the model does not bring its own. None if this one cannot tell after all.
        """


@runtime_checkable
class TakesTime(Protocol):
    """A predictor whose contributions take longer the larger it is."""

    @property
    def explaining_work(self) -> int:
        """Steps for a row; a hundred million take about a second."""
