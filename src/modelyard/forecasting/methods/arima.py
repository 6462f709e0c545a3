"""ARIMA: differences by a unit-root test, orders by AICc, seasons as differences or as waves.

Differences come by KPSS as Hyndman and Khandakar (2008) have it, orders by a short walk around theirs. Seasons of up
to twelve steps are seasonal terms; longer ones are waves with ARIMA errors (Hyndman and Athanasopoulos, 2021,
section 10.5), since seasonal terms of 24 steps and more take minutes to fit.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from modelyard.forecasting.series.panel import Array

__all__ = ["Arima"]

_LONGEST_TERMS = 12
_MOST_WAVES = 4
_KPSS_5_PERCENT = 0.463
_START = ((1, 0), (0, 1), (1, 1), (2, 1))
_STRONG_SEASON = 0.64
_ITERATIONS = 40


class Arima:
    """One ARIMA for each series."""

    def learn(self, history: Array, season: int) -> Mapping[str, Any]:
        """Differences, orders and parameters."""
        centre, spread = float(history.mean()), float(history.std())
        return {**self._fitted((history - centre) / spread, season), "centre": centre, "spread": spread}

    def _fitted(self, history: Array, season: int) -> Mapping[str, Any]:
        """The same for a history of mean 0 and deviation 1, on which the optimiser finds its way."""
        has_season = season > 1 and len(history) >= 3 * season
        waves = min(season // 2, _MOST_WAVES) if has_season and season > _LONGEST_TERMS else 0
        terms = has_season and not waves
        differences = int(terms and _season_strength(history, season) > _STRONG_SEASON)
        base = history[season:] - history[:-season] if differences else history
        order = _differences(base if not waves else base - _wave_fit(base, season, waves))
        seasonal = (int(terms), differences, int(terms), season if terms else 0)
        best: tuple[float, Mapping[str, Any]] | None = None
        for p, q in _START:
            shape = {"order": [p, order, q], "seasonal": list(seasonal), "waves": waves}
            fitted = _model(history, season, shape).fit(disp=False, maxiter=_ITERATIONS)
            if np.isfinite(fitted.aicc) and (best is None or fitted.aicc < best[0]):
                best = float(fitted.aicc), {**shape, "params": [float(value) for value in fitted.params]}
        return (
            best[1] if best is not None else {"order": [0, 1, 0], "seasonal": [0, 0, 0, 0], "waves": 0, "params": [1.0]}
        )

    def tell(self, history: Array, season: int, learnt: Mapping[str, Any], horizon: int) -> Array:
        """Filter the history by the parameters, and go on."""
        centre, spread = learnt["centre"], learnt["spread"]
        model = _model((history - centre) / spread, season, learnt).smooth(np.array(learnt["params"]))
        waves = int(learnt["waves"])
        ahead = _waves(np.arange(-horizon, 0) + horizon + len(history), season, waves, len(history)) if waves else None
        ahead_of: Array = centre + spread * np.asarray(model.forecast(horizon, exog=ahead), dtype=np.float64)
        return ahead_of


def _model(history: Array, season: int, shape: Mapping[str, Any]) -> Any:
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    waves = int(shape["waves"])
    order, seasonal = tuple(shape["order"]), tuple(shape["seasonal"])
    return SARIMAX(
        history,
        exog=_waves(np.arange(len(history)), season, waves, len(history)) if waves else None,
        order=order,
        seasonal_order=seasonal,
        trend="c" if order[1] + seasonal[1] == 0 else None,
        enforce_stationarity=True,
        enforce_invertibility=True,
    )


def _waves(steps: "np.typing.NDArray[np.int64]", season: int, count: int, length: int) -> Array:
    """Sines and cosines of a season, counted from the end of the history, so that they keep their phase."""
    angle = 2 * np.pi * (steps - length)[:, None] * np.arange(1, count + 1) / season
    keeps = 2 * np.arange(1, count + 1) < season  # the sine of the shortest wave is 0 everywhere
    return np.column_stack([np.cos(angle), np.sin(angle)[:, keeps]])


def _wave_fit(history: Array, season: int, count: int) -> Array:
    """The season as waves, by least squares."""
    waves = np.column_stack([np.ones(len(history)), _waves(np.arange(len(history)), season, count, len(history))])
    fitted: Array = waves @ np.linalg.lstsq(waves, history, rcond=None)[0]
    return fitted


def _differences(history: Array) -> int:
    """How often to take differences until KPSS no longer speaks against a steady level; at most twice."""
    values = history
    for count in range(2):
        if _kpss(values) < _KPSS_5_PERCENT or np.ptp(values) == 0:
            return count
        values = np.diff(values)
    return 2 if _kpss(values) >= _KPSS_5_PERCENT else 1


def _kpss(values: Array) -> float:
    """The statistic of Kwiatkowski, Phillips, Schmidt and Shin (1992) for a level, lags by Schwert's short rule."""
    error = values - values.mean()
    rows = len(error)
    lags = int(4 * (rows / 100) ** 0.25)
    variance = float(error @ error) / rows
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * float(error[lag:] @ error[:-lag]) / rows
    return float((np.cumsum(error) ** 2).sum()) / (rows**2 * variance) if variance > 0 else 0.0


def _season_strength(history: Array, season: int) -> float:
    """How much of what a moving level leaves is the season: 0 to 1 (Wang, Smith and Hyndman, 2006)."""
    level = np.convolve(history, np.ones(season) / season, mode="valid")
    rest = history[season // 2 :][: len(level)] - level
    means = np.array([rest[phase::season].mean() for phase in range(season)])
    seasonal = means[np.arange(len(rest)) % season]
    spread = rest.var()
    return max(0.0, 1 - (rest - seasonal).var() / spread) if spread > 0 else 0.0
