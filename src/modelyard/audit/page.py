"""The audit as a page, findings first, then what each column holds, below one megabyte at 200 columns; and as files."""

import datetime as dt
from pathlib import Path

from modelyard.audit.records import Associations, AuditReport, ColumnFacts
from modelyard.core import Severity, StateError, write_atomic
from modelyard.problem import Problem
from modelyard.report import (
    Block,
    Fact,
    Facts,
    Findings,
    HeatCell,
    Page,
    Prose,
    Section,
    Table,
    bar_chart,
    format_number,
    format_percent,
    heat_chart,
    render_html,
    render_markdown,
)
from modelyard.store import load_record, save_record

__all__ = ["audit_page", "load_audit", "save_audit"]

_MOST_BARS = 20
_MOST_PAIRS = 12
_STRONG = 0.5
_BLOCKS = "▁▂▃▄▅▆▇█"
_EPOCH = dt.date(1970, 1, 1)
_LONGEST_LEVEL = 16
_LEAD = (
    "What the training part holds; no test row was looked at. Shape: rows in equal steps from the lowest value to the "
    "highest, or the shares of the top values."
)


def audit_page(report: AuditReport, problem: Problem) -> Page:
    """The page of one audit."""
    sections = [
        Section("Findings", (_key_figures(report), Findings(report.open_findings, empty="Nothing stands out."))),
        Section("Columns", (_column_table(report),), lead=_LEAD),
    ]
    if report.acknowledgements:
        sections.insert(1, Section("Acknowledged", (_acknowledged(report),), lead="Findings that somebody decided on."))
    if report.corrections:
        sections.insert(1, Section("Corrections", (_corrections(report),), lead="What people decided row by row."))
    if report.skipped:
        sections.append(Section("Checks that could not run", (_skipped(report),)))
    signal = _signal(report)
    if signal:
        sections.insert(1, Section("What single columns tell", signal))
    if report.associations is not None:
        sections.append(Section("What goes together", _together(report.associations)))
    if report.gaps:
        sections.append(Section("What is missing together", (_gaps(report),)))
    return Page(
        title=f"Data audit of {problem.name}",
        subtitle=f"Training part: {report.rows:,} rows, {report.columns:,} columns, target {problem.data.target}",
        sections=tuple(sections),
        footer=f"{len(report.checks)} checks ran on the training part alone.",
    )


def save_audit(report: AuditReport, problem: Problem, folder: Path) -> Path:
    """Write ``audit.html``, its twin ``audit.md``, and the record ``audit.json``; returns the page for people."""
    page = audit_page(report, problem)
    write_atomic(folder / "audit.md", render_markdown(page))
    return save_record(folder, "audit", report, render_html(page))


def load_audit(folder: Path) -> AuditReport | None:
    """The whole audit that :func:`save_audit` wrote; None if there is none, or only a quick one.

    Raises
    ------
    IntegrityError
        If the record is not what was written.
    """
    try:
        report = load_record(AuditReport, folder, "audit", cure="Run: modelyard audit")
    except StateError:
        return None
    return None if report.quick else report


def _key_figures(report: AuditReport) -> Facts:
    """Size and number of findings by severity."""
    counts = {severity: sum(f.severity is severity for f in report.open_findings) for severity in Severity}
    return Facts(
        (
            Fact("Rows", f"{report.rows:,}"),
            Fact("Columns", f"{report.columns:,}"),
            Fact("Errors", str(counts[Severity.ERROR]), "stop a gate"),
            Fact("Warnings", str(counts[Severity.WARNING]), "want a decision"),
            Fact("Notes", str(counts[Severity.INFO]), "worth knowing"),
        )
    )


def _acknowledged(report: AuditReport) -> Table:
    """Each acknowledged finding with who decided, why, and until when."""
    decided = [(finding, report.acknowledgement_of(finding)) for finding in report.findings]
    rows = [
        (finding.id, finding.message, decision.reason, decision.actor, decision.until.isoformat())
        for finding, decision in decided
        if decision is not None
    ]
    return Table(("Finding", "What was seen", "Why it may stay", "Decided by", "Until"), tuple(rows))


def _corrections(report: AuditReport) -> Table:
    """Each correction in force: what it changed, why, by whom, when."""
    rows = [(item.id, item.summary, item.reason, item.by, f"{item.at:%Y-%m-%d}") for item in report.corrections]
    return Table(("Correction", "What was decided", "Why", "By", "On"), tuple(rows))


def _skipped(report: AuditReport) -> Table:
    """Checks that did not run, and why."""
    return Table(("Check", "Why"), tuple((item.check, item.reason) for item in report.skipped))


def _signal(report: AuditReport) -> tuple[Block, ...]:
    """The features that tell most by themselves."""
    known = [(facts.score, facts.name) for facts in report.column_facts if facts.score is not None]
    if not known:
        return ()
    best = sorted(known, key=lambda pair: (-pair[0], pair[1]))[:_MOST_BARS]
    chart = bar_chart(
        [name for _, name in best],
        [score for score, _ in best],
        title=f"{report.score_name} of each column alone, on rows held out",
    )
    words = (
        "A column far ahead of all others deserves the question: is its value known when the prediction is asked for?"
    )
    return (Prose(words), chart)


def _together(found: Associations) -> tuple[Block, ...]:
    """The strengths as a grid, and the strongest pairs by name."""
    cells = [
        [
            HeatCell(None if first == second else _level(strength), f"{first} and {second}: {strength:.2f}")
            for second, strength in zip(found.columns, row, strict=True)
        ]
        for first, row in zip(found.columns, found.strengths, strict=True)
    ]
    grid = heat_chart(
        found.columns, found.columns, cells, title="Association of columns", levels=("below 0.1", "0.1", "0.3", "0.5")
    )
    caption = "Cramér's V, corrected for bias, numbers in tenths: 0 is independence, 1 means that each tells the other."
    pairs = found.pairs(_STRONG)[:_MOST_PAIRS]
    blocks: tuple[Block, ...] = (grid.with_caption(caption),)
    if not pairs:
        return blocks
    rows = tuple((first, second, f"{strength:.2f}") for first, second, strength in pairs)
    return (*blocks, Table(("Column", "goes with", "Strength"), rows, caption="The strongest pairs.", numeric=(2,)))


def _level(strength: float) -> int:
    """Cohen's words for effects: small from 0.1, medium from 0.3, large from 0.5."""
    return sum(strength >= edge for edge in (0.1, 0.3, 0.5))


def _gaps(report: AuditReport) -> Table:
    """The patterns of gaps, one a column: a mark where a column of the data is missing."""
    holed = [facts.name for facts in report.column_facts if any(facts.name in gap.columns for gap in report.gaps)]
    rows = tuple((name, *("✗" if name in gap.columns else "" for gap in report.gaps)) for name in holed)
    return Table(
        ("Rows with this pattern", *(f"{gap.rows:,}" for gap in report.gaps)),
        rows,
        caption="✗: no value in these rows. The commonest patterns come first.",
        numeric=tuple(range(1, len(report.gaps) + 1)),
    )


def _column_table(report: AuditReport) -> Table:
    """One line per column."""
    headings = ("Column", "Shape", "Kind", "Missing", "Distinct", "Range or top values", "Mean", "SD", "Zeros", "Skew")
    return Table(
        (*headings, report.score_name or "Score", "Role"),
        tuple(_row(facts) for facts in report.column_facts),
        numeric=(3, 4, 6, 7, 8, 9, 10),
        compact=True,
    )


def _row(facts: ColumnFacts) -> tuple[str, ...]:
    """The cells of one column."""
    return (
        facts.name,
        _sketch(facts),
        facts.kind,
        format_percent(facts.missing),
        f"{facts.distinct:,}",
        _range_or_top(facts),
        format_number(facts.mean),
        format_number(facts.sd),
        format_percent(facts.zeros),
        "–" if facts.skewness is None else f"{round(facts.skewness, 1) + 0.0:.1f}",
        format_number(facts.score),
        facts.role,
    )


def _range_or_top(facts: ColumnFacts) -> str:
    """Lowest, median and highest value, or the most frequent levels."""
    if facts.quantiles:
        low, middle, high = (facts.quantiles[place] for place in (0, 3, -1))
        show = _day if facts.kind == "date" else format_number
        return f"{show(low)} · {show(middle)} · {show(high)}"
    return ", ".join(f"{_short(level.value)} {format_percent(level.share, 0)}" for level in facts.top[:3])


def _day(days: float) -> str:
    """Days since 1970 as a date; the number where Python has no such date."""
    try:
        return (_EPOCH + dt.timedelta(days=days)).isoformat()
    except OverflowError:
        return format_number(days)


def _short(value: str) -> str:
    """A level that fits into a cell."""
    return value if len(value) <= _LONGEST_LEVEL else value[: _LONGEST_LEVEL - 1] + "…"


def _sketch(facts: ColumnFacts) -> str:
    """The distribution in block characters: eight heights, the highest for the fullest bin.

    >>> _sketch(ColumnFacts("x", "numeric", "feature", 0.0, 3, counts=(1, 0, 7, 14)))
    '▁ ▅█'
    """
    heights = [float(count) for count in facts.counts] or [level.share for level in facts.top]
    highest = max(heights, default=0.0)
    if highest <= 0:
        return ""
    return "".join(" " if height == 0 else _BLOCKS[round(height / highest * 7)] for height in heights)
