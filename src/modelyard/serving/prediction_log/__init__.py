"""The prediction log: what was asked and answered, and which labels came back.

Takes: records of predictions and of feedback.
Gives: segments on disk that lose nothing acknowledged when the process is killed, Parquet files, and tables.
Never: acknowledges a record that the operating system has not taken, or holds up the event loop for a disk.
"""

from modelyard.serving.prediction_log.segments import LogKind, TornLine
from modelyard.serving.prediction_log.tables import (
    CompactionReport,
    compact,
    read_feedback,
    read_predictions,
    torn_lines,
)
from modelyard.serving.prediction_log.writer import PredictionLog, record_feedback

__all__ = [
    "CompactionReport",
    "LogKind",
    "PredictionLog",
    "TornLine",
    "compact",
    "read_feedback",
    "read_predictions",
    "record_feedback",
    "torn_lines",
]
