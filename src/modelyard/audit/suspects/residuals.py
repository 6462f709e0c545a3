"""Numbers that are probably wrong, by what a model that never saw them expects.

After Zhou, Mueller and others ("Detecting errors in a numerical response via any regression model", 2023): a held-out
residual, divided by what residuals usually are there. The scale is robust, as in Iglewicz and Hoaglin ("How to detect
and handle outliers", 1993): 1.4826 times the median absolute deviation, here among rows of like predictions.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["bent", "residual_distance", "residual_limit", "unbent"]

Values = npt.NDArray[np.float64]

_TENTHS = 10
_TO_SD = 1.4826
_LEAST_SCALE = 0.1
_TAIL = 3.0
_MOST_BENT = 5.0


def bent(values: Values) -> Values:
    """Values by the inverse hyperbolic sine of their distance from the median in quartile ranges.

    A number with three zeros too many then pulls a model no farther than a few honest ones; beyond 74 quartile
    ranges all are the same.
    """
    middle, spread = _middle(values)
    found: Values = np.clip(np.arcsinh((values - middle) / spread), -_MOST_BENT, _MOST_BENT)
    return found


def unbent(predicted: Values, values: Values) -> Values:
    """Predictions of :func:`bent` values in the values' own unit."""
    middle, spread = _middle(values)
    found: Values = middle + spread * np.sinh(predicted)
    return found


def _middle(values: Values) -> tuple[float, float]:
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return float(middle), float(high - low) or float(values.std()) or 1.0


def residual_distance(values: Values, predicted: Values) -> Values:
    """How far each value lies from its prediction, in robust standard deviations of rows with like predictions.

    Tenths of the predictions are "like", so errors may grow with the number that is predicted; a tenth's scale is
    never below a tenth of the scale over all.

    >>> line = np.arange(100.0)
    >>> noise = np.tile([-1.0, 1.0, 0.5, -0.5], 25)
    >>> wrong = np.where(line == 50, 90.0, line + noise)
    >>> int(residual_distance(wrong, line).argmax())
    50
    """
    residual = values - predicted
    overall = _scale(residual)
    if overall == 0:
        return np.zeros(len(values))
    tenth = np.searchsorted(np.quantile(predicted, np.linspace(0, 1, _TENTHS + 1)[1:-1]), predicted)
    distance = np.empty(len(values))
    for part in np.unique(tenth):
        rows = tenth == part
        scale = max(_scale(residual[rows]), _LEAST_SCALE * overall)
        distance[rows] = np.abs(residual[rows] - np.median(residual[rows])) / scale
    return distance


def _scale(residual: Values) -> float:
    return _TO_SD * float(np.median(np.abs(residual - np.median(residual))))


def residual_limit(distance: Values, least: float) -> float:
    """The distance from which on a value is suspected: at least ``least``, and three times what 99 % of all stay below.

    Where noise has heavy tails, far values are its own, and the limit moves out with them.
    """
    return max(least, _TAIL * float(np.quantile(distance, 0.99)))
