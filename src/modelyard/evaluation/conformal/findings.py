"""Where the promise was not kept."""

from collections.abc import Iterator

from modelyard.core import Finding, Severity
from modelyard.evaluation.conformal.records import Regions
from modelyard.report import format_percent

__all__ = ["region_findings"]


def region_findings(regions: Regions | None, part: str) -> Iterator[Finding]:
    """Too few cases covered, overall (on rows other than those of calibration) or in a class or segment.

    Parameters
    ----------
    part
        The rows that were judged.
    """
    if regions is None or regions.overall is None:
        return
    whole, wanted = regions.overall, format_percent(regions.coverage)
    if regions.is_short:
        yield Finding(
            "coverage-not-kept",
            Severity.WARNING,
            "all rows",
            f"Intervals and sets meant for {wanted} of the cases held {format_percent(whole.covered)} of {whole.rows:,} "
            f"rows of {part} ({format_percent(whole.low)} to {format_percent(whole.high)}).",
            "Whoever relies on them is wrong more often than was promised: these rows are not like those of calibration.",
            "Look at what changed between the parts; ask for more under evaluation.coverage, or calibrate on later rows.",
            {"covered": whole.covered, "wanted": regions.coverage, "low": whole.low, "high": whole.high},
            "E3",
        )
    for item in regions.short[:3]:
        yield Finding(
            "coverage-uneven",
            Severity.WARNING,
            item.column or "class",
            f"Where {item.name if item.column else f'the class is {item.value}'}, intervals and sets meant for {wanted} "
            f"of the cases held {format_percent(item.covered)} of {item.rows:,} rows of {part} "
            f"({format_percent(item.low)} to {format_percent(item.high)}).",
            "The promise is kept on average and broken here, where an error may cost most.",
            "Tell those who use them; bring more such rows, or columns that say when a case is hard.",
            {"value": item.value, "covered": item.covered, "wanted": regions.coverage, "rows": item.rows},
            "E3",
        )
