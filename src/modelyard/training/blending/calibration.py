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

from modelyard.conformal import ProbabilityCurve

__all__ = ["Calibration"]

Array = npt.NDArray[np.float64]

_SLOPES = (0.05, 20.0)


@dataclasses.dataclass(frozen=True)
class Calibration(ProbabilityCurve):
    """A curve that is learnt, for predictions in the shapes of training."""

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
            odds = cls.log_odds(probabilities)
            sign = 2 * truth - 1

            def loss(point: Array) -> tuple[float, Array]:
                margin = sign * (point[0] * odds + point[1])
                pull = -sign / (1 + np.exp(np.clip(margin, -500, 500)))
                return float(np.logaddexp(0, -margin).mean()), np.array([(pull * odds).mean(), pull.mean()])

            slope, offset = minimize(
                loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[_SLOPES, (-20, 20)]
            ).x
            return cls(float(slope), float(offset))
        logs = cls.logs(probabilities)
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
            return self.of_rows(probabilities[:, np.newaxis])[:, 0]
        return self.of_rows(probabilities)
