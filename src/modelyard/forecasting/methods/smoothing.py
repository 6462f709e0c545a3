"""Exponential smoothing in its state-space form (Hyndman, Koehler, Ord and Snyder, 2008), chosen by AICc."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from modelyard.forecasting.series.panel import Array

__all__ = ["Smoothing"]

_FORMS = ((False, False), (True, False), (False, True), (True, True))
"""A damped trend or none, a season or none; errors are added, since a target may be zero or below."""


class Smoothing:
    """One of four forms for each series: level, damped trend, season, both."""

    def learn(self, history: Array, season: int) -> Mapping[str, Any]:
        """The form of the smallest AICc with its parameters."""
        has_season = season > 1 and len(history) >= 2 * season + 4
        forms = [form for form in _FORMS if has_season or not form[1]]
        fits = []
        for trend, seasonal in forms:
            fitted = _model(history, season, trend=trend, seasonal=seasonal).fit(disp=False)
            if np.isfinite(fitted.aicc):
                fits.append((float(fitted.aicc), trend, seasonal, [float(value) for value in fitted.params]))
        if not fits:
            return {"trend": False, "seasonal": False, "params": [0.5]}
        _, trend, seasonal, params = min(fits)
        return {"trend": trend, "seasonal": seasonal, "params": params}

    def tell(self, history: Array, season: int, learnt: Mapping[str, Any], horizon: int) -> Array:
        """Smooth the history by the parameters, and go on."""
        seasonal = learnt["seasonal"] and len(history) >= 2 * season + 4
        if seasonal != learnt["seasonal"]:
            learnt = self.learn(history, season)
            seasonal = learnt["seasonal"]
        model = _model(history, season, trend=learnt["trend"], seasonal=seasonal)
        told: Array = np.asarray(model.smooth(np.array(learnt["params"])).forecast(horizon), dtype=np.float64)
        return told


def _model(history: Array, season: int, *, trend: bool, seasonal: bool) -> Any:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    return ETSModel(
        history,
        error="add",
        trend="add" if trend else None,
        damped_trend=trend,
        seasonal="add" if seasonal else None,
        seasonal_periods=season if seasonal else None,
        initialization_method="heuristic",
    )
