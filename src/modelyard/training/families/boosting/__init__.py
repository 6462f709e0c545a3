"""Gradient boosting, which may be watched while it learns.

Takes: encoded rows, gaps included; rows held out to be watched on.
Gives: fitted boosters, and what they would have answered after fewer rounds.
Never: decides how many rounds are best by one fold alone.
"""

from modelyard.training.families.boosting.lightgbm import LightGBM
from modelyard.training.families.boosting.xgboost import XGBoost

__all__ = ["LightGBM", "XGBoost"]
