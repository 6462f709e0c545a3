"""Several models as one: weights by greedy selection, calibrated probabilities, and the estimator that answers.

Takes: complete candidates with their out-of-fold predictions.
Gives: a further candidate, scored by cross-fitting; an estimator of fitted members.
Never: chooses the winner; learns weights or a calibration from rows that it is scored on.

The union of encoders is in ``modelyard.training.blending.encoders``, since encoders need scikit-learn.
"""

from modelyard.training.blending.calibration import Calibration
from modelyard.training.blending.estimator import BlendEstimator, Member

__all__ = ["BlendEstimator", "Calibration", "Member"]
