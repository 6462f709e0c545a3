"""Ways to tell the future of series.

Takes: a panel up to now.
Gives: a fitted method that tells the next steps, and can be written down as JSON.
Never: looks at a step after the panel's last one.
"""

from modelyard.forecasting.methods.average import AVERAGE, FittedAverage
from modelyard.forecasting.methods.method import Fitted, Method, TooSlowError
from modelyard.forecasting.methods.registry import load_fitted, methods_for
from modelyard.forecasting.methods.simple import Naive, SeasonalNaive

__all__ = [
    "AVERAGE",
    "Fitted",
    "FittedAverage",
    "Method",
    "Naive",
    "SeasonalNaive",
    "TooSlowError",
    "load_fitted",
    "methods_for",
]
