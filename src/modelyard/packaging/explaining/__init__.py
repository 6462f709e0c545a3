"""Why a packaged model gave a row its score.

Takes: rows as requests bring them, the package's plan, predictor and golden rows.
Gives: contributions of columns, with the score of an average row, that add up to the row's own.
Never: imports scikit-learn or shap, or gives amounts that do not add up.
"""

from modelyard.packaging.explaining.explainer import Explainer
from modelyard.packaging.explaining.records import Contribution, Reasons

__all__ = ["Contribution", "Explainer", "Reasons"]
