"""The monitoring page: the verdict first, then what to do, then the evidence."""

from modelyard.monitoring.cause_card import cause_card
from modelyard.monitoring.courses.forecasts.page import forecast_section
from modelyard.monitoring.courses.page import beside_table, cluster_section, flagged_section
from modelyard.monitoring.domain import DomainTest
from modelyard.monitoring.drift import DriftResult
from modelyard.monitoring.expected.page import expected_sections
from modelyard.monitoring.flow.page import flow_sections
from modelyard.monitoring.records import MonitorReport, Verdict
from modelyard.problem import Problem, Task, metric_spec
from modelyard.report import (
    Block,
    Details,
    Fact,
    Facts,
    Figure,
    Findings,
    HeatCell,
    Page,
    Prose,
    Section,
    Series,
    Table,
    dumbbell_chart,
    format_number,
    format_percent,
    format_range,
    heat_chart,
    line_chart,
)

__all__ = ["monitor_page"]

_MOST_ROWS = 30
_MOST_WINDOWS = 30
_SHIFT_CHARTS = 3
_SHORT_TABLE = 14

_LEADS = {
    Verdict.NO_DATA: "There are no predictions to judge. No data is not good news: check that the log is written.",
    Verdict.WAITING: "There are too few predictions to judge yet; they are collected, not guessed about.",
    Verdict.QUIET: "Nothing moved further than is harmless.",
    Verdict.WATCH: "Something moved. It has not lasted, or not cost anything, so nobody needs to be called.",
    Verdict.ALARM: "Something is wrong in at least two of the last three windows. Somebody should look today.",
}


def monitor_page(report: MonitorReport, problem: Problem) -> Page:
    """The report for people; ``render_html`` or ``render_markdown`` make a file of it."""
    since = f"{report.since:%Y-%m-%d %H:%M}" if report.since else "–"
    until = f"{report.until:%Y-%m-%d %H:%M}" if report.until else "–"
    versions = f"version {', '.join(report.versions)}, " if report.versions else ""
    sections = [
        Section("Verdict", (_facts(report), *cause_card(report.diagnosis)), _LEADS[report.verdict]),
        Section("Findings", (Findings(report.findings, "No findings: nothing that anybody needs to read."),)),
    ]
    if report.performance or report.labels:
        sections.append(_performance(report))
    if report.flagged:
        sections.append(flagged_section(report.flagged))
    if report.clusters:
        sections.append(cluster_section(report.clusters))
    if report.forecasts:
        sections.append(forecast_section(report.forecasts))
    sections += expected_sections(report.expected, metric_spec(report.metric).title)
    if report.trails:
        sections.append(_drift(report, problem))
    if report.quality:
        sections.append(Section("Data quality", (_quality_table(report),)))
    sections += flow_sections(report.service, report.volume)
    if report.windows:
        sections.append(Section("Windows", (Details(f"{len(report.windows)} windows", (_window_table(report),)),)))
    owner = f"Owner: {problem.owner}. " if problem.owner else ""
    return Page(
        f"Monitoring of {report.model}",
        f"{versions}{since} to {until} UTC",
        tuple(sections),
        f"{owner}{_rate(report, problem)}",
    )


def _rate(report: MonitorReport, problem: Problem) -> str:
    """How often a clean window alarms; of forecasts no drift is judged."""
    if report.task is Task.FORECASTING:
        return "Forecasts are judged once their whole horizon has passed."
    rate = format_percent(problem.monitoring.false_alarm_rate)
    return f"Drift is judged so that a clean window alarms with a chance of at most {rate} over all features."


def _facts(report: MonitorReport) -> Facts:
    """The verdict in figures."""
    judged = len(report.judged_windows)
    waiting = sum(window.rows for window in report.windows if not window.judged)
    note = f"{waiting:,} rows wait for their window" if waiting else "all rows were judged"
    if report.task is Task.FORECASTING:
        note = f"{sum(window.rows for window in report.judged_windows):,} whole horizons of a series judged"
    items = [
        Fact("Verdict", report.verdict.value.capitalize(), report.diagnosis.verdict.words),
        Fact("Predictions", f"{report.rows:,}", note if report.rows else "the log is empty"),
        Fact("Windows judged", str(judged), f"{len(report.trails)} signals in each"),
    ]
    valued = [window for window in report.performance if window.value is not None]
    if valued:
        last = valued[-1]
        against = f"; package {format_number(last.reference)}" if last.reference is not None else ""
        title = metric_spec(report.metric).title
        items.append(Fact(f"{title}, latest", format_number(last.value), format_range(last.low, last.high) + against))
    elif report.task is Task.CLUSTERING:
        items.append(Fact("Performance", "–", "clusters have no truth to be held against"))
    elif report.labels is None:
        items.append(Fact("Performance", "–", "no labels came yet"))
    if report.flagged:
        flagged = report.flagged[-1]
        interval = f"{format_percent(flagged.low, 2)} to {format_percent(flagged.high, 2)}"
        note = f"{interval}; expected {format_percent(flagged.expected, 2)}"
        items.append(Fact("Rows flagged, latest", format_percent(flagged.share, 2), note))
    return Facts(tuple(items))


def _performance(report: MonitorReport) -> Section:
    """The primary metric over time, and what became of the labels."""
    blocks: list[Block] = []
    valued = [window for window in report.performance if window.value is not None]
    title = metric_spec(report.metric).title
    if valued:
        series = Series(
            "live",
            [float(index) for index in range(len(valued))],
            [_or_nan(window.value) for window in valued],
            [_or_nan(window.low) for window in valued],
            [_or_nan(window.high) for window in valued],
        )
        chart = line_chart(
            [series],
            title=f"{title} by window",
            x_label="",
            y_label=title,
            reference=report.reference_score,
            x_names=[window.name for window in valued],
        )
        blocks.append(chart.with_caption("The band is the 95 % bootstrap interval; the dotted line is the package."))
    rows = tuple(
        (
            window.name,
            f"{window.rows:,}",
            format_number(window.value),
            format_range(window.low, window.high),
            format_number(window.tolerated),
            "alarm" if window.alarm else window.note or "ok",
        )
        for window in report.performance
    )
    columns = ("Window", "Labelled rows", title, "95 % interval", "Tolerated", "Verdict")
    table = Table(columns, rows, numeric=(1, 2, 3, 4))
    blocks.append(table if len(rows) <= _SHORT_TABLE else Details(f"All {len(rows)} windows", (table,)))
    if report.beside:
        blocks.append(beside_table(report.beside))
    lead = ""
    if report.labels is not None:
        use = report.labels
        lead = f"{use.used:,} predictions ({format_percent(use.coverage)}) have a label."
        if use.unknown_ids or use.conflicting or use.empty:
            lead += (
                f" Left out or replaced: {use.unknown_ids:,} unknown ids, {use.conflicting:,} conflicting labels, "
                f"{use.empty:,} empty rows."
            )
    return Section("Performance", tuple(blocks), lead)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _drift(report: MonitorReport, problem: Problem) -> Section:
    """A map of features by windows, the bins of what moved most, and every statistic of the last window."""
    names = [window.name for window in report.judged_windows][-_MOST_WINDOWS:]
    loud = sorted(report.trails[1:], key=lambda trail: not any(result.alarm for result in trail.results))
    shown = [*report.trails[:1], *loud][:_MOST_ROWS]
    cells = [
        [HeatCell(result.level.rank, _tip(name, result)) for name, result in zip(names, recent, strict=True)]
        for recent in (trail.results[-_MOST_WINDOWS:] for trail in shown)
    ]
    left_out = len(report.trails) - len(shown)
    caption = "Levels are those of the lower bound of the PSI: small up to 0.1, moderate up to 0.25, large beyond."
    if left_out:
        caption += f" {left_out} more features are in the table below."
    heat = heat_chart([trail.feature for trail in shown], names, cells, title="Drift by feature and window")
    blocks: list[Block] = [heat.with_caption(caption), *_shift_charts(report)]
    table = Table(
        ("Feature", "PSI", "At least", "Tolerance", "JS", "KS", "Wasserstein", "Chi-square p", "Level"),
        tuple(_drift_row(trail.results[-1]) for trail in report.trails),
        numeric=(1, 2, 3, 4, 5, 6, 7),
    )
    note = Prose(
        "Only the PSI test alarms: it asks whether a feature moved further than its tolerance, whatever the number of "
        "rows. The other figures are there because people ask for them. Wasserstein is in units of the 10-to-90 % span."
    )
    blocks.append(Details(f"All statistics of {names[-1]}", (note, table)))
    if report.domain is not None:
        blocks.append(Prose(_domain_words(report.domain)))
    rate = format_percent(problem.monitoring.false_alarm_rate)
    lead = f"The model's score first, then its features. A clean window alarms with a chance of at most {rate}."
    return Section("Drift", tuple(blocks), lead)


def _domain_words(test: DomainTest) -> str:
    """What the domain classifier found."""
    figures = f"area under the curve {format_number(test.auc)} ({format_range(test.low, test.high)})"
    if not test.tells:
        return f"All columns together: rows of {test.window} cannot be told from those before; {figures}."
    return (
        f"All columns together: rows of {test.window} can be told from those before; {figures}. Most is told by "
        f"{', '.join(test.columns)}."
    )


def _shift_charts(report: MonitorReport) -> list[Figure]:
    """Training and now, bin by bin, for the features that moved most."""
    return [
        dumbbell_chart(
            shift.bins,
            [100 * share for share in shift.before],
            [100 * share for share in shift.now],
            title=f"{shift.feature}: {_reference(report)} and {shift.window}",
            names=(_reference(report), shift.window),
            x_label="% of rows",
        )
        for shift in report.shifts[:_SHIFT_CHARTS]
    ]


def _reference(report: MonitorReport) -> str:
    """What the last window was held against, in a word or two."""
    names = {"profile": "training", "trailing": "windows before", "last_year": "a year before"}
    last = report.judged_windows[-1].name
    return "training" if last in report.unreferenced else names[report.reference]


def _tip(window: str, result: DriftResult) -> str:
    return f"{result.feature}, {window}: PSI {format_number(result.psi)}, {result.level.value}, {result.rows:,} rows"


def _drift_row(result: DriftResult) -> tuple[str, ...]:
    return (
        result.feature,
        format_number(result.psi),
        format_number(result.psi_low),
        format_number(result.tolerance),
        format_number(result.js),
        format_number(result.ks),
        format_number(result.wasserstein),
        format_number(result.chi_square_p),
        result.level.value,
    )


def _quality_table(report: MonitorReport) -> Table:
    rows = tuple(
        (
            one.window,
            one.feature,
            one.signal.value.replace("-", " "),
            format_percent(one.share),
            format_percent(one.reference_share),
            one.detail,
        )
        for one in report.quality[-200:]
    )
    columns = ("Window", "Column", "What", "Now", "Training", "Detail")
    return Table(columns, rows, "Alarms by window, at most the last 200", (3, 4))


def _window_table(report: MonitorReport) -> Table:
    rows = tuple(
        (
            window.name,
            f"{window.start:%Y-%m-%d %H:%M}",
            f"{window.end:%Y-%m-%d %H:%M}",
            f"{window.rows:,}",
            str(window.merged),
            "judged" if window.judged else "waits for rows",
        )
        for window in report.windows
    )
    return Table(("Window", "From", "To", "Rows", "Periods merged", "State"), rows, numeric=(3, 4))
