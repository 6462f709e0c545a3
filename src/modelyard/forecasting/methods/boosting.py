"""Boosted trees over lags, one model for all series and all steps ahead.

Direct, not recursive: a row is one origin and one step ahead, and the step is a feature. So nothing that was told is
fed back as if it were known, errors do not compound, and one fit and one pass are enough; the price is a model that
sees no value after the origin (Ben Taieb and Hyndman, 2014, on recursive against direct). Everything is measured from
the series' level at the origin, in its usual change over a season, so that trees, which cannot leave the range they saw,
meet the same range in every series and year.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import DataError, derive_seed
from modelyard.forecasting.measures import naive_scales
from modelyard.forecasting.series.panel import Array, Panel

__all__ = ["BoostedLags", "FittedBoosting"]

_MOST_ROWS = 60_000
_FEWEST_ROWS = 60
_RECENT = 4
_SEASONS_BACK = 3
_ROUNDS = 300
_CALENDAR = ("hour", "weekday", "day", "month", "week")
Index = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class FittedBoosting:
    """A fitted booster.

    Parameters
    ----------
    text
        LightGBM's own text form.
    names
        The series that it knows by name.
    scales
        Their usual change over a season.
    """

    text: str
    names: tuple[str, ...]
    scales: tuple[float, ...]

    def forecast(self, panel: Panel, horizon: int) -> Array:
        """All series and steps in one pass."""
        import lightgbm

        series, count = len(panel.names), horizon
        rows = np.repeat(np.arange(series), count)
        steps = np.tile(np.arange(1, count + 1), series)
        origins = np.full(len(rows), panel.steps - 1)
        scale = self._scales(panel)
        codes = np.array([self.names.index(name) if name in self.names else -1 for name in panel.names])
        moments = pl.concat([panel.moments, panel.ahead(count)])
        features, level = _features(panel, scale, moments, (rows, origins, steps), codes)
        booster = lightgbm.Booster(model_str=self.text)
        told = level + scale[rows] * np.asarray(booster.predict(features, num_threads=1))
        return np.asarray(told, dtype=np.float64).reshape(series, count)

    def _scales(self, panel: Panel) -> Array:
        """The scale that was learnt with, or the panel's for series that were not there."""
        known = dict(zip(self.names, self.scales, strict=True))
        own = _scale(panel)
        return np.array([known.get(name, own[row]) for row, name in enumerate(panel.names)])

    def to_dict(self) -> Mapping[str, Any]:
        """The booster as text, and the series."""
        return {"text": self.text, "names": list(self.names), "scales": list(self.scales)}


@dataclasses.dataclass(frozen=True)
class BoostedLags:
    """LightGBM over lags, windows and the calendar.

    Parameters
    ----------
    seed
        Draws the rows where there are too many.
    squared
        True to learn squared errors, for a measure that is a root of squares; else absolute ones.
    """

    seed: int = 0
    squared: bool = False
    name: str = "lightgbm"
    complexity: int = 4

    def fit(self, panel: Panel, horizon: int) -> FittedBoosting:
        """Learn from every origin that has lags behind it and a truth ahead.

        Raises
        ------
        DataError
            If there are too few.
        """
        import lightgbm

        scale = _scale(panel)
        index = self._origins(panel, horizon)
        features, level = _features(panel, scale, panel.moments, index, np.arange(len(panel.names)))
        rows, origins, steps = index
        target = (panel.values[rows, origins + steps] - level) / scale[rows]
        settings = {
            "objective": "regression" if self.squared else "regression_l1",
            "learning_rate": 0.05,
            "num_leaves": 31,
            "min_data_in_leaf": max(5, min(40, len(target) // 50)),
            "feature_fraction": 0.8,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "seed": derive_seed(self.seed, "forecast-boosting") % 2**31,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbose": -1,
        }
        names = [f"f{column}" for column in range(features.shape[1])]
        data = lightgbm.Dataset(features, label=target, feature_name=names, free_raw_data=True)
        booster = lightgbm.train(settings, data, num_boost_round=_ROUNDS)
        return FittedBoosting(booster.model_to_string(), panel.names, tuple(float(value) for value in scale))

    def _origins(self, panel: Panel, horizon: int) -> tuple[Index, Index, Index]:
        """Series, origin and step ahead of each row to learn from: a draw without repeats if there are too many."""
        need = min(panel.season, panel.steps // 2)
        begun = np.cumsum(np.isfinite(panel.values), axis=1) > need
        rows, origins = np.nonzero(begun[:, :-1])
        generator = np.random.default_rng(derive_seed(self.seed, "forecast-origins"))
        pairs = max(1, _MOST_ROWS // horizon)
        if len(rows) > pairs:
            kept = np.sort(generator.choice(len(rows), pairs, replace=False))
            rows, origins = rows[kept], origins[kept]
        steps = np.tile(np.arange(1, horizon + 1), len(rows))
        rows, origins = np.repeat(rows, horizon), np.repeat(origins, horizon)
        inside = origins + steps < panel.steps
        inside[inside] &= panel.observed[rows[inside], (origins + steps)[inside]]
        if inside.sum() < _FEWEST_ROWS:
            raise DataError(
                f"{int(inside.sum())} pairs of an origin and a step ahead are too few to learn from", where=self.name
            )
        return rows[inside].astype(np.int64), origins[inside].astype(np.int64), steps[inside].astype(np.int64)


def _scale(panel: Panel) -> Array:
    """The naive scale of each series; 1 where nothing changes."""
    scale = naive_scales(panel)[0]
    return np.where(np.isfinite(scale), scale, 1.0)


def _features(
    panel: Panel, scale: Array, moments: pl.Series, index: tuple[Index, Index, Index], codes: Index
) -> tuple[Array, Array]:
    """Features of each row, and the level that its values are measured from."""
    rows, origins, steps = index
    season = max(panel.season, 2)
    running, spread = _running(panel.values, season)
    level = running[rows, origins]
    columns = [_at(panel.values, rows, origins - lag) for lag in range(_RECENT)]
    for length in dict.fromkeys((season, *panel.seasons)):
        ahead = -(-steps // length) * length
        columns += [_at(panel.values, rows, origins + steps - ahead - back * length) for back in range(_SEASONS_BACK)]
    columns.append(_running(panel.values, season * 4)[0][rows, origins])
    usual = scale[rows]
    scaled = [(column - level) / usual for column in columns]
    scaled += [spread[rows, origins] / usual, level / usual]
    calendar = _calendar(moments)[origins + steps]
    own = [steps.astype(np.float64), codes[rows].astype(np.float64)]
    return np.column_stack([*scaled, calendar, *own]), level


def _at(values: Array, rows: Index, steps: Index) -> Array:
    """Values at steps; NaN before the first."""
    found = values[rows, np.maximum(steps, 0)]
    return np.where(steps >= 0, found, np.nan)


def _running(values: Array, length: int) -> tuple[Array, Array]:
    """Mean and standard deviation of the last ``length`` steps at each step, of what is there."""
    known = np.isfinite(values)
    clean = np.where(known, values, 0.0)

    def window(total: Array) -> Array:
        whole = np.cumsum(total, axis=1)
        whole[:, length:] = whole[:, length:] - whole[:, :-length].copy()
        return whole

    count = np.maximum(window(known.astype(np.float64)), 1.0)
    mean = window(clean) / count
    variance = window(clean**2) / count - mean**2
    return mean, np.sqrt(np.maximum(variance, 0.0))


def _calendar(moments: pl.Series) -> Array:
    """Parts of the date that a step falls on."""
    parts = [getattr(moments.dt, part)().to_numpy().astype(np.float64) for part in _CALENDAR]
    return np.column_stack(parts)
