"""The families that ship with modelyard, by the names of the project file, simple first."""

from collections.abc import Mapping

from modelyard.training.families.family import Family
from modelyard.training.families.lightgbm import LightGBM
from modelyard.training.families.linear import Linear
from modelyard.training.families.random_forest import RandomForest
from modelyard.training.families.xgboost import XGBoost

__all__ = ["FAMILIES"]

FAMILIES: Mapping[str, Family] = {family.name: family for family in (Linear(), RandomForest(), LightGBM(), XGBoost())}
"""Name to family; ``train`` takes another mapping, in which families of one's own may stand."""
