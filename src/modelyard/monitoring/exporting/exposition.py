"""What monitoring found, as text for Prometheus' textfile collector: few names, bounded labels."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from modelyard.core import Severity
from modelyard.governance import Alert
from modelyard.monitoring.drift import DriftLevel
from modelyard.monitoring.quality import QualitySignal
from modelyard.monitoring.records import MonitorReport, Verdict
from modelyard.serving.rest.metrics import family, sample

__all__ = ["MOST_FEATURES", "monitoring_text"]

MOST_FEATURES = 10
"""Features whose drift is a series of its own: those that moved most, after the model's score."""

_SCORE = "score"

Labels = Mapping[str, str]
Samples = Sequence[tuple[Labels, float | None]]


def monitoring_text(report: MonitorReport, alerts: Sequence[Alert], *, waiting: int, at: dt.datetime) -> str:
    """The figures of one run.

    Parameters
    ----------
    report
        What was judged.
    alerts
        Those that are open.
    waiting
        Messages that no sink took yet.
    at
        The moment of the run. A monitor that stopped is the commonest silent failure, so it is a figure.
    """
    lines: list[str] = []
    for name, text, samples in _families(report, alerts, waiting, at):
        known = [(labels, value) for labels, value in samples if value is not None]
        if known:
            lines += family(name, "gauge", text)
            lines += [sample(name, {"model": report.model, **labels}, value) for labels, value in known]
    return "\n".join(lines) + "\n"


def _families(
    report: MonitorReport, alerts: Sequence[Alert], waiting: int, at: dt.datetime
) -> Iterator[tuple[str, str, Samples]]:
    """Name, help and samples of each family."""
    windows = report.judged_windows
    last = windows[-1].end.timestamp() if windows else None
    yield "modelyard_monitor_run_timestamp_seconds", "When monitoring last ran.", [({}, at.timestamp())]
    yield "modelyard_monitor_last_window_timestamp_seconds", "End of the newest judged window.", [({}, last)]
    yield "modelyard_monitor_windows", "Windows judged.", [({}, len(windows))]
    yield "modelyard_monitor_predictions", "Predictions in the log.", [({}, report.rows)]
    verdicts: Samples = [({"verdict": one.value}, float(one is report.verdict)) for one in Verdict]
    yield "modelyard_monitor_verdict", "The verdict; 1 for one of them.", verdicts
    yield "modelyard_drift_psi", "Population stability index in the newest window, of what moved most.", _drift(report)
    levels: Samples = [({"level": level.value}, _at_level(report, level)) for level in DriftLevel]
    yield "modelyard_drift_features", "Features by level of drift in the newest window.", levels if windows else []
    yield "modelyard_quality_columns", "Columns with a quality alarm in the newest window.", _quality(report)
    yield from _performance(report)
    if report.flagged:
        flagged = report.flagged[-1]
        yield "modelyard_flagged_ratio", "Rows of the newest window that were called anomalies.", [({}, flagged.share)]
        yield "modelyard_flagged_expected_ratio", "Training rows that were.", [({}, flagged.expected)]
    counts: Samples = [
        ({"severity": severity.value}, sum(one.severity is severity for one in alerts)) for severity in Severity
    ]
    yield "modelyard_alerts_open", "Alerts that are open or acknowledged.", counts
    yield "modelyard_alert_messages_waiting", "Messages that no sink took yet.", [({}, waiting)]


def _drift(report: MonitorReport) -> Samples:
    """The score and the features that moved most; a label for each, so there are few."""
    latest = [trail.results[-1] for trail in report.trails if trail.results]
    score = [result for result in latest if result.feature == _SCORE]
    features = sorted((one for one in latest if one.feature != _SCORE), key=lambda one: -(one.psi or 0.0))
    return [({"feature": one.feature}, one.psi) for one in (*score, *features[:MOST_FEATURES])]


def _at_level(report: MonitorReport, level: DriftLevel) -> float:
    latest = [trail.results[-1] for trail in report.trails if trail.results and trail.feature != _SCORE]
    return float(sum(one.level is level for one in latest))


def _quality(report: MonitorReport) -> Samples:
    """Columns with an alarm, by what was seen."""
    if not report.judged_windows:
        return []
    last = report.judged_windows[-1].name
    found = [one for one in report.quality if one.window == last]
    known = [signal.value for signal in QualitySignal]
    return [({"signal": name}, len({one.feature for one in found if one.signal.value == name})) for name in known]


def _performance(report: MonitorReport) -> Iterator[tuple[str, str, Samples]]:
    """The primary metric in the newest window with labels, its interval, and what is tolerated."""
    valued = [window for window in report.performance if window.value is not None]
    coverage = report.labels.coverage if report.labels else None
    yield "modelyard_label_coverage_ratio", "Predictions that have a label.", [({}, coverage)]
    if not valued:
        return
    last = valued[-1]
    name = {"metric": report.metric}
    bounds: Samples = [({**name, "bound": "low"}, last.low), ({**name, "bound": "high"}, last.high)]
    yield "modelyard_performance", "The primary metric in the newest window with labels.", [(name, last.value)]
    yield "modelyard_performance_bound", "Its 95 % interval.", bounds
    yield "modelyard_performance_tolerated", "The value beyond which it is a loss.", [(name, last.tolerated)]
