"""What triggers and guards take from a monitoring report."""

import datetime as dt

from modelyard.core import Finding, Severity
from modelyard.monitoring import MonitorReport
from modelyard.monitoring.alerting import kind_of
from modelyard.retraining.triggers.facts import Judged

__all__ = ["judged_by"]

_LOSS = "performance-drop"


def judged_by(report: MonitorReport, at: dt.datetime) -> Judged:
    """What a report says; a loss counts once it has lasted, as for an alert: one bad window is not worth a retraining."""
    loud = [finding for finding in report.findings if finding.severity.rank >= Severity.WARNING.rank]
    errors = [finding for finding in loud if finding.severity is Severity.ERROR]
    loss = next((finding.evidence for finding in errors if finding.id == _LOSS), {})
    cause, gain = report.diagnosis, report.diagnosis.expected_gain
    return Judged(
        at=at,
        metric=report.metric,
        value=loss.get("value"),
        low=loss.get("low"),
        high=loss.get("high"),
        reference=loss.get("reference"),
        drifted=_subjects(loud, "drift"),
        cause=cause.verdict,
        pays=gain is not None and gain.pays and gain.action.value == "retrain",
        because=cause.evidence[0].says if cause.evidence else "",
        broken=tuple(finding.message for finding in errors if kind_of(finding) == "quality"),
    )


def _subjects(findings: list[Finding], kind: str) -> tuple[str, ...]:
    return tuple(finding.subject for finding in findings if kind_of(finding) == kind)
