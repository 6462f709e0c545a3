"""Probabilities set right: a logistic curve for one output, a temperature and shifts for several; as training and serving apply it."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from modelyard.core import Record

__all__ = ["ProbabilityCurve"]

Matrix = npt.NDArray[np.float64]

_SMALLEST = 1e-9
"""Probabilities are kept this far from 0 and 1 before their log odds are taken."""


@dataclasses.dataclass(frozen=True)
class ProbabilityCurve(Record):
    """``sigmoid(slope · log odds + offset)`` of one probability; of several ``softmax(slope · log probability + offsets)``.

    Parameters
    ----------
    slope
        Below 1 if the model was too sure, above 1 if it was not sure enough; 1 divided by the temperature.
    offset
        One probability: shift of the log odds; 0 for several.
    offsets
        Several: shift of each class's logarithm; none for one probability, or where only the slope is changed.
    """

    slope: float
    offset: float = 0.0
    offsets: tuple[float, ...] = ()

    def of_row(self, outputs: list[float]) -> list[float]:
        """Calibrated outputs of one row."""
        if len(outputs) == 1:
            kept = min(max(outputs[0], _SMALLEST), 1 - _SMALLEST)
            margin = self.slope * (math.log(kept) - math.log1p(-kept)) + self.offset
            return [1 / (1 + math.exp(-margin))]
        scaled = [self.slope * math.log(min(max(value, _SMALLEST), 1.0)) for value in outputs]
        if self.offsets:
            scaled = [value + offset for value, offset in zip(scaled, self.offsets, strict=True)]
        largest = max(scaled)
        risen = [math.exp(value - largest) for value in scaled]
        total = sum(risen)
        return [value / total for value in risen]

    def of_rows(self, outputs: Matrix) -> Matrix:
        """Calibrated outputs of many rows, of the shape of those given: (rows, 1) or (rows, classes)."""
        if outputs.shape[1] == 1:
            return np.asarray(1 / (1 + np.exp(-(self.slope * self.log_odds(outputs) + self.offset))))
        scaled = self.slope * self.logs(outputs)
        if self.offsets:
            scaled = scaled + np.array(self.offsets)
        risen = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return np.asarray(risen / risen.sum(axis=1, keepdims=True))

    @staticmethod
    def log_odds(probabilities: Matrix) -> Matrix:
        """Log odds of probabilities, of their shape."""
        kept = np.clip(probabilities, _SMALLEST, 1 - _SMALLEST)
        return np.asarray(np.log(kept) - np.log1p(-kept))

    @staticmethod
    def logs(probabilities: Matrix) -> Matrix:
        """Logarithms of probabilities, of their shape."""
        return np.asarray(np.log(np.clip(probabilities, _SMALLEST, 1.0)))
