"""The view of a check for training-serving skew."""

from rich.console import RenderableType

from modelyard.cli.show.blocks import counted, facts, findings_view, headline, plain_table, stack
from modelyard.monitoring.skew import ScoreSkew, SkewReport

__all__ = ["show_skew"]

_MOST_COLUMNS = 20


def show_skew(report: SkewReport) -> RenderableType:
    """The verdict, what was compared, the findings, and the columns that differ."""
    said = (
        f"version {report.version} of {report.model}, {report.sampled:,} of {counted(report.logged, 'logged answer')}"
    )
    changed = [one for one in report.columns if one.differing]
    rows = (
        (
            one.column,
            f"{one.differing:,} of {one.rows:,}",
            f"{one.share:.1%}",
            f"{one.missing:,}",
            f"{one.filled:,}",
            one.detail or one.pattern.value,
        )
        for one in changed[:_MOST_COLUMNS]
    )
    heads = ("column", "differ", "share", "missing", "filled", "pattern")
    return stack(
        headline(f"Training-serving skew: {report.verdict.value}.", said),
        facts((*((f"by the {one.by}", _score(one)) for one in report.scores), ("table", _table(report)))),
        findings_view(report.findings),
        plain_table(heads, rows, numeric=(1, 2, 3, 4)) if changed else None,
    )


def _score(one: ScoreSkew) -> str:
    if one.not_compared:
        return f"not compared: {one.not_compared}"
    return f"{one.differing:,} of {counted(one.rows, 'answer')} differ"


def _table(report: SkewReport) -> str:
    match = report.match
    if match.not_compared:
        return f"not compared: {match.not_compared}"
    as_of = f", as of {match.moment}" if match.moment else ""
    return (
        f"{match.table}: {match.matched:,} of {match.matched + match.unmatched:,} requests found by {match.key}{as_of}"
    )
