"""Families whose library is an extra: asked for by name, and refused with the cure where the library is not installed.

Takes: what every family takes.
Gives: fitted estimators that are stored as plain tables, so that serving needs not the library.
Never: belongs to the families tried by default.
"""

from modelyard.training.families.optional.catboost import CatBoost
from modelyard.training.families.optional.ebm import AdditiveEstimator, ExplainableBoosting
from modelyard.training.families.optional.library import is_installed, require_library

__all__ = ["AdditiveEstimator", "CatBoost", "ExplainableBoosting", "is_installed", "require_library"]
