"""How large an error is to be expected, by the size of the prediction: wide intervals where the model is often far off."""

import dataclasses
import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.conformal.quantile import conformal_quantile
from modelyard.core import Record

__all__ = ["LocalScale", "fit_scale", "scaling_pays"]

Array = npt.NDArray[np.float64]

_MOST_BINS, _FEWEST_IN_A_BIN = 10, 40
_SMALLEST = 0.1
"""No part of the range is taken for more than ten times as sure as the whole."""

_BEYOND_NOISE = 2.0


@dataclasses.dataclass(frozen=True)
class LocalScale(Record):
    """Mean absolute errors at some predictions; straight lines between them, level beyond the ends.

    Parameters
    ----------
    at
        Predictions, rising.
    error
        Mean absolute error around each, above 0.
    """

    at: tuple[float, ...]
    error: tuple[float, ...]

    def of(self, predictions: Array) -> Array:
        """The error to be expected at each prediction."""
        return np.interp(predictions, self.at, self.error)


def fit_scale(predictions: Array, errors: Array) -> LocalScale | None:
    """Mean absolute error in at most ten bins of equal size along the prediction; None if there are too few rows.

    Parameters
    ----------
    predictions, errors
        Of rows that the model had not learnt from; ``errors`` are absolute.
    """
    bins = min(_MOST_BINS, len(predictions) // _FEWEST_IN_A_BIN)
    mean = float(errors.mean()) if len(errors) else 0.0
    if bins < 2 or mean == 0:
        return None
    edges = np.unique(np.quantile(predictions, np.linspace(0, 1, bins + 1)))
    if len(edges) < 3:
        return None
    place = np.clip(np.searchsorted(edges, predictions, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(place, minlength=len(edges) - 1)
    known = counts > 0
    at = np.bincount(place, predictions)[known] / counts[known]
    error = np.maximum(np.bincount(place, errors)[known] / counts[known], _SMALLEST * mean)
    if any(after <= before for before, after in itertools.pairwise(at)):
        return None
    return LocalScale(tuple(at.tolist()), tuple(error.tolist()))


def scaling_pays(predictions: Array, errors: Array, coverage: float, units: npt.NDArray[Any], *, seed: int) -> bool:
    """Whether intervals by local scale beat those of one width, beyond noise, on rows that neither was made on.

    Both are judged by the interval score, which charges width and misses (Gneiting and Raftery, 2007, "Strictly proper
    scoring rules", section 6.2); made on half of the units, compared on the other half.

    Parameters
    ----------
    units
        Labels of rows that belong together; one a row if each stands for itself.
    """
    names, code = np.unique(units, return_inverse=True)
    first = (np.random.default_rng(seed).permutation(len(names)) % 2 == 0)[code.reshape(-1)]
    scale = fit_scale(predictions[first], errors[first])
    if scale is None or first.all():
        return False
    made, judged = scale.of(predictions[first]), scale.of(predictions[~first])
    margin = conformal_quantile(errors[first] / made, coverage)
    plain = conformal_quantile(errors[first], coverage)
    if not np.isfinite(margin):
        return False
    gain = _interval_score(np.full(len(judged), plain), errors[~first], coverage) - _interval_score(
        margin * judged, errors[~first], coverage
    )
    return bool(gain.mean() > _BEYOND_NOISE * _standard_error(gain, code.reshape(-1)[~first]))


def _interval_score(half_width: Array, errors: Array, coverage: float) -> Array:
    return 2 * half_width + 2 / (1 - coverage) * np.maximum(errors - half_width, 0)


def _standard_error(values: Array, units: npt.NDArray[Any]) -> float:
    """Of a mean over rows of which some belong together."""
    sums = np.bincount(units, values - values.mean())
    return float(np.sqrt((sums**2).sum())) / len(values)
