"""The search: matrices per fold, units of work, candidates scored by folds, and tuning.

Takes: training rows, folds, families, an executor.
Gives: candidates with fold scores, and their out-of-fold predictions.
Never: looks beyond the training part; chooses the winner.
"""

from modelyard.training.search.cross_validation import CrossValidation, Recipe
from modelyard.training.search.matrices import FoldMatrices
from modelyard.training.search.tuning import tune
from modelyard.training.search.units import FitUnit

__all__ = ["CrossValidation", "FitUnit", "FoldMatrices", "Recipe", "tune"]
