"""The leaves that one row reaches, by the quickest walk at hand.

Takes: the nodes of decision trees that compare numbers in single precision.
Gives: the leaf of every tree for a row, by LightGBM's call for single rows; the sums that XGBoost makes of them; and
    what each feature adds to a forest's answer, by LightGBM's TreeSHAP.
Never: rounds a threshold, or walks a table: NumPy and the boosters' own libraries do that as well.
"""

from modelyard.packaging.predictors.walking.single_sums import SingleSums, single_sums
from modelyard.packaging.predictors.walking.tree_shap import TreeShap, tree_shap
from modelyard.packaging.predictors.walking.trees import LeafAnswers, TreeNodes
from modelyard.packaging.predictors.walking.walker import Walker, walker_of

__all__ = ["LeafAnswers", "SingleSums", "TreeNodes", "TreeShap", "Walker", "single_sums", "tree_shap", "walker_of"]
