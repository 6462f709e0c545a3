"""Anomalies: rows that are unlike the others.

Takes: training rows, and labels to judge by if there are any.
Gives: a detector chosen by labels or by steadiness, the strangest rows with the columns that make them so.
Never: learns from a label, or estimates how many anomalies there are: that share is stated.
"""

from modelyard.unsupervised.anomalies.records import (
    Anomaly,
    AnomalyEvaluation,
    AnomalyFigure,
    AnomalyRun,
    DetectorCandidate,
    Reason,
)

__all__ = ["Anomaly", "AnomalyEvaluation", "AnomalyFigure", "AnomalyRun", "DetectorCandidate", "Reason"]
