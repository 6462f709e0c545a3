"""Monitoring: quiet until it matters.

Takes: the reference profile of a package, the prediction log, and labels once they came.
Gives: a ``MonitorReport``: windows, drift, data quality, performance, the likely cause, findings and a verdict.
Never: needs the reference rows, calls anybody for one odd window, or proposes to retrain on a broken pipeline.
"""

from typing import TYPE_CHECKING

from modelyard.core.doors import light_door

if TYPE_CHECKING:
    from modelyard.monitoring.causes import Action, Cause, Diagnosis
    from modelyard.monitoring.drift import DriftLevel, DriftResult, drift_test
    from modelyard.monitoring.judging import monitor
    from modelyard.monitoring.performance import LabelUse, PerformanceWindow, join_labels
    from modelyard.monitoring.quality import QualityResult, QualitySignal
    from modelyard.monitoring.records import BinShift, DriftTrail, MonitorReport, Verdict
    from modelyard.monitoring.report import monitor_page
    from modelyard.monitoring.windows import WindowFacts, cut_windows
else:
    __getattr__ = light_door(__name__)

__all__ = [
    "Action",
    "BinShift",
    "Cause",
    "Diagnosis",
    "DriftLevel",
    "DriftResult",
    "DriftTrail",
    "LabelUse",
    "MonitorReport",
    "PerformanceWindow",
    "QualityResult",
    "QualitySignal",
    "Verdict",
    "WindowFacts",
    "cut_windows",
    "drift_test",
    "join_labels",
    "monitor",
    "monitor_page",
]
