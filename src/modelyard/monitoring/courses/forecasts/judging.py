"""Windows of whole horizons: the metric, the bias and the intervals, each with an interval of its own."""

import dataclasses

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.forecasting.measures import figures, unit_losses
from modelyard.forecasting.series.panel import Array
from modelyard.monitoring.courses.forecasts.records import ForecastWindow
from modelyard.monitoring.performance import PerformanceWindow, tolerated_score
from modelyard.monitoring.windows import Window, cut_windows
from modelyard.packaging.courses.telling_plan import TellingPlan
from modelyard.problem import Problem

__all__ = ["KnownFigure", "forecast_windows", "judge_window"]

_CLUSTERS = 8
_REPEATS = 2_000
_TAIL = 0.025
_BIAS = 0.25
_SLACK = 0.05
_ROOTS = frozenset(("rmsse", "rmse"))
_NINETY_FIVE = 1.96
_NO_SCALE = "the package holds no root mean squared change of the series, so the metric cannot be told"


@dataclasses.dataclass(frozen=True)
class KnownFigure:
    """The metric in the package, and how many horizons of each series it was measured on; None if it is not known."""

    value: float | None
    windows: int


def forecast_windows(steps: pl.DataFrame, problem: Problem) -> tuple[Window, ...]:
    """Horizons by window of the plan; a window holds what an interval needs: 8 series, or 8 horizons of fewer series.

    Parameters
    ----------
    steps
        As :class:`~modelyard.monitoring.courses.forecasts.told.Told` has them.
    """
    plan = problem.monitoring
    units = steps.select("at", "series").unique(maintain_order=True)
    few = units["series"].n_unique() < _CLUSTERS
    moments = units.unique("at", maintain_order=True) if few else units
    windows = cut_windows(moments, plan.window, min_rows=_CLUSTERS, zone=plan.zone)
    return tuple(_with_steps(window, steps) for window in windows)


def _with_steps(window: Window, steps: pl.DataFrame) -> Window:
    """The window with the steps of its horizons, counted by horizon."""
    at = steps["at"].dt.replace_time_zone("UTC")
    rows = steps.filter(at.is_between(window.facts.start, window.facts.end))
    horizons = rows.select("at", "series").n_unique()
    return Window(dataclasses.replace(window.facts, rows=horizons), rows)


def judge_window(
    window: Window, plan: TellingPlan, problem: Problem, reference: KnownFigure
) -> tuple[PerformanceWindow, ForecastWindow]:
    """Measure one window.

    Parameters
    ----------
    window
        Of :func:`forecast_windows`.
    plan
        Of the package: the horizon, the naive change of each series, and what intervals are to hold.
    reference
        What the metric was in the package.

    Notes
    -----
    Intervals are percentiles of 2,000 bootstrap samples of whole series, or of whole moments where series are fewer than 8:
    errors of one series, and of one moment, go together. The percentiles are expanded for small samples (Hesterberg 2015, "What
    teachers should know about the bootstrap", section 4.3).

    The package's figure is chance, too: one of few horizons may have been lucky. Its standard error is taken as the window's own,
    by how many series or moments each was measured on, and what is tolerated grows so that the interval of the difference counts.
    """
    cells = _Cells.of(window.frame, plan)
    seed = derive_seed(problem.training.seed, "forecast", window.facts.name)
    return _performance(window, cells, problem, reference, seed), _beside(window, cells, plan, seed)


@dataclasses.dataclass(frozen=True)
class _Cells:
    """Horizons as arrays: truth and forecast of shape (horizons, steps), scale and cluster of each horizon."""

    truth: Array
    forecast: Array
    low: Array
    high: Array
    scale: Array
    cluster: npt.NDArray[np.int64]
    by_series: bool

    @classmethod
    def of(cls, frame: pl.DataFrame, plan: TellingPlan) -> "_Cells":
        shape = (-1, plan.rule.horizon)
        truth = frame["value"].cast(pl.Float64).fill_null(float("nan")).to_numpy().reshape(shape)
        forecast, low, high = (frame[name].to_numpy().reshape(shape) for name in ("forecast", "low", "high"))
        units = frame.filter(pl.col("step") == 1)
        scale = np.array([plan.rule.scales.get(name) or np.nan for name in units["series"].to_list()])
        by_series = units["series"].n_unique() >= _CLUSTERS
        cluster = units["series" if by_series else "at"].rank("dense").cast(pl.Int64).to_numpy() - 1
        return cls(truth, forecast, low, high, scale, cluster, by_series)

    def interval(self, total: Array, count: Array, seed: int) -> tuple[float, float]:
        """Ends of the interval of a mean, from its sum and its number of cells in each horizon."""
        clusters = int(self.cluster.max()) + 1
        sums, counts = (np.bincount(self.cluster, weights=part, minlength=clusters) for part in (total, count))
        drawn = np.random.default_rng(seed).integers(0, clusters, (_REPEATS, clusters))
        with np.errstate(invalid="ignore"):
            means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
        known, tail = means[np.isfinite(means)], _expanded(clusters)
        return float(np.quantile(known, tail)), float(np.quantile(known, 1 - tail))


def _expanded(clusters: int) -> float:
    """The tail of a percentile interval that is right for so few clusters: Student's instead of the normal one."""
    from scipy.stats import norm, t

    if clusters < 2:
        return _TAIL
    return float(norm.cdf(np.sqrt(clusters / (clusters - 1)) * t.ppf(_TAIL, clusters - 1)))


def _performance(
    window: Window, cells: _Cells, problem: Problem, reference: KnownFigure, seed: int
) -> PerformanceWindow:
    """The primary metric against the package's."""
    metric, facts = problem.primary_metric, window.facts
    judged = PerformanceWindow(
        facts.name, facts.start, facts.end, facts.rows, None, None, None, reference.value, None, alarm=False
    )
    if metric == "rmsse":
        return dataclasses.replace(judged, note=_NO_SCALE)
    losses = unit_losses(metric, cells.truth[None], cells.forecast[None], (cells.scale, cells.scale))
    value, _ = figures(metric, losses)
    known = np.isfinite(losses[0])
    if value is None:
        return dataclasses.replace(judged, note="no series has a naive change that is known")
    ends = cells.interval(np.where(known, losses[0], 0.0), known.astype(np.float64), seed)
    low, high = (float(np.sqrt(end)) if metric in _ROOTS else end for end in ends)
    tolerated = _tolerated(cells, problem, reference, (high - low) / (2 * _NINETY_FIVE))
    worse = tolerated is not None and low > tolerated
    note = "" if facts.judged else "too few horizons to judge"
    return dataclasses.replace(
        judged, value=value, low=low, high=high, tolerated=tolerated, alarm=worse and facts.judged, note=note
    )


def _tolerated(cells: _Cells, problem: Problem, reference: KnownFigure, error: float) -> float | None:
    """The value that the window's lower end must be beyond, so that the difference to the package's figure is no chance."""
    if reference.value is None:
        return None
    least = tolerated_score(problem.primary_metric, reference.value, problem.monitoring.performance_drop)
    own = int(cells.cluster.max()) + 1
    behind = own if cells.by_series else max(reference.windows, 1)
    return least + _NINETY_FIVE * (error * float(np.sqrt(1 + own / behind)) - error)


def _beside(window: Window, cells: _Cells, plan: TellingPlan, seed: int) -> ForecastWindow:
    """Bias and coverage."""
    facts, known = window.facts, np.isfinite(cells.truth)
    inside = (cells.truth >= cells.low) & (cells.truth <= cells.high)
    count = known.sum(axis=1).astype(np.float64)
    low, high = cells.interval((inside & known).sum(axis=1).astype(np.float64), count, seed)
    coverage = float((inside & known).sum() / known.sum())
    bias, bias_low, bias_high = _bias(cells, known, seed) or (None, None, None)
    beyond = bias_low is not None and bias_high is not None and (bias_low > _BIAS or bias_high < -_BIAS)
    return ForecastWindow(
        facts.name,
        facts.start,
        facts.end,
        facts.rows,
        window.frame["series"].n_unique(),
        int(known.sum()),
        bias,
        bias_low,
        bias_high,
        coverage,
        low,
        high,
        plan.coverage,
        is_biased=beyond and facts.judged,
        is_narrow=high < plan.coverage - _SLACK and facts.judged,
    )


def _bias(cells: _Cells, known: npt.NDArray[np.bool_], seed: int) -> tuple[float, float, float] | None:
    """Forecast less value in naive changes, with its interval; None if no series has a known change."""
    usable = known & np.isfinite(cells.scale)[:, None]
    if not usable.any():
        return None
    error = np.where(usable, (cells.forecast - cells.truth) / cells.scale[:, None], 0.0)
    count = usable.sum(axis=1).astype(np.float64)
    return float(error.sum() / count.sum()), *cells.interval(error.sum(axis=1), count, seed)
