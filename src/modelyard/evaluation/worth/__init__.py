"""What decisions are worth at every threshold, and thresholds that must keep a bound.

Takes: truth and scores of held-out or opened rows, the prices, and what the project file binds the threshold to.
Gives: the profit curve with its band and the prices at which the gain is gone; which thresholds keep a bound.
Never: chooses on the test part.
"""

from modelyard.evaluation.worth.constraint import ThresholdBound, bound_of
from modelyard.evaluation.worth.records import BreakEven, ProfitCurve

__all__ = ["BreakEven", "ProfitCurve", "ThresholdBound", "bound_of"]
