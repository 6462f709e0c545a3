"""Predictions with their reasons.

Takes: rows of a request, and the model that answers them.
Gives: predictions on record, each with contributions of fields and a sentence.
Never: works on the event loop, or on more at once than the process can bear.
"""

from modelyard.serving.explaining.answers import Explanation, FieldContribution
from modelyard.serving.explaining.explaining import Explaining

__all__ = ["Explaining", "Explanation", "FieldContribution"]
