"""The predictor of the naive baseline: the same answer for everybody."""

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from modelyard.packaging.predictors.files import damaged, json_of
from modelyard.packaging.predictors.predictor import DOUBLE_TOLERANCE, Matrix

__all__ = ["ConstantPredictor"]

_FILE = "constant.json"


class ConstantPredictor:
    """The same outputs for every row.

    Parameters
    ----------
    values
        One number, or one probability per class.
    """

    kind: ClassVar[str] = "constant"
    tolerance: ClassVar[float] = DOUBLE_TOLERANCE

    def __init__(self, values: Sequence[float]) -> None:
        self._values = [float(value) for value in values]

    @property
    def features(self) -> int | None:
        """None: the row is not looked at."""
        return None

    @property
    def outputs(self) -> int:
        """1, or the number of classes."""
        return len(self._values)

    def predict_row(self, features: list[float]) -> list[float]:  # noqa: ARG002 - the protocol of predictors
        """The constant."""
        return self._values.copy()

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """The constant, once a row."""
        return np.tile(np.array(self._values), (len(matrix), 1))

    def to_files(self) -> dict[str, bytes]:
        """One small JSON file."""
        return {_FILE: json.dumps({"values": self._values}, allow_nan=False).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote."""
        content = json_of(files, _FILE)
        try:
            return cls(content["values"])
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(_FILE, repr(error)) from error
