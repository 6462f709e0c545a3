"""What a person should know of forecasts beside what came."""

from collections.abc import Sequence

from modelyard.core import Finding, Severity
from modelyard.monitoring.courses.forecasts.records import ForecastWindow
from modelyard.monitoring.courses.forecasts.told import Told
from modelyard.monitoring.flow.persistence import persistent_severity
from modelyard.report import format_number, format_percent, format_range

__all__ = ["forecast_findings"]


def forecast_findings(windows: Sequence[ForecastWindow], told: Told) -> list[Finding]:
    """Bias and intervals that last, and rows that were told twice."""
    found = [_biased(windows), _narrow(windows), _repeated(told)]
    return [one for one in found if one is not None]


def _biased(windows: Sequence[ForecastWindow]) -> Finding | None:
    severity = persistent_severity([1 if window.is_biased else 0 for window in windows])
    if severity is None:
        return None
    last = next(window for window in reversed(windows) if window.is_biased)
    word = "high" if (last.bias or 0.0) > 0 else "low"
    message = (
        f"Forecasts of {last.name} are too {word} by {format_number(abs(last.bias or 0.0))} naive changes "
        f"({format_range(last.bias_low, last.bias_high)})."
    )
    why = "An error that goes one way adds up over a horizon and over series."
    action = "See whether the level of the series changed, and since when; then train with the newer values."
    return Finding("performance-bias", severity, "bias", message, why, action, {"bias": last.bias}, "M3")


def _narrow(windows: Sequence[ForecastWindow]) -> Finding | None:
    severity = persistent_severity([2 if window.is_narrow else 0 for window in windows])
    if severity is None:
        return None
    last = next(window for window in reversed(windows) if window.is_narrow)
    ends = f"{format_percent(last.coverage_low)} to {format_percent(last.coverage_high)}"
    message = (
        f"Intervals held {format_percent(last.coverage)} ({ends}) of the values of {last.name}; "
        f"{format_percent(last.nominal)} is what they are to hold."
    )
    why = "Whoever plans by the end of an interval is let down more often than was said."
    action = "Plan by wider intervals until the version is trained again on newer values."
    evidence = {"coverage": last.coverage, "nominal": last.nominal}
    return Finding("performance-intervals", severity, "coverage", message, why, action, evidence, "M3")


def _repeated(told: Told) -> Finding | None:
    if not told.repeated:
        return None
    message = f"{told.repeated:,} rows tell the same step of the same horizon again; the last of each counts."
    why = "Which of them people acted on is not known."
    action = "Keep one table for each telling."
    return Finding("duplicate-id", Severity.WARNING, "forecasts", message, why, action, {"rows": told.repeated}, "M4")
