"""Which kind of alert a finding belongs to: the kind names the rule and the runbook."""

from modelyard.core import Finding
from modelyard.monitoring.quality import QualitySignal

__all__ = ["kind_of"]

_KINDS = {
    "drift": "drift",
    "duplicate-id": "quality",
    "feature-not-logged": "quality",
    "freshness": "quality",
    "no-data": "no_data",
    "several-versions": "other",
    "stale": "quality",
    "volume": "quality",
    **{signal.value: "quality" for signal in QualitySignal},
}
_BEGINNINGS = {
    "performance": "performance",
    "drift": "drift",
    "label": "labels",
    "latency": "latency",
    "error": "errors",
    "quality": "quality",
    "retraining": "retraining",
    "schedule": "schedule",
}
_ROWS = {"M2": "drift", "M3": "performance", "M4": "quality", "D": "audit", "F": "audit"}


def kind_of(finding: Finding) -> str:
    """The kind of alert that a finding may become: by its id, else by the row of the life-cycle list that asks for it.

    >>> from modelyard.core import Severity
    >>> kind_of(Finding("null-rate", Severity.ERROR, "age", "", "", "")), kind_of(Finding("x", Severity.INFO, "", "", "", ""))
    ('quality', 'other')
    """
    if finding.id in _KINDS:
        return _KINDS[finding.id]
    found = next((kind for start, kind in _BEGINNINGS.items() if finding.id.startswith(start)), None)
    return found or _ROWS.get(finding.row) or _ROWS.get(finding.row[:1], "other")
