"""The prediction log: what was asked and answered, and which labels came back.

Takes: records of predictions and of feedback.
Gives: segments on disk that lose nothing acknowledged when the process is killed, Parquet files, and tables.
Never: acknowledges a record that the operating system has not taken, holds up the event loop again for a disk that was slow, or writes what
is personal where the policy says no.
"""

from modelyard.serving.prediction_log.agreed import agreed_policy, log_key, tidy_log
from modelyard.serving.prediction_log.finding import find_records, scan_predictions
from modelyard.serving.prediction_log.policy import LogPolicy, Privacy
from modelyard.serving.prediction_log.retention import RetentionReport, remove_old
from modelyard.serving.prediction_log.segments import LogKind, TornLine
from modelyard.serving.prediction_log.tables import (
    CompactionReport,
    compact,
    read_feedback,
    read_gaps,
    read_predictions,
    torn_lines,
)
from modelyard.serving.prediction_log.writer import PredictionLog, record_feedback

__all__ = [
    "CompactionReport",
    "LogKind",
    "LogPolicy",
    "PredictionLog",
    "Privacy",
    "RetentionReport",
    "TornLine",
    "agreed_policy",
    "compact",
    "find_records",
    "log_key",
    "read_feedback",
    "read_gaps",
    "read_predictions",
    "record_feedback",
    "remove_old",
    "scan_predictions",
    "tidy_log",
    "torn_lines",
]
