"""Classes made even for learning: by weights, by SMOTE, by under-sampling; and probabilities set back to the true shares.

Takes: rows to learn from, a family, a way to make classes even.
Gives: an estimator that learnt from even classes and answers for uneven ones.
Never: touches rows held out, or needs imbalanced-learn once a model is fitted.
"""

from modelyard.training.balancing.resampling import Resampling, can_resample, require_resampling

__all__ = ["Resampling", "can_resample", "require_resampling"]
