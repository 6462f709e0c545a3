"""Forecasting: what comes next in series, how sure that is, and how it was tried.

Takes: a split whose last horizons are sealed, and the problem.
Gives: a run (methods tried by walk-forward, a winner and why), an evaluation with its page, the next steps with intervals.
Never: uses at any step what came later, or opens the sealed horizons without a reason.
"""

from modelyard.forecasting.records import (
    ForecastCandidate,
    ForecastEvaluation,
    ForecastFigures,
    ForecastRun,
    SeriesFigures,
    StepFigures,
)

__all__ = [
    "ForecastCandidate",
    "ForecastEvaluation",
    "ForecastFigures",
    "ForecastRun",
    "SeriesFigures",
    "StepFigures",
]
