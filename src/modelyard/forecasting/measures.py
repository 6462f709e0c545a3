"""How far forecasts were from what came: scaled by what the naive answer would have missed, so that series compare.

MASE is Hyndman and Koehler (2006), RMSSE the M5 competition's (Makridakis et al., 2022), sMAPE the M4 competition's.
"""

import warnings

import numpy as np

from modelyard.conformal import pinball_losses
from modelyard.forecasting.series.panel import Array, Panel

__all__ = ["MEASURES", "figures", "naive_scales", "pinball", "unit_losses"]

MEASURES = ("mase", "rmsse", "smape", "mae", "rmse")
"""All measures of point forecasts; smaller is better."""

_SQUARED = frozenset(("rmsse", "rmse"))


def naive_scales(panel: Panel) -> tuple[Array, Array]:
    """For each series the mean absolute and the root mean squared change over a season; NaN where nothing changes."""
    absolute, squared = [], []
    for row in range(len(panel.names)):
        history = panel.history(row)
        season = panel.season if len(history) > panel.season else 1
        change = history[season:] - history[:-season]
        absolute.append(float(np.abs(change).mean()) if change.size else np.nan)
        squared.append(float(np.sqrt((change**2).mean())) if change.size else np.nan)
    scales = np.array(absolute), np.array(squared)
    return np.where(scales[0] > 0, scales[0], np.nan), np.where(scales[1] > 0, scales[1], np.nan)


def unit_losses(name: str, truth: Array, forecast: Array, scales: tuple[Array, Array]) -> Array:
    """The loss of each series in each window, shape (windows, series); squared where the measure is a root.

    Parameters
    ----------
    truth, forecast
        Shape (windows, series, horizon); NaN in the truth is left out.
    scales
        Of :func:`naive_scales`.
    """
    error = forecast - truth
    if name == "smape":
        size = np.abs(truth) + np.abs(forecast)
        loss = np.where(size > 0, 200 * np.abs(error) / np.where(size > 0, size, 1), 0 * error)
    elif name in _SQUARED:
        loss = error**2 / (scales[1][:, None] ** 2 if name == "rmsse" else 1)
    else:
        loss = np.abs(error) / (scales[0][:, None] if name == "mase" else 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a series without a truth in a window has no loss there
        mean: Array = np.nanmean(loss, axis=2)
    return mean


def figures(name: str, losses: Array) -> tuple[float | None, tuple[float, ...]]:
    """The measure over all series and windows, and for each window; None if nothing could be measured."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        windows = np.nanmean(losses, axis=1)
        whole = np.nanmean(windows)
    root = np.sqrt if name in _SQUARED else np.asarray
    if not np.isfinite(whole):
        return None, ()
    return float(root(whole)), tuple(float(value) for value in root(windows[np.isfinite(windows)]))


def pinball(truth: Array, low: Array, high: Array, coverage: float) -> float | None:
    """The mean quantile loss of both ends of an interval."""
    tail = (1 - coverage) / 2
    losses = [pinball_losses(truth, end, share) for end, share in ((low, tail), (high, 1 - tail))]
    known = ~np.isnan(truth)
    return float(np.mean([loss[known].mean() for loss in losses])) if known.any() else None
