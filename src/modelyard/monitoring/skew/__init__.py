"""Training-serving skew: whether logged requests were answered, and filled, as training would have.

Takes: a sample of logged answers, the package and the run that it was made of, and a table that holds the same entities.
Gives: answers that the package or the training pipeline would not give, and columns whose values differ, with the likely reason.
Never: compares distributions, which monitoring does, or takes what it could not compare for the same.
"""

from modelyard.monitoring.skew.check import SkewRequest, check_skew
from modelyard.monitoring.skew.records import ColumnSkew, Pattern, ScoreSkew, SkewReport, TableMatch

__all__ = ["ColumnSkew", "Pattern", "ScoreSkew", "SkewReport", "SkewRequest", "TableMatch", "check_skew"]
