"""Evaluation of a forecast: by the backtest, or for a reason by the sealed horizons."""

import dataclasses
from typing import Any

import numpy as np
import polars as pl

from modelyard.core import Actor, Clock, DataError, Finding, Severity, derive_seed, system_clock
from modelyard.data import Split
from modelyard.forecasting.backtest import floors, walk, windows_of
from modelyard.forecasting.measures import MEASURES, figures, naive_scales, pinball, unit_losses
from modelyard.forecasting.methods import Naive, SeasonalNaive
from modelyard.forecasting.records import ForecastEvaluation, ForecastFigures, ForecastRun, SeriesFigures, StepFigures
from modelyard.forecasting.run import StoredForecast
from modelyard.forecasting.series.panel import Array, build_panel
from modelyard.problem import Problem, broken_bounds, broken_findings, held_guardrails, metric_spec
from modelyard.report import format_number, format_percent

__all__ = ["Measured", "evaluate_forecast", "measure"]

_UNITS = 8
_REPEATS = 2000
_COVERAGE_SLACK = 0.05
_CURE = "Bring more history or what drives the series"
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclasses.dataclass(frozen=True)
class Measured:
    """Forecasts beside what came.

    Parameters
    ----------
    on
        ``backtest`` or ``test``.
    names
        Of the series.
    moments
        Of all steps of all windows, in order.
    truth
        Shape (windows, series, horizon).
    told
        The same for the naive answers and the winner, by name; the winner last.
    scales
        Naive scales of the series, absolute and squared.
    widths
        Half the width of the intervals: shape (series, horizon).
    floors
        What no interval goes below, for each series.
    """

    on: str
    names: tuple[str, ...]
    moments: pl.Series
    truth: Array
    told: dict[str, Array]
    scales: tuple[Array, Array]
    widths: Array
    floors: Array

    @property
    def winner(self) -> Array:
        """What the winner told."""
        last: Array = list(self.told.values())[-1]
        return last

    def table(self) -> pl.DataFrame:
        """A row for each window, series and step ahead: the moment, what came, the forecast and its interval."""
        windows, series, horizon = self.truth.shape
        window = np.repeat(np.arange(1, windows + 1), series * horizon)
        step = np.tile(np.arange(1, horizon + 1), windows * series)
        width = np.broadcast_to(self.widths, self.truth.shape)
        cells = {
            "window": window,
            "series": np.tile(np.repeat(np.array(self.names, dtype=object), horizon), windows),
            "step": step,
            "truth": self.truth.reshape(-1),
            "forecast": self.winner.reshape(-1),
            "low": np.maximum(self.winner - width, self.floors[:, None]).reshape(-1),
            "high": (self.winner + width).reshape(-1),
        }
        frame = pl.DataFrame(cells).with_columns(pl.col("series").cast(pl.String), pl.col("truth").fill_nan(None))
        return frame.with_columns(self.moments.gather((window - 1) * horizon + step - 1).alias("moment"))


def measure(run: StoredForecast, split: Split, problem: Problem, *, actor: Actor, reason: str | None) -> Measured:
    """The forecasts to judge; the sealed horizons are opened if a reason is given.

    Raises
    ------
    DataError
        If the sealed part holds no whole horizon of any series.
    """
    record = run.record
    if reason is None:
        return _of_backtest(run, split, problem)
    opened = split.test.open(reason, actor)
    frame = pl.concat([split.train.frame, opened], how="vertical_relaxed")
    whole = build_panel(frame, problem, frequency=record.frequency, to_end=True)
    panel = whole.only([row for row, name in enumerate(whole.names) if name in set(record.series)])
    first = int((panel.moments <= record.last).sum())
    truth = windows_of(panel, first, record.horizon)
    if not np.isfinite(truth).any():
        raise DataError(
            "the sealed part holds no whole horizon", where="split", cure="Set a larger forecast.test_windows"
        )
    told = {method.name: walk(method, panel, first, record.horizon) for method in _naive_methods(record)}
    told.pop(record.winner, None)
    told[record.winner] = walk(run.fitted, panel, first, record.horizon)
    scales = _scales_of(panel.names, split, problem, record)
    return Measured(
        "test", panel.names, panel.moments[first:], truth, told, scales, _widths(record, panel.names), floors(panel)
    )


def _of_backtest(run: StoredForecast, split: Split, problem: Problem) -> Measured:
    record = run.record
    table = run.told
    shape = (record.windows, len(record.series), record.horizon)
    naive = [method.name for method in _naive_methods(record) if method.name in table.columns]
    names = [name for name in naive if name != record.winner] + [record.winner]
    told = {name: table[name].to_numpy().reshape(shape) for name in names}
    truth = table["truth"].cast(pl.Float64).fill_null(float("nan")).to_numpy().reshape(shape)
    moments = table["moment"].unique().sort()
    scales = _scales_of(record.series, split, problem, record, before=record.windows * record.horizon)
    lowest = np.where(np.nanmin(truth, axis=(0, 2)) >= 0, 0.0, -np.inf)
    return Measured("backtest", record.series, moments, truth, told, scales, _widths(record, record.series), lowest)


def _naive_methods(record: ForecastRun) -> tuple[Naive | SeasonalNaive, ...]:
    done = {item.name for item in record.candidates if item.status == "done"}
    seasonal = [SeasonalNaive(season) for season in record.seasons]
    return (Naive(), *(method for method in seasonal if method.name in done))


def _scales_of(
    names: tuple[str, ...], split: Split, problem: Problem, record: ForecastRun, *, before: int = 0
) -> tuple[Array, Array]:
    """The naive scales of the training rows, ``before`` so many steps of their end."""
    panel = build_panel(split.train.frame, problem, frequency=record.frequency)
    absolute, squared = naive_scales(panel.until(panel.steps - before))
    rows = [panel.names.index(name) for name in names]
    return absolute[rows], squared[rows]


def _widths(record: ForecastRun, names: tuple[str, ...]) -> Array:
    scales = np.array([record.scales.get(name) or 1.0 for name in names])
    widths: Array = scales[:, None] * np.array(record.widths)
    return widths


def evaluate_forecast(
    seen: Measured, run: ForecastRun, split: Split, problem: Problem, *, clock: Clock = system_clock
) -> ForecastEvaluation:
    """Figures of the winner and of the naive answers, and where the winner fails."""
    openings = split.test.openings()
    confidence = 1 - 0.05 / max(1, openings if seen.on == "test" else 1)
    losses = {name: unit_losses(run.metric, seen.truth, told, seen.scales) for name, told in seen.told.items()}
    systems = tuple(_system(name, seen, losses[name], run.metric, confidence, problem) for name in seen.told)
    plain = {method.name for method in _naive_methods(run)}
    naive = [system for system in systems if system.name in plain and system.figures[run.metric] is not None]
    reference = min(naive, key=lambda system: system.figures[run.metric] or 0.0).name if naive else run.winner
    inside = np.abs(seen.truth - seen.winner) <= seen.widths
    known = np.isfinite(seen.truth)
    coverage = float(inside[known].mean()) if known.any() else None
    held = held_guardrails(problem, systems[-1].figures)
    draft = ForecastEvaluation(
        run_id=run.id,
        metric=run.metric,
        winner=run.winner,
        reference=reference,
        answer="",
        measured_on=seen.on,
        windows=len(seen.truth),
        systems=systems,
        series=_by_series(seen, losses, run.winner, reference),
        steps=_by_step(seen, run.winner, reference),
        weekday=_by_part(seen, "weekday"),
        hour=_by_part(seen, "hour"),
        coverage=coverage,
        pinball=pinball(seen.truth, seen.winner - seen.widths, seen.winner + seen.widths, run.coverage),
        nominal=run.coverage,
        openings=openings,
        confidence=confidence,
        guardrails=broken_bounds(held),
        findings=(),
        created_at=clock(),
        opened_at=clock() if seen.on == "test" else None,
    )
    told = dataclasses.replace(draft, answer=_answer(draft, run))
    return dataclasses.replace(
        told, findings=(*broken_findings(held, of="a forecast", cure=_CURE), *_findings(told, run))
    )


def _system(
    name: str, seen: Measured, losses: Array, metric: str, confidence: float, problem: Problem
) -> ForecastFigures:
    told = seen.told[name]
    values = {item: figures(item, unit_losses(item, seen.truth, told, seen.scales))[0] for item in MEASURES}
    low, high = _interval(losses, metric, confidence, derive_seed(problem.training.seed, f"forecast-{name}"))
    return ForecastFigures(name, values, low, high)


def _interval(losses: Array, metric: str, confidence: float, seed: int) -> tuple[float | None, float | None]:
    """The percentile bootstrap over series, or over windows where series are few; None where both are."""
    units = losses if losses.shape[1] < _UNITS else losses.T
    if len(units) < _UNITS:
        return None, None
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(_REPEATS):
        sample = units[generator.integers(0, len(units), len(units))]
        sample = sample if losses.shape[1] < _UNITS else sample.T
        value = figures(metric, sample)[0]
        drawn += [value] if value is not None else []
    tail = (1 - confidence) / 2
    return (float(np.quantile(drawn, tail)), float(np.quantile(drawn, 1 - tail))) if drawn else (None, None)


def _by_series(seen: Measured, losses: dict[str, Array], winner: str, reference: str) -> tuple[SeriesFigures, ...]:
    found = []
    for row, name in enumerate(seen.names):
        own = {
            item: _finite(np.nanmean(losses[item][:, row])) for item in (winner, reference) if _any(losses[item], row)
        }
        values = int(np.isfinite(seen.truth[:, row]).sum())
        found.append(SeriesFigures(name, values, own.get(winner), own.get(reference)))
    return tuple(sorted(found, key=lambda item: -(item.winner or 0.0)))


def _any(losses: Array, row: int) -> bool:
    return bool(np.isfinite(losses[:, row]).any())


def _by_step(seen: Measured, winner: str, reference: str) -> tuple[StepFigures, ...]:
    steps = []
    for step in range(seen.truth.shape[2]):
        truth = seen.truth[:, :, step]
        known = np.isfinite(truth)
        if not known.any():
            steps.append(StepFigures(step + 1, None, None, None))
            continue
        missed = {
            name: float(np.abs(seen.told[name][:, :, step] - truth)[known].mean()) for name in (winner, reference)
        }
        inside = (np.abs(seen.told[winner][:, :, step] - truth) <= seen.widths[:, step])[known]
        steps.append(StepFigures(step + 1, missed[winner], missed[reference], float(inside.mean())))
    return tuple(steps)


def _by_part(seen: Measured, part: str) -> dict[str, float]:
    """Mean absolute error by part of the calendar, over the whole mean; empty where all steps share one part."""
    table = seen.table().drop_nulls("truth").with_columns((pl.col("forecast") - pl.col("truth")).abs().alias("missed"))
    whole = table["missed"].mean()
    parts = getattr(table["moment"].dt, part)()
    if not whole or parts.n_unique() < 2:
        return {}
    means = table.with_columns(parts.alias("part")).group_by("part").agg(pl.col("missed").mean()).sort("part")
    return {_part_name(part, value): float(missed) / float(str(whole)) for value, missed in means.rows()}


def _part_name(part: str, value: int) -> str:
    """A weekday or an hour as people write it."""
    return _WEEKDAYS[value - 1] if part == "weekday" else f"{value:02d}:00"


def _finite(value: float | np.floating[Any]) -> float | None:
    return float(value) if np.isfinite(value) else None


def _answer(evaluation: ForecastEvaluation, run: ForecastRun) -> str:
    """Is it good enough, by which number, against what."""
    where = (
        f"On the {evaluation.windows} sealed horizons of {run.horizon} steps"
        if evaluation.measured_on == "test"
        else f"In {evaluation.windows} walk-forward windows of {run.horizon} steps"
    )
    own, reference = evaluation.system(run.winner), evaluation.system(evaluation.reference)
    mae, title = format_number(own.figures["mae"]), metric_spec(run.metric).title
    value, other = own.figures[run.metric], reference.figures[run.metric]
    text = f"{where}, {run.winner} misses {run.target} by {mae} on average ({title} {format_number(value)})"
    if run.winner == evaluation.reference:
        text += "; no method tells more than this naive answer"
    elif value is not None and other:
        gain = 1 - value / other
        word = "less" if gain >= 0 else "more"
        text += f", {format_percent(abs(gain))} {word} than the best naive answer, {evaluation.reference}"
    held = (
        f"; the {format_percent(run.coverage, 0)} intervals held {format_percent(evaluation.coverage)} of the values."
    )
    return text + held


def _findings(evaluation: ForecastEvaluation, run: ForecastRun) -> tuple[Finding, ...]:
    found = []
    own = evaluation.system(run.winner).figures[run.metric]
    other = evaluation.system(evaluation.reference).figures[run.metric]
    if run.winner != evaluation.reference and own is not None and other is not None and own >= other:
        found.append(
            Finding(
                "no-better-than-naive",
                Severity.WARNING,
                run.winner,
                f"{run.winner} is no better than {evaluation.reference} here: {format_number(own)} against {format_number(other)}.",
                "The naive answer costs nothing and cannot break.",
                "Use the naive answer, or bring what drives the series.",
                {"winner": own, "naive": other},
                "P5",
            )
        )
    units = max(1, evaluation.windows * len(evaluation.series))
    noise = (
        2 * (run.coverage * (1 - run.coverage) / units) ** 0.5
    )  # values of one horizon go together, so they count as one
    if evaluation.coverage is not None and abs(evaluation.coverage - run.coverage) > max(_COVERAGE_SLACK, noise):
        word = "too narrow" if evaluation.coverage < run.coverage else "wider than needed"
        found.append(
            Finding(
                "interval-coverage",
                Severity.WARNING,
                "forecast.coverage",
                f"The {format_percent(run.coverage, 0)} intervals held {format_percent(evaluation.coverage)}: they are {word}.",
                "Who plans by the interval meets surprises more often, or pays for more safety, than was asked for.",
                "Look at the steps and the time where it fails; more windows make the widths surer.",
                {"coverage": evaluation.coverage, "nominal": run.coverage},
                "E1",
            )
        )
    return tuple(found)
