"""Model families: what each is called, how it likes its features, how it is fitted, and what it promises.

Takes: encoded matrices, a configuration, a seed.
Gives: fitted estimators with scikit-learn's API, and the space in which a family is tuned.
Never: chooses among families.
"""

from modelyard.training.families.family import Dimension, Family, FitData, Fitted, Updatable
from modelyard.training.families.promises import Latency, Promises
from modelyard.training.families.registry import FAMILIES

__all__ = ["FAMILIES", "Dimension", "Family", "FitData", "Fitted", "Latency", "Promises", "Updatable"]
