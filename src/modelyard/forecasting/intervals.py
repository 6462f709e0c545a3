"""Intervals by what the backtest missed: a conformal width for each step ahead.

The absolute residuals of the walk-forward windows, over each series' naive scale, are pooled over series, and over
neighbouring steps until there are enough; the width is their quantile with the correction for a finite sample
(Vovk et al., 2005; for series and steps, Stankevičiūtė et al., 2021). Windows of one series follow one another, so
exchangeability holds only roughly: the coverage is measured, on windows left out and on the sealed part.
"""

import math

import numpy as np

from modelyard.forecasting.series.panel import Array

__all__ = ["coverage_left_out", "interval_widths", "measured_coverage"]

_ENOUGH = 60


def interval_widths(residuals: Array, scale: Array, coverage: float) -> Array:
    """Half the width of the interval for each step ahead, in naive scales.

    Parameters
    ----------
    residuals
        Shape (windows, series, horizon); NaN is left out.
    scale
        The naive scale of each series; NaN takes 1.
    coverage
        Share of later values that the interval is to hold.
    """
    scaled = np.abs(residuals) / np.where(np.isfinite(scale), scale, 1.0)[:, None]
    horizon = scaled.shape[2]
    widths = np.empty(horizon)
    for step in range(horizon):
        widths[step] = _quantile(_near(scaled, step), coverage)
    return widths


def _near(scaled: Array, step: int) -> Array:
    """The residuals of a step and of as many neighbours as are needed."""
    horizon = scaled.shape[2]
    for reach in range(horizon):
        pool = scaled[:, :, max(0, step - reach) : step + reach + 1]
        known = pool[np.isfinite(pool)]
        if known.size >= _ENOUGH:
            return known
    return scaled[np.isfinite(scaled)]


def _quantile(values: Array, coverage: float) -> float:
    """The smallest value that holds the share, with the finite-sample correction; the largest if there are too few.

    >>> _quantile(np.arange(1.0, 20.0), 0.9)
    18.0
    """
    if values.size == 0:
        return math.nan
    rank = min(math.ceil((values.size + 1) * coverage), values.size)
    return float(np.sort(values)[rank - 1])


def measured_coverage(residuals: Array, scale: Array, widths: Array) -> float | None:
    """The share of residuals inside the interval; None if there is none."""
    scaled = np.abs(residuals) / np.where(np.isfinite(scale), scale, 1.0)[:, None]
    known = np.isfinite(scaled)
    return float((scaled <= widths)[known].mean()) if known.any() else None


def coverage_left_out(residuals: Array, scale: Array, coverage: float) -> float | None:
    """The coverage of each window by widths that the other windows gave."""
    shares = []
    for window in range(len(residuals)):
        widths = interval_widths(np.delete(residuals, window, axis=0), scale, coverage)
        share = measured_coverage(residuals[window : window + 1], scale, widths)
        shares += [share] if share is not None else []
    return float(np.mean(shares)) if shares else None
