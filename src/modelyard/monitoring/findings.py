"""From alarms per window to findings for people: nobody is called for one odd window."""

from collections.abc import Iterable, Sequence

from modelyard.core import Finding, Severity
from modelyard.monitoring.columns import SCORE
from modelyard.monitoring.drift import DriftLevel, DriftResult
from modelyard.monitoring.flow.persistence import persistent_severity
from modelyard.monitoring.performance import LabelUse, PerformanceWindow
from modelyard.monitoring.quality import QualityResult, QualitySignal
from modelyard.monitoring.records import DriftTrail
from modelyard.problem import metric_spec
from modelyard.report import format_number, format_percent

__all__ = [
    "drift_findings",
    "label_findings",
    "log_findings",
    "performance_finding",
    "quality_findings",
    "window_findings",
]

_LAST = 3

_QUALITY_WORDS = {
    QualitySignal.NULL_RATE: "is missing in {now} of the rows, in training in {before}",
    QualitySignal.NEW_CATEGORY: "has categories that training never saw in {now} of the rows",
    QualitySignal.RESPELLED: "spells known categories in another way in {now} of the rows",
    QualitySignal.OUT_OF_RANGE: "is outside the range of training in {now} of the rows",
    QualitySignal.FROZEN: "has one and the same value in every row",
    QualitySignal.NEW_SPIKE: "has one value in {now} of the rows that was rare in training",
    QualitySignal.UNIT_CHANGE: "seems to have changed its unit",
    QualitySignal.WRONG_TYPE: "holds values of another type in {now} of the rows",
}


def drift_findings(trails: Iterable[DriftTrail], *, scores: frozenset[str], loss_ruled_out: bool) -> list[Finding]:
    """One finding per feature that moved.

    Parameters
    ----------
    trails
        Features in the order of their weight.
    scores
        Names that are the model's own output.
    loss_ruled_out
        True if labels show that performance held; drift is then worth a warning, never a call.
    """
    found: list[Finding] = []
    for trail in trails:
        levels = [result.level.rank for result in trail.results]
        severity = persistent_severity(levels)
        if severity is None:
            continue
        if severity is Severity.ERROR and loss_ruled_out:
            severity = Severity.WARNING
        found.append(_drift_finding(trail, levels, severity, is_score=trail.feature in scores))
    return found


def _drift_finding(trail: DriftTrail, levels: Sequence[int], severity: Severity, *, is_score: bool) -> Finding:
    last = next(result for result in reversed(trail.results) if result.alarm)
    said = "The model's score" if trail.feature == SCORE else "The mix of the model's decisions"
    subject = said if is_score else f"`{trail.feature}`"
    past = "" if any(levels[-_LAST:]) else ", but not in the latest ones"
    message = (
        f"{subject} moved in {_count(levels)} windows{past}: PSI {format_number(last.psi)}, certainly at least "
        f"{format_number(last.psi_low)}; the bin '{last.top_bin}' went from {format_percent(last.top_before)} to "
        f"{format_percent(last.top_now)}."
    )
    why = (
        "The score is where every input that matters meets; when it moves, decisions move."
        if is_score
        else "The model meets inputs unlike those it learnt from; whether that costs anything, labels tell."
    )
    action = "Read the likely cause before anything is retrained."
    return Finding("drift", severity, trail.feature, message, why, action, _drift_evidence(last, levels), "M2")


def _drift_evidence(result: DriftResult, levels: Sequence[int]) -> dict[str, object]:
    return {
        "psi": result.psi,
        "psi_low": result.psi_low,
        "tolerance": result.tolerance,
        "js": result.js,
        "ks": result.ks,
        "wasserstein": result.wasserstein,
        "windows_with_alarm": sum(level > 0 for level in levels),
        "windows": len(levels),
        "level": DriftLevel(result.level).value,
    }


def _count(levels: Sequence[int]) -> str:
    """How many of the judged windows alarmed: "2 of 3"."""
    return f"{sum(level > 0 for level in levels)} of {len(levels)}"


def quality_findings(
    quality: Sequence[QualityResult], windows: Sequence[str], *, drifted: frozenset[str]
) -> list[Finding]:
    """One finding per column and signal.

    Parameters
    ----------
    quality
        Alarms of all windows.
    windows
        The judged windows in order.
    drifted
        Columns that have a drift finding; it tells of numbers out of range too, which are not repeated.
    """
    groups: dict[tuple[str, QualitySignal], dict[str, QualityResult]] = {}
    for result in quality:
        groups.setdefault((result.feature, result.signal), {})[result.window] = result
    found: list[Finding] = []
    for (feature, signal), by_window in groups.items():
        levels = [(3 if by_window[name].large else 1) if name in by_window else 0 for name in windows]
        severity = persistent_severity(levels)
        if severity is None or (signal is QualitySignal.OUT_OF_RANGE and feature in drifted):
            continue
        last = next(by_window[name] for name in reversed(windows) if name in by_window)
        words = _QUALITY_WORDS[signal].format(
            now=format_percent(last.share), before=format_percent(last.reference_share)
        )
        detail = f" ({last.detail})" if last.detail else ""
        message = f"`{feature}` {words}{detail}; seen in {_count(levels)} windows."
        why = "A model answers with confidence on broken columns, and retraining on them makes the fault permanent."
        action = f"Ask the owner of the source of `{feature}` what changed from {last.window} on or before."
        evidence = {"share": last.share, "reference_share": last.reference_share, "windows": len(levels)}
        found.append(Finding(signal.value, severity, feature, message, why, action, evidence, "M4"))
    return found


def performance_finding(
    windows: Sequence[PerformanceWindow], metric: str, *, pooled: PerformanceWindow | None = None
) -> Finding | None:
    """A finding if the metric fell beyond what is tolerated in any window; None if it did not.

    ``pooled`` are the rows of several windows together; a loss on them has persisted already.
    """
    judged = [window for window in windows if window.value is not None and not window.note]
    levels = [3 if window.alarm else 0 for window in judged]
    lost = pooled is not None and pooled.alarm
    severity = Severity.ERROR if lost else persistent_severity(levels)
    if severity is None:
        return None
    last = pooled if pooled and lost else next(window for window in reversed(judged) if window.alarm)
    title = metric_spec(metric).title
    message = (
        f"{title} was {format_number(last.value)} ({format_number(last.low)} to {format_number(last.high)}) in "
        f"{last.name}; the package had {format_number(last.reference)}, tolerated is "
        f"{format_number(last.tolerated)}; beyond doubt in {_count(levels)} single windows."
    )
    why = "The whole interval is beyond the tolerated loss: this is not chance."
    action = "Act on the likely cause; roll back if an earlier version does better on the same rows."
    evidence = {"value": last.value, "low": last.low, "high": last.high, "reference": last.reference, "rows": last.rows}
    return Finding("performance-drop", severity, metric, message, why, action, evidence, "M3")


def label_findings(use: LabelUse, windows: Sequence[PerformanceWindow]) -> list[Finding]:
    """What is odd about the labels themselves."""
    found: list[Finding] = []
    if use.unknown_ids:
        share = use.unknown_ids / max(use.received, 1)
        found.append(
            Finding(
                "labels-unknown-id",
                Severity.WARNING if share > 0.05 else Severity.INFO,
                "labels",
                f"{use.unknown_ids:,} labels name predictions that are not in the log.",
                "They cannot be judged; many of them mean that two systems count differently.",
                "Send back the id of the answer, as the service gave it.",
                {"unknown_ids": use.unknown_ids, "received": use.received},
                "M3",
            )
        )
    if use.conflicting:
        found.append(
            Finding(
                "labels-conflicting",
                Severity.INFO,
                "labels",
                f"{use.conflicting:,} predictions were labelled twice with different labels; the latest counts.",
                "Corrections are normal, many of them are not.",
                "Look at a few of them.",
                {"conflicting": use.conflicting, "repeated": use.repeated, "empty": use.empty},
                "M3",
            )
        )
    notes = sorted({window.note for window in windows if window.note})
    if windows and len([window for window in windows if window.note]) == len(windows):
        found.append(
            Finding(
                "performance-not-judged",
                Severity.INFO,
                "labels",
                f"Performance could not be judged in any window: {'; '.join(notes)}.",
                "Without it, only inputs and scores are watched.",
                "Send more labels, of every class and over all scores.",
                {"used": use.used, "coverage": use.coverage},
                "M3",
            )
        )
    return found


def log_findings(repeated_ids: int, missing: Sequence[str], versions: Sequence[str]) -> list[Finding]:
    """What is odd about the log itself."""
    found = [
        Finding(
            "feature-not-logged",
            Severity.WARNING,
            name,
            f"`{name}` is a feature of the model, but the log has no such column.",
            "What is not logged is not watched.",
            "Log every feature with each prediction, under its own name.",
            row="M4",
        )
        for name in missing
    ]
    if repeated_ids:
        message = f"{repeated_ids:,} rows repeat the id of an earlier prediction and were left out."
        why = "A prediction counted twice distorts every share."
        found.append(Finding("duplicate-id", Severity.WARNING, "id", message, why, "Find the writer that repeats."))
    if len(versions) > 1:
        message = f"The log mixes versions {', '.join(versions)}; all were judged against one reference."
        why = "A change of version looks like a change of the world."
        found.append(Finding("several-versions", Severity.INFO, "version", message, why, "Judge each version alone."))
    return found


def window_findings(ahead: int, unreferenced: Sequence[str], reference: str) -> list[Finding]:
    """What is odd about the moments of rows, and windows that could not be held against what the plan names."""
    found: list[Finding] = []
    if ahead:
        message = f"{ahead:,} rows are logged as later than now and were left out."
        why = "A clock or a time zone is wrong, and windows mix what was said on different days."
        action = "Set the clock of the machine that wrote them, or write moments with their zone."
        found.append(Finding("rows-ahead-of-time", Severity.WARNING, "at", message, why, action, {"rows": ahead}, "M1"))
    if unreferenced:
        what = "windows before them" if reference == "trailing" else "rows 52 weeks before"
        message = f"{len(unreferenced)} windows had too few {what} and were held against the package's training rows."
        why = "A reference of a few rows says little."
        action = "Nothing to do: it fills as time goes on."
        found.append(Finding("reference-too-short", Severity.INFO, "reference", message, why, action, row="M1"))
    return found
