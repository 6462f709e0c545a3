"""Estimators without a native form, kept by skops and read only with an explicit yes.

Takes: a fitted estimator of scikit-learn's API; or its file, and an operator's trust.
Gives: a predictor like any other, but slow, as it calls the estimator itself.
Never: reads such a file because the package says that it may, or imports scikit-learn before somebody said yes.
"""

from modelyard.packaging.predictors.opaque.estimator import SkopsPredictor
from modelyard.packaging.predictors.opaque.trust import KNOWN_TYPES, SkopsTrust, declare_trust, operators_trust

__all__ = ["KNOWN_TYPES", "SkopsPredictor", "SkopsTrust", "declare_trust", "operators_trust"]
