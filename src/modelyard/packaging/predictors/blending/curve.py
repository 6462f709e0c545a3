"""Calibrated probabilities at serving time: a logistic curve for one output, a temperature for several."""

import dataclasses
import math

import numpy as np

from modelyard.core import Record
from modelyard.packaging.predictors.predictor import Matrix

__all__ = ["ProbabilityCurve"]

_SMALLEST = 1e-9
"""Probabilities are kept this far from 0 and 1, as when the curve was learnt."""


@dataclasses.dataclass(frozen=True)
class ProbabilityCurve(Record):
    """``sigmoid(slope · log odds + offset)`` of one probability; of several ``softmax(slope · log probability)``."""

    slope: float
    offset: float = 0.0

    def of_row(self, outputs: list[float]) -> list[float]:
        """Calibrated outputs of one row."""
        if len(outputs) == 1:
            kept = min(max(outputs[0], _SMALLEST), 1 - _SMALLEST)
            margin = self.slope * (math.log(kept) - math.log1p(-kept)) + self.offset
            return [1 / (1 + math.exp(-margin))]
        scaled = [self.slope * math.log(min(max(value, _SMALLEST), 1.0)) for value in outputs]
        largest = max(scaled)
        risen = [math.exp(value - largest) for value in scaled]
        total = sum(risen)
        return [value / total for value in risen]

    def of_rows(self, outputs: Matrix) -> Matrix:
        """Calibrated outputs of many rows, of the shape of those given."""
        if outputs.shape[1] == 1:
            kept = np.clip(outputs, _SMALLEST, 1 - _SMALLEST)
            margin = self.slope * (np.log(kept) - np.log1p(-kept)) + self.offset
            return np.asarray(1 / (1 + np.exp(-margin)))
        scaled = self.slope * np.log(np.clip(outputs, _SMALLEST, 1.0))
        risen = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return np.asarray(risen / risen.sum(axis=1, keepdims=True))
