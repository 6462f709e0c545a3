"""Walk-forward: stand at an origin, tell the next steps, compare with what came, go on by a horizon.

A method learns once, before the first origin, as a model in production does until it is trained again; at each origin
it is given all that was known by then. So no window tells a method anything about itself.
"""

import dataclasses
import time

import numpy as np

from modelyard.core import DataError, MissingExtraError
from modelyard.forecasting.intervals import coverage_left_out
from modelyard.forecasting.measures import MEASURES, figures, naive_scales, unit_losses
from modelyard.forecasting.methods import AVERAGE, Fitted, Method, TooSlowError
from modelyard.forecasting.records import ForecastCandidate
from modelyard.forecasting.series.panel import Array, Panel

__all__ = ["Backtest", "Tried", "average_of", "floors", "tell_from", "try_method", "walk", "windows_of"]

_AVERAGE_COMPLEXITY = 5


@dataclasses.dataclass(frozen=True)
class Backtest:
    """What all methods are measured on.

    Parameters
    ----------
    panel
        The series that are tried.
    horizon, windows
        Steps told at each origin, and how many origins.
    metric
        The primary measure.
    coverage
        Of the intervals.
    """

    panel: Panel
    horizon: int
    windows: int
    metric: str
    coverage: float

    @property
    def first(self) -> int:
        """Steps before the first origin."""
        return self.panel.steps - self.windows * self.horizon

    @property
    def truth(self) -> Array:
        """What came: shape (windows, series, horizon); NaN where nothing was observed."""
        return windows_of(self.panel, self.first, self.horizon)

    @property
    def scales(self) -> tuple[Array, Array]:
        """Naive scales of the steps before the first origin."""
        return naive_scales(self.panel.until(self.first))


@dataclasses.dataclass(frozen=True)
class Tried:
    """A candidate and all that it told.

    Parameters
    ----------
    candidate
        Its figures.
    told
        Shape (windows, series, horizon); None if it was left out.
    losses
        Of the primary measure: shape (windows, series).
    """

    candidate: ForecastCandidate
    told: Array | None = None
    losses: Array | None = None


def windows_of(panel: Panel, first: int, horizon: int) -> Array:
    """The observed values after a step, cut into horizons: shape (windows, series, horizon)."""
    values = np.where(panel.observed, panel.values, np.nan)[:, first:]
    count = values.shape[1] // horizon
    cut: Array = values[:, : count * horizon].reshape(len(values), count, horizon).transpose(1, 0, 2)
    return cut


def walk(fitted: Fitted, panel: Panel, first: int, horizon: int) -> Array:
    """What a fitted method tells at each origin: shape (windows, series, horizon)."""
    origins = range(first, panel.steps - horizon + 1, horizon)
    return np.stack([tell_from(fitted, panel.until(origin), horizon) for origin in origins])


def tell_from(fitted: Fitted, panel: Panel, horizon: int) -> Array:
    """What a fitted method tells at the end of a panel; what was never negative is not told below zero."""
    return np.maximum(fitted.forecast(panel, horizon), floors(panel)[:, None])


def floors(panel: Panel) -> Array:
    """Zero for each series that was never below it, else no floor."""
    return np.where(np.nanmin(panel.values, axis=1) >= 0, 0.0, -np.inf)


def try_method(method: Method, test: Backtest) -> Tried:
    """Measure one method; one that cannot be used is a candidate with its reason."""
    begun = time.monotonic()
    try:
        fitted = method.fit(test.panel.until(test.first), test.horizon)
    except (DataError, MissingExtraError, TooSlowError) as error:
        candidate = ForecastCandidate(method.name, method.complexity, "left out", error=error.sentence)
        return Tried(candidate)
    told = walk(fitted, test.panel, test.first, test.horizon)
    return _measured(method.name, method.complexity, told, test, time.monotonic() - begun)


def average_of(tried: list[Tried], test: Backtest) -> Tried | None:
    """The mean of the methods that learn; None if there are fewer than two."""
    members = [item for item in tried if item.told is not None and item.candidate.complexity >= 2]
    if len(members) < 2:
        return None
    told = np.mean([item.told for item in members if item.told is not None], axis=0)
    seconds = sum(item.candidate.seconds for item in members)
    return _measured(AVERAGE, _AVERAGE_COMPLEXITY, told, test, seconds)


def _measured(name: str, complexity: int, told: Array, test: Backtest, seconds: float) -> Tried:
    truth, scales = test.truth, test.scales
    losses = {measure: unit_losses(measure, truth, told, scales) for measure in MEASURES}
    whole = {measure: figures(measure, losses[measure])[0] for measure in MEASURES}
    windows = figures(test.metric, losses[test.metric])[1]
    coverage = coverage_left_out(truth - told, scales[0], test.coverage)
    candidate = ForecastCandidate(name, complexity, "done", whole, windows, coverage, round(seconds, 3))
    return Tried(candidate, told, losses[test.metric])
