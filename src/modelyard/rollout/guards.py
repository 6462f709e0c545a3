"""Verdicts: a figure of the new version against its bounds and the baseline. No data is never success."""

from collections.abc import Mapping, Sequence

from modelyard.rollout.records import Figure, GuardRule, Reading, Verdict
from modelyard.rollout.sequential import always_valid_interval

__all__ = ["LATENCY_NOISE_MS", "judge", "said"]

LATENCY_NOISE_MS = 10.0
"""A latency that is worse than the baseline's by less than this is the machine's noise, whatever their ratio."""

_LATENCY = "latency_p99_ms"


def judge(rules: Sequence[GuardRule], figures: Mapping[str, Figure]) -> tuple[Reading, ...]:
    """What each guard says; a figure that was not measured is inconclusive."""
    return tuple(_reading(rule, figures.get(rule.name, Figure(None, 0))) for rule in rules)


def said(readings: Sequence[Reading], verdict: Verdict) -> str:
    """Why, in the words of the guards with this verdict."""
    return "; ".join(reading.why for reading in readings if reading.verdict is verdict and reading.why)


def _reading(rule: GuardRule, figure: Figure) -> Reading:
    verdict, why, is_better = _judged(rule, figure)
    return Reading(rule.name, figure.value, figure.other, figure.samples, verdict, why, is_better)


def _judged(rule: GuardRule, figure: Figure) -> tuple[Verdict, str, bool]:
    """Verdict, reason, and whether the new version is certainly better."""
    name, value = rule.name, figure.value
    if value is None or figure.samples < rule.min_samples:
        return Verdict.INCONCLUSIVE, f"{name}: {figure.samples} of {rule.min_samples} samples", False
    if rule.high is not None and not value <= rule.high:  # a NaN fails, too
        return Verdict.FAILED, f"{name} is {value:.4g}, above {rule.high:g}", False
    if rule.low is not None and not value >= rule.low:
        return Verdict.FAILED, f"{name} is {value:.4g}, below {rule.low:g}", False
    if rule.max_change is None and rule.alpha is None:
        return Verdict.SUCCESS, "", False
    if figure.other is None or figure.other_samples < rule.min_samples:
        lacking = f"{name}: {figure.other_samples} of {rule.min_samples} samples of the baseline"
        return Verdict.INCONCLUSIVE, lacking, False
    return _compared_rows(rule, figure, rule.alpha) if rule.alpha is not None else _compared(rule, value, figure.other)


def _compared(rule: GuardRule, value: float, other: float) -> tuple[Verdict, str, bool]:
    """Against the baseline's value; for every figure that can be compared so, less is better."""
    change = value - other
    allowed = (rule.max_change or 0.0) * abs(other)
    if change > max(allowed, LATENCY_NOISE_MS if rule.name == _LATENCY else 0.0):
        return Verdict.FAILED, f"{rule.name} is {value:.4g}, the baseline's is {other:.4g}", False
    return Verdict.SUCCESS, "", False


def _compared_rows(rule: GuardRule, figure: Figure, alpha: float) -> tuple[Verdict, str, bool]:
    """Against the baseline's rows, by the sequential test; more is better."""
    value, other = figure.value or 0.0, figure.other or 0.0
    interval = always_valid_interval(
        value, figure.variance, figure.samples, (other, figure.other_variance, figure.other_samples), alpha
    )
    if interval is None:
        return Verdict.INCONCLUSIVE, f"{rule.name}: too few labels", False
    if interval.high < 0:
        why = f"{rule.name} is {value:.4g}, the baseline's is {other:.4g}: worse by {-interval.high:.4g} at least"
        return Verdict.FAILED, why, False
    return Verdict.SUCCESS, "", interval.low > 0
