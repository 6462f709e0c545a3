"""Probabilities set right: a logistic curve for two classes, a temperature for more.

Both leave the order of rows as it is (for two classes, if the slope is positive). Sources: Platt (1999) on the log odds
of probabilities; Guo, Pleiss, Sun and Weinberger (2017), section 4.2. On 71 data sets a temperature was found as good as
isotonic regression, which needs far more rows (scikit-learn, issue 28574).
"""

import dataclasses
import math
from typing import Self

import numpy as np
import numpy.typing as npt

from modelyard.core import Record

__all__ = ["Calibration"]

Array = npt.NDArray[np.float64]

SMALLEST = 1e-9
"""Probabilities are kept this far from 0 and 1 before their log odds are taken."""

_SLOPES = (0.05, 20.0)


@dataclasses.dataclass(frozen=True)
class Calibration(Record):
    """``sigmoid(slope · log odds + offset)``; for more than two classes ``softmax(slope · log probability)``.

    Parameters
    ----------
    slope
        Below 1 if the model was too sure, above 1 if it was not sure enough; 1 divided by the temperature.
    offset
        Two classes: shift of the log odds; 0 for more classes.
    """

    slope: float
    offset: float = 0.0

    @classmethod
    def learn(cls, truth: Array, probabilities: Array) -> Self:
        """The curve under which what happened was likeliest.

        Parameters
        ----------
        truth
            Class codes, shape (n,).
        probabilities
            Shape (n,) of the positive class, or (n, classes).
        """
        from scipy.optimize import minimize, minimize_scalar

        if probabilities.ndim == 1:
            odds = _log_odds(probabilities)
            sign = 2 * truth - 1

            def loss(point: Array) -> tuple[float, Array]:
                margin = sign * (point[0] * odds + point[1])
                pull = -sign / (1 + np.exp(np.clip(margin, -500, 500)))
                return float(np.logaddexp(0, -margin).mean()), np.array([(pull * odds).mean(), pull.mean()])

            slope, offset = minimize(
                loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[_SLOPES, (-20, 20)]
            ).x
            return cls(float(slope), float(offset))
        logs = np.log(np.clip(probabilities, SMALLEST, 1.0))
        rows, codes = np.arange(len(truth)), truth.astype(np.intp)

        def of_temperature(log_slope: float) -> float:
            scaled = math.exp(log_slope) * logs
            largest = scaled.max(axis=1, keepdims=True)
            total = largest[:, 0] + np.log(np.exp(scaled - largest).sum(axis=1))
            return float((total - scaled[rows, codes]).mean())

        low, high = (math.log(slope) for slope in _SLOPES)
        return cls(math.exp(float(minimize_scalar(of_temperature, bounds=(low, high), method="bounded").x)))

    def apply(self, probabilities: Array) -> Array:
        """Calibrated probabilities, of the shape of those given.

        >>> Calibration(slope=2.0).apply(np.array([0.5, 0.8])).round(3).tolist()
        [0.5, 0.941]
        """
        if probabilities.ndim == 1:
            margin = self.slope * _log_odds(probabilities) + self.offset
            calibrated: Array = 1 / (1 + np.exp(-margin))
            return calibrated
        scaled = self.slope * np.log(np.clip(probabilities, SMALLEST, 1.0))
        risen = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        of_classes: Array = risen / risen.sum(axis=1, keepdims=True)
        return of_classes


def _log_odds(probabilities: Array) -> Array:
    kept = np.clip(probabilities, SMALLEST, 1 - SMALLEST)
    odds: Array = np.log(kept) - np.log1p(-kept)
    return odds
