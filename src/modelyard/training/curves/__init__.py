"""A closer look at the winner: what more rows would bring, what the tuned parameters did, what class weights would.

Takes: a finished search, and its winner.
Gives: figures with intervals, forecasts, comparisons, and what they mean in words.
Never: chooses the winner, or looks beyond the training part.
"""

from modelyard.training.curves.records import (
    CurvePoint,
    Forecast,
    LearningCurve,
    MoreRows,
    Remedy,
    Trial,
    ValidationCurve,
    WeightComparison,
)

__all__ = [
    "CurvePoint",
    "Forecast",
    "LearningCurve",
    "MoreRows",
    "Remedy",
    "Trial",
    "ValidationCurve",
    "WeightComparison",
]
