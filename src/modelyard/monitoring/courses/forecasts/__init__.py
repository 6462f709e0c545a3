"""Forecasts that were told, beside what came.

Takes: a table of forecasts as ``modelyard score`` wrote them, and the values as they arrive.
Gives: the metric, the bias and what the intervals held, by window of whole horizons.
Never: judges half a horizon, whose first steps are the easy ones.
"""

from modelyard.monitoring.courses.forecasts.records import ForecastWindow

__all__ = ["ForecastWindow"]
