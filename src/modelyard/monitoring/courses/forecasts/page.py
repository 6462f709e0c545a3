"""Forecasts beside what came, on the page."""

from collections.abc import Sequence

from modelyard.monitoring.courses.forecasts.records import ForecastWindow
from modelyard.report import Section, Table, format_number, format_percent, format_range

__all__ = ["forecast_section"]

_MOST = 60


def forecast_section(windows: Sequence[ForecastWindow]) -> Section:
    """Bias and coverage by window."""
    rows = tuple(
        (
            one.name,
            f"{one.horizons:,}",
            f"{one.series:,}",
            f"{one.values:,}",
            format_number(one.bias),
            format_range(one.bias_low, one.bias_high),
            format_percent(one.coverage),
            f"{format_percent(one.coverage_low)} to {format_percent(one.coverage_high)}",
            " and ".join([*(["biased"] if one.is_biased else []), *(["too narrow"] if one.is_narrow else [])]) or "ok",
        )
        for one in windows[-_MOST:]
    )
    columns = ("Window", "Horizons", "Series", "Values", "Bias", "95 % interval", "Held", "95 % interval", "Verdict")
    lead = (
        f"Bias is forecast less value, in what the naive answer misses on average. Intervals are to hold "
        f"{format_percent(windows[-1].nominal)} of the values."
    )
    return Section("Bias and intervals", (Table(columns, rows, numeric=tuple(range(1, 8))),), lead)
