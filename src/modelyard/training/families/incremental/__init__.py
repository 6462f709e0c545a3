"""Families that can go on learning from new rows without seeing the old ones again.

Takes: what every family takes, and an estimator to go on from.
Gives: estimators, fitted or updated.
Never: refits the encoder.
"""

from modelyard.training.families.incremental.naive_bayes import NaiveBayes
from modelyard.training.families.incremental.sgd import StochasticEstimator, StochasticGradient

__all__ = ["NaiveBayes", "StochasticEstimator", "StochasticGradient"]
