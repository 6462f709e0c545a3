"""Several predictors as one.

Takes: predictors, the stretch of features that each reads, weights, a curve.
Gives: one predictor that answers as the blend of training does.
Never: learns a weight or a curve.
"""

from modelyard.packaging.predictors.blending.blend import BlendPart, BlendPredictor, kinds_of

__all__ = ["BlendPart", "BlendPredictor", "kinds_of"]
