"""Trees by themselves: one, or many whose answers are averaged.

Takes: encoded rows without gaps.
Gives: fitted trees and forests.
Never: lets one tree see what another one got wrong; that is boosting.
"""

from modelyard.training.families.forests.decision_tree import DecisionTree
from modelyard.training.families.forests.extra_trees import ExtraTrees
from modelyard.training.families.forests.random_forest import RandomForest
from modelyard.training.families.forests.shallow_tree import ShallowTree

__all__ = ["DecisionTree", "ExtraTrees", "RandomForest", "ShallowTree"]
