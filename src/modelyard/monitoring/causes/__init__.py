"""Root cause: why a model's inputs, scores or performance moved, before anyone retrains.

Takes: judged windows, drift and quality alarms, labelled rows, and what is known of the package's outcomes by score.
Gives: a ``Diagnosis``: verdict, confidence, every test with its number, segments, the action, and what that would gain.
Never: proposes to retrain on a broken pipeline, or says what only labels could tell.
"""

from modelyard.monitoring.causes.gather import Observed, find_cause
from modelyard.monitoring.causes.outcomes import ProfileWithOutcomes, ScoreReference
from modelyard.monitoring.causes.records import (
    Action,
    Cause,
    Diagnosis,
    Evidence,
    ExpectedGain,
    LabelRequest,
    Segment,
)

__all__ = [
    "Action",
    "Cause",
    "Diagnosis",
    "Evidence",
    "ExpectedGain",
    "LabelRequest",
    "Observed",
    "ProfileWithOutcomes",
    "ScoreReference",
    "Segment",
    "find_cause",
]
