"""Training: try every method on the walk-forward windows, choose, learn from everything before the sealed part."""

import platform

import numpy as np
import polars as pl

from modelyard.core import (
    Clock,
    ConfigError,
    Progress,
    ProgressEvent,
    digest_json,
    installed_versions,
    silent,
    system_clock,
)
from modelyard.data import Split
from modelyard.forecasting.backtest import Backtest, Tried, average_of, try_method
from modelyard.forecasting.intervals import interval_widths
from modelyard.forecasting.measures import MEASURES, naive_scales
from modelyard.forecasting.methods import AVERAGE, Fitted, FittedAverage, Method, methods_for
from modelyard.forecasting.methods.local import LIMIT_S
from modelyard.forecasting.records import ForecastRun
from modelyard.forecasting.run import StoredForecast, is_stored, load_forecast, store_forecast
from modelyard.forecasting.selection import choose
from modelyard.forecasting.series.checks import check_panel, usable_series
from modelyard.forecasting.series.panel import Panel, build_panel
from modelyard.forecasting.trials import KeptTrials
from modelyard.problem import Problem
from modelyard.store import Workspace

__all__ = ["train_forecast"]

_LIBRARIES = ("numpy", "scipy", "polars", "lightgbm", "statsmodels")
_RULES = 1
"""Raised when the same question would give another run."""


def train_forecast(
    split: Split,
    problem: Problem,
    workspace: Workspace,
    *,
    resume: bool = True,
    progress: Progress = silent,
    clock: Clock = system_clock,
) -> StoredForecast:
    """Choose a method by backtest, and keep it fitted on all rows before the sealed part.

    The same split, plan, seed and libraries give the same run; a run that is there is not made again, and of one
    that was interrupted no method that was measured.

    Raises
    ------
    ConfigError
        If the primary metric is none of a forecast.
    DataError
        If the series cannot be put on a grid, or are too short.
    """
    metric = problem.primary_metric
    if metric not in MEASURES:
        raise ConfigError(
            "this measure is not one of forecasts",
            where="metrics.primary",
            got=metric,
            cure=f"Choose one of: {', '.join(MEASURES)}",
        )
    id_ = _run_id(split, problem)
    if resume and is_stored(id_, workspace):
        return load_forecast(id_, workspace)
    kept = KeptTrials(workspace.folder("runs") / f".forecast-{id_}")
    if not resume:
        kept.clear()
    panel = build_panel(split.train.frame, problem)
    usable = usable_series(panel, problem.forecast)
    chosen = panel.only(usable.rows)
    test = Backtest(chosen, problem.forecast.horizon, usable.windows, metric, problem.forecast.coverage)
    methods = _methods(problem, panel, metric)
    tried = _try_all(methods, test, kept, progress)
    winner, why = choose(tried, metric)
    won = next(item for item in tried if item.candidate.name == winner)
    told = won.told if won.told is not None else np.empty((0, 0, 0))
    residuals = test.truth - told
    record = ForecastRun(
        id=id_,
        dataset_id=split.record.dataset_id,
        split_id=split.record.id,
        target=problem.data.target,
        time=str(problem.data.time),
        metric=metric,
        frequency=panel.frequency,
        seasons=panel.seasons,
        horizon=test.horizon,
        series=chosen.names,
        left_out=usable.left_out,
        windows=test.windows,
        candidates=tuple(item.candidate for item in tried),
        winner=winner,
        why=why,
        coverage=test.coverage,
        widths=tuple(float(width) for width in interval_widths(residuals, test.scales[0], test.coverage)),
        scales=_scales(panel),
        last=panel.moments[-1],
        findings=check_panel(panel, problem.forecast),
        environment=_environment(),
        created_at=clock(),
    )
    fitted = _fit_winner(winner, methods, tried, chosen, test.horizon)
    store_forecast(record, fitted, _told_table(test, tried), workspace)
    kept.clear()
    return load_forecast(id_, workspace)


def _methods(problem: Problem, panel: Panel, metric: str) -> tuple[Method, ...]:
    """What the plan asks for; the time that is stated is shared among the methods that learn each series alone."""
    minutes = problem.constraints.training_minutes
    return methods_for(
        problem.forecast.methods,
        panel.seasons,
        seed=problem.training.seed,
        squared=metric in ("rmse", "rmsse"),
        limit_s=LIMIT_S if minutes is None else 60 * minutes / 4,
    )


def _run_id(split: Split, problem: Problem) -> str:
    plan = problem.forecast.model_dump(mode="json") | {"minutes": problem.constraints.training_minutes}
    question = {"split": split.record.id, "plan": plan, "metric": problem.primary_metric, "seed": problem.training.seed}
    columns = {"target": problem.data.target, "time": problem.data.time, "group": problem.data.group}
    return digest_json({**question, **columns, "libraries": _environment(), "rules": _RULES})[:12]


def _environment() -> dict[str, str]:
    """Versions that the result depends on; a library that is not installed is left out."""
    return {"python": platform.python_version(), **installed_versions(_LIBRARIES)}


def _try_all(methods: tuple[Method, ...], test: Backtest, kept: KeptTrials, progress: Progress) -> list[Tried]:
    """Every method's trial, those that an interrupted training has finished not again."""
    tried: list[Tried] = []
    for position, method in enumerate(methods, start=1):
        found = kept.find(method.name)
        tried.append(found or try_method(method, test))
        if found is None:
            kept.keep(tried[-1])
        last = tried[-1].candidate
        figure = last.figures.get(test.metric)
        said = last.error if figure is None else f"{test.metric} {figure:.4g}"
        progress(ProgressEvent("training", position, len(methods), f"{method.name}: {said}"))
    mean = average_of(tried, test)
    return [*tried, mean] if mean is not None else tried


def _fit_winner(winner: str, methods: tuple[Method, ...], tried: list[Tried], panel: Panel, horizon: int) -> Fitted:
    """The winner, learnt from all rows before the sealed part."""
    done = {item.candidate.name for item in tried if item.told is not None}
    if winner != AVERAGE:
        return next(method for method in methods if method.name == winner).fit(panel, horizon)
    members = [method for method in methods if method.name in done and method.complexity >= 2]
    return FittedAverage({method.name: method.fit(panel, horizon) for method in members})


def _scales(panel: Panel) -> dict[str, float | None]:
    scales = naive_scales(panel)[0]
    return {name: float(scales[row]) if np.isfinite(scales[row]) else None for row, name in enumerate(panel.names)}


def _told_table(test: Backtest, tried: list[Tried]) -> pl.DataFrame:
    """What every method told, beside what came: a row for each window, series and step ahead."""
    windows, series, horizon = test.truth.shape
    moments = test.panel.moments[test.first :]
    table = {
        "window": np.repeat(np.arange(1, windows + 1), series * horizon),
        "series": np.tile(np.repeat(np.array(test.panel.names, dtype=object), horizon), windows),
        "step": np.tile(np.arange(1, horizon + 1), windows * series),
        "truth": test.truth.reshape(-1),
    }
    columns = {item.candidate.name: item.told.reshape(-1) for item in tried if item.told is not None}
    steps = (table["window"] - 1) * horizon + table["step"] - 1
    frame = pl.DataFrame({**table, **columns}).with_columns(pl.col("series").cast(pl.String))
    return frame.with_columns(moments.gather(steps).alias("moment"), pl.col("truth").fill_nan(None))
