"""The leaves that one row reaches, by the quickest walk at hand.

Takes: the nodes of decision trees that compare numbers in single precision.
Gives: the leaf of every tree for a row, by LightGBM's call for single rows; and the sums that XGBoost makes of them.
Never: rounds a threshold, or walks a table: NumPy and the boosters' own libraries do that as well.
"""

from modelyard.packaging.predictors.walking.single_sums import SingleSums, single_sums
from modelyard.packaging.predictors.walking.trees import TreeNodes
from modelyard.packaging.predictors.walking.walker import Walker, walker_of

__all__ = ["SingleSums", "TreeNodes", "Walker", "single_sums", "walker_of"]
