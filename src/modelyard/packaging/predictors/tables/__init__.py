"""Boosted models written as tables of numbers, so that serving needs not the library that trained them.

Takes: the splits and leaves of oblivious trees; the bins and terms of an additive model.
Gives: predictors.
Never: imports CatBoost or interpret, which load pandas.
"""

from modelyard.packaging.predictors.tables.additive import AdditivePredictor, AdditiveTables
from modelyard.packaging.predictors.tables.oblivious import ObliviousPredictor, ObliviousTrees, oblivious_trees

__all__ = ["AdditivePredictor", "AdditiveTables", "ObliviousPredictor", "ObliviousTrees", "oblivious_trees"]
