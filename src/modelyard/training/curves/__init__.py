"""Curves of the winner: what more rows would bring, and what the tuned parameters did.

Takes: a finished search, and its winner.
Gives: figures by number of rows with intervals, a fitted law, forecasts, and a diagnosis in words.
Never: chooses the winner, or looks beyond the training part.
"""

from modelyard.training.curves.records import CurvePoint, Forecast, LearningCurve, MoreRows, Trial, ValidationCurve

__all__ = ["CurvePoint", "Forecast", "LearningCurve", "MoreRows", "Trial", "ValidationCurve"]
