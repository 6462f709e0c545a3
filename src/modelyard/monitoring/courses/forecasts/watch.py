"""Watching a version that forecasts: what it told, judged by what came."""

from pathlib import Path

import polars as pl

from modelyard.core import ConfigError
from modelyard.data import read_table
from modelyard.data.dtypes import parse_moments
from modelyard.data.read import read_declared
from modelyard.forecasting.series.panel import build_panel
from modelyard.monitoring.causes import Action, Cause, Diagnosis
from modelyard.monitoring.causes.records import Evidence
from modelyard.monitoring.courses.forecasts.findings import forecast_findings
from modelyard.monitoring.courses.forecasts.judging import KnownFigure, forecast_windows, judge_window
from modelyard.monitoring.courses.forecasts.records import ForecastWindow
from modelyard.monitoring.courses.forecasts.told import beside_values
from modelyard.monitoring.courses.packaged import known_figures
from modelyard.monitoring.findings import performance_finding
from modelyard.monitoring.judging import verdict_of
from modelyard.monitoring.performance import LabelUse, PerformanceWindow
from modelyard.monitoring.records import MonitorReport
from modelyard.packaging import Package
from modelyard.packaging.courses.telling_plan import TellingPlan
from modelyard.problem import Problem, Task
from modelyard.report import format_number, format_percent, format_range
from modelyard.store import Workspace

__all__ = ["watch_forecast"]

_UNTOLD = "Why errors grew cannot be told from errors alone: look at the series, and at what drives them."


def watch_forecast(
    workspace: Workspace, package: Package, problem: Problem, *, told: Path | str | None, values: Path | str | None
) -> MonitorReport:
    """Judge forecasts that a version told.

    Parameters
    ----------
    told
        Table of forecasts, as ``modelyard score`` wrote them.
    values
        Table with the columns of the training data and the values that came since; the project's source as it is now if
        None.

    Raises
    ------
    ConfigError
        If there is no table of forecasts: no log holds them.
    DataError
        If a table cannot be read or lacks columns.
    """
    if told is None:
        raise ConfigError(
            "forecasts are kept in no log, so what was told must be brought",
            where="task: forecasting",
            cure="Keep what modelyard score HISTORY FORECAST writes, then run: modelyard monitor --data FORECAST",
        )
    plan = TellingPlan.from_dict(package.read_json("plan.json"))
    frame = read_table(values) if values is not None else read_declared(problem.data, workspace.root).frame
    panel = build_panel(_with_moments(frame, plan.time), plan.problem, frequency=plan.rule.frequency)
    found = beside_values(read_table(told), panel, plan)
    on_test = package.read_json("metrics.json")["measured_on"] == "test"
    behind = problem.forecast.test_windows if on_test else problem.forecast.windows
    reference = KnownFigure(known_figures(package).get(problem.primary_metric), behind)
    windows = forecast_windows(found.steps, problem)
    judged = [judge_window(window, plan, problem, reference) for window in windows]
    performance = tuple(one for one, _ in judged)
    beside = tuple(one for _, one in judged)
    drop = performance_finding(performance, problem.primary_metric)
    findings = [*([drop] if drop else []), *forecast_findings(beside, found)]
    facts = tuple(window.facts for window in windows)
    known = int(found.steps["value"].is_not_null().sum())
    return MonitorReport(
        model=problem.name,
        versions=(package.manifest.version,),
        rows=found.rows,
        since=facts[0].start if facts else None,
        until=facts[-1].end if facts else None,
        windows=facts,
        trails=(),
        quality=(),
        metric=problem.primary_metric,
        reference_score=reference.value,
        labels=LabelUse(int(panel.observed.sum()), known, known / max(found.rows, 1), 0, 0, 0, 0),
        performance=performance,
        diagnosis=_diagnosis(performance, beside),
        shifts=(),
        findings=tuple(findings),
        verdict=verdict_of(facts, findings),
        task=Task.FORECASTING,
        forecasts=beside,
    )


def _with_moments(frame: pl.DataFrame, time: str) -> pl.DataFrame:
    """Moments that a table holds as text, as moments; what is none is refused where the grid is made."""
    if time in frame.columns and frame[time].dtype == pl.String:
        return frame.with_columns(parse_moments(frame[time]).alias(time))
    return frame


def _diagnosis(performance: tuple[PerformanceWindow, ...], beside: tuple[ForecastWindow, ...]) -> Diagnosis:
    """A loss is named, its cause is not."""
    pairs = [
        (one, other) for one, other in zip(performance, beside, strict=True) if one.value is not None and not one.note
    ]
    if not pairs:
        return Diagnosis(Cause.NOTHING, None, (), (), Action.IGNORE)
    last, other = pairs[-1]
    says = (
        f"The metric was {format_number(last.value)} ({format_range(last.low, last.high)}) in {last.name}; tolerated is "
        f"{format_number(last.tolerated)}."
    )
    held = f"Intervals held {format_percent(other.coverage)}; {format_percent(other.nominal)} is what they are to hold."
    moved = f"Bias {format_number(other.bias)} naive changes ({format_range(other.bias_low, other.bias_high)})."
    evidence = (
        Evidence("loss", last.value, last.tolerated, last.alarm, says),
        Evidence("bias", other.bias, None, other.is_biased, moved),
        Evidence("intervals", other.coverage, other.nominal, other.is_narrow, held),
    )
    if last.alarm or other.is_biased or other.is_narrow:
        return Diagnosis(Cause.UNEXPLAINED, None, evidence, (), Action.LOOK, None, _UNTOLD)
    return Diagnosis(Cause.NOTHING, None, evidence, (), Action.IGNORE)
