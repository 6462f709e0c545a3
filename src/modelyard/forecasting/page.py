"""A forecast's evaluation as a page: the answer, then why, then where it fails, then what to do next."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from modelyard.core import Severity
from modelyard.forecasting.evaluate import Measured
from modelyard.forecasting.records import ForecastEvaluation, ForecastRun
from modelyard.forecasting.series.panel import Panel
from modelyard.problem import Problem, metric_spec
from modelyard.report import (
    Block,
    Details,
    Fact,
    Facts,
    Figure,
    Findings,
    Page,
    Prose,
    Section,
    Series,
    Table,
    bar_chart,
    format_number,
    format_percent,
    line_chart,
)

__all__ = ["forecast_page", "series_page"]

_SHOWN_SERIES = 3
_SHOWN_ROWS = 20
_SHOWN_STEPS = 400
_WORST = 10


def series_page(panel: Panel, findings: tuple[Section, ...], problem: Problem) -> Page:
    """The audit of series: what they look like, and what is wrong with them."""
    rows = [_series_row(panel, row) for row in range(min(len(panel.names), 200))]
    columns = ("series", "from", "to", "steps", "gaps", "mean", "usual change")
    table = Table(columns, tuple(rows), numeric=(3, 4, 5, 6), compact=True)
    facts = Facts(
        (
            Fact("series", f"{len(panel.names):,}"),
            Fact("step", panel.frequency),
            Fact("seasons", ", ".join(map(str, panel.seasons)) or "none", "in steps"),
            Fact("steps", f"{panel.steps:,}"),
        )
    )
    pictures = tuple(_whole_series(panel, row) for row in range(min(len(panel.names), _SHOWN_SERIES)))
    return Page(
        f"Audit of {problem.name}",
        problem.objective or f"Forecasting {problem.data.target}.",
        (*findings, Section("The series", (facts, *pictures, Details("All series", (table,))))),
        "The sealed horizons were not looked at.",
    )


def _series_row(panel: Panel, row: int) -> tuple[str, ...]:
    inside = np.flatnonzero(np.isfinite(panel.values[row]))
    history = panel.history(row)
    change = np.abs(history[panel.season :] - history[: -panel.season]) if len(history) > panel.season else np.array([])
    return (
        panel.names[row],
        f"{panel.moments[int(inside[0])]:%Y-%m-%d %H:%M}",
        f"{panel.moments[int(inside[-1])]:%Y-%m-%d %H:%M}",
        f"{len(inside):,}",
        f"{int((~panel.observed[row, inside]).sum()):,}",
        format_number(float(history.mean())),
        format_number(float(change.mean()) if change.size else None),
    )


def _whole_series(panel: Panel, row: int) -> Figure:
    values = np.where(panel.observed[row], panel.values[row], np.nan)
    line = Series(panel.names[row], range(panel.steps), values.tolist())
    names = panel.moments.dt.strftime("%Y-%m-%d").to_list()
    return line_chart([line], title=f"Series {panel.names[row]}", x_label="", y_label="value", x_names=names)


def forecast_page(evaluation: ForecastEvaluation, run: ForecastRun, seen: Measured, problem: Problem) -> Page:
    """The whole page."""
    return Page(
        title=f"Evaluation of {problem.name}",
        subtitle=problem.objective or f"Forecasting {run.target}, {run.horizon} steps of {run.frequency} ahead.",
        sections=(
            _answer(evaluation, run),
            _pictures(evaluation, seen, run),
            _why(run),
            _by_step(evaluation, run),
            _by_series(evaluation),
            _failures(evaluation, seen),
            _next(evaluation, run),
            _account(evaluation, run, seen),
        ),
        footer=f"Run {run.id}, evaluated {evaluation.created_at:%Y-%m-%d %H:%M} UTC.",
    )


def _answer(evaluation: ForecastEvaluation, run: ForecastRun) -> Section:
    own, naive = evaluation.system(run.winner), evaluation.system(evaluation.reference)
    title = metric_spec(run.metric).title
    between = (
        f"{format_number(own.low)} to {format_number(own.high)} at {evaluation.confidence:.1%} confidence"
        if own.low is not None
        else "too few windows and series for an interval"
    )
    facts = Facts(
        (
            Fact(title, format_number(own.figures[run.metric]), between),
            Fact("Mean absolute error", format_number(own.figures["mae"]), f"in units of {run.target}"),
            Fact(f"{title}, {naive.name}", format_number(naive.figures[run.metric]), "the best naive answer"),
            Fact("Values inside the intervals", format_percent(evaluation.coverage), f"asked for: {run.coverage:.0%}"),
            Fact("Pinball loss", format_number(evaluation.pinball), "of both ends of the intervals"),
        )
    )
    return Section("The answer", (facts, _systems(evaluation)), evaluation.answer)


def _systems(evaluation: ForecastEvaluation) -> Table:
    names = list(evaluation.systems[-1].figures)
    rows = [
        (system.name, *(format_number(system.figures[name]) for name in names))
        for system in reversed(evaluation.systems)
    ]
    titles = tuple(metric_spec(name).title for name in names)
    return Table(("method", *titles), tuple(rows), numeric=tuple(range(1, len(names) + 1)))


def _pictures(evaluation: ForecastEvaluation, seen: Measured, run: ForecastRun) -> Section:
    """The worst, the middle and the best series: forecast against truth."""
    order = [item.name for item in evaluation.series]
    chosen = dict.fromkeys((order[0], order[len(order) // 2], order[-1]))
    table = seen.table()
    figures = tuple(_against_truth(table.filter(pl.col("series") == name), name, run) for name in chosen)
    return Section(
        "Forecast against truth", figures, "The band is the interval; each horizon was told at its beginning."
    )


def _against_truth(rows: pl.DataFrame, name: str, run: ForecastRun) -> Figure:
    rows = rows.sort("window", "step").tail(_SHOWN_STEPS)
    steps = range(rows.height)
    truth = rows["truth"].cast(pl.Float64).fill_null(float("nan")).to_list()
    lines = [
        Series("forecast", steps, rows["forecast"].to_list(), rows["low"].to_list(), rows["high"].to_list()),
        Series("truth", steps, truth),
    ]
    names = rows["moment"].dt.strftime("%Y-%m-%d %H:%M" if "d" not in run.frequency else "%Y-%m-%d").to_list()
    title = f"{run.target}, series {name}"
    return line_chart(lines, title=title, x_label="", y_label=run.target, x_names=names)


def _why(run: ForecastRun) -> Section:
    rows = []
    for item in sorted(run.candidates, key=lambda item: item.figures.get(run.metric) or float("inf")):
        mark = "★" if item.name == run.winner else ""
        value = format_number(item.figures.get(run.metric)) if item.status == "done" else item.status
        rows.append((mark, item.name, value, format_percent(item.coverage), format_number(item.seconds), item.error))
    table = Table(
        ("", "method", metric_spec(run.metric).title, "inside intervals", "seconds", "note"),
        tuple(rows),
        numeric=(2, 3, 4),
    )
    lead = f"{run.why} Each method learnt once, before the first of {run.windows} windows, and told each from what was known by then."
    return Section("Why this method", (table,), lead)


def _by_step(evaluation: ForecastEvaluation, run: ForecastRun) -> Section:
    known = [item for item in evaluation.steps if item.winner is not None]
    steps = [item.step for item in known]
    lines = [
        Series(run.winner, steps, [item.winner or 0.0 for item in known]),
        Series(evaluation.reference, steps, [item.naive or 0.0 for item in known]),
    ]
    missed = line_chart(
        lines if run.winner != evaluation.reference else lines[:1],
        title="Mean absolute error by step ahead",
        x_label="steps ahead",
        y_label="mean absolute error",
    )
    inside = line_chart(
        [Series("inside", steps, [item.coverage or 0.0 for item in known])],
        title="Share inside the intervals by step ahead",
        x_label="steps ahead",
        y_label="share",
        y_range=(0.0, 1.0),
        reference=run.coverage,
    )
    return Section("By step ahead", (missed, inside) if len(steps) > 1 else (Prose("One step is told at a time."),))


def _by_series(evaluation: ForecastEvaluation) -> Section:
    title = metric_spec(evaluation.metric).title
    rows = tuple(
        (item.name, f"{item.values:,}", format_number(item.winner), format_number(item.naive))
        for item in evaluation.series[:_SHOWN_ROWS]
    )
    worse = [item for item in evaluation.series if (item.winner or 0) > (item.naive or 0)]
    lead = (
        f"{len(worse):,} of {len(evaluation.series):,} series are told worse than by {evaluation.reference}."
        if evaluation.winner != evaluation.reference
        else ""
    )
    table = Table(("series", "values", f"{title} (mean loss)", evaluation.reference), rows, numeric=(1, 2, 3))
    return Section("By series", (table,), lead)


def _failures(evaluation: ForecastEvaluation, seen: Measured) -> Section:
    blocks: list[Block] = []
    said = []
    for title, part in (("weekday", evaluation.weekday), ("hour of the day", evaluation.hour)):
        if part:
            worst = max(part, key=lambda name: part[name])
            said.append(f"{worst} ({part[worst]:.1f} times the mean error)")
            blocks.append(_part_chart(title, part))
    table = seen.table().drop_nulls("truth").with_columns((pl.col("forecast") - pl.col("truth")).alias("missed"))
    worst_rows = table.sort(pl.col("missed").abs(), descending=True).head(_WORST)
    rows = tuple(
        (f"{row['moment']:%Y-%m-%d %H:%M}", row["series"], str(row["step"]), *map(format_number, _cells(row)))
        for row in worst_rows.to_dicts()
    )
    columns = ("moment", "series", "step", "truth", "forecast", "low", "high")
    blocks.append(Table(columns, rows, "The ten largest misses.", numeric=(2, 3, 4, 5, 6)))
    lead = f"It misses most on {' and at '.join(said)}." if said else "The ten largest misses."
    return Section("Where it fails", tuple(blocks), lead)


def _cells(row: Mapping[str, float]) -> tuple[float, ...]:
    return row["truth"], row["forecast"], row["low"], row["high"]


def _part_chart(title: str, part: Mapping[str, float]) -> Figure:
    return bar_chart(
        list(part), list(part.values()), title=f"Error by {title}, over the mean", x_label="times the mean"
    )


def _next(evaluation: ForecastEvaluation, run: ForecastRun) -> Section:
    found = (*evaluation.findings, *run.findings)
    errors = sum(item.severity is Severity.ERROR for item in found)
    lead = (
        f"{errors} finding{'s' if errors > 1 else ''} must be settled before this forecast is used."
        if errors
        else "Write the next horizon: `modelyard score HISTORY FORECAST`."
        if evaluation.measured_on == "test"
        else 'Open the sealed horizons once: `modelyard evaluate --open-test "final evaluation"`.'
    )
    return Section("What to do next", (Findings(found, "No check found anything to settle."),), lead)


def _account(evaluation: ForecastEvaluation, run: ForecastRun, seen: Measured) -> Section:
    rows = (
        ("data set", run.dataset_id),
        ("split", run.split_id),
        ("learnt from, up to", f"{run.last:%Y-%m-%d %H:%M}"),
        (
            "measured on",
            f"{evaluation.measured_on}: {seen.moments[0]:%Y-%m-%d %H:%M} to {seen.moments[-1]:%Y-%m-%d %H:%M}",
        ),
        ("openings of the sealed part", str(evaluation.openings)),
        ("series", f"{len(run.series):,} tried, {len(run.left_out):,} left out"),
        ("libraries", ", ".join(f"{name} {version}" for name, version in run.environment.items())),
    )
    return Section("How it was tried", (Table(("what", "value"), rows),))
