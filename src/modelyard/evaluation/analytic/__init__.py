"""Intervals and tests by formula, where one is known: beside the bootstrap as a check, or where it fails.

Takes: truth and predictions of the same rows, or counts.
Gives: intervals of shares, DeLong's interval and paired test of ROC AUC, McNemar's test of labels.
Never: draws at random.
"""

from modelyard.evaluation.analytic.delong import delong_interval, delong_test
from modelyard.evaluation.analytic.mcnemar import mcnemar_test
from modelyard.evaluation.analytic.proportions import share_interval, wilson_interval

__all__ = ["delong_interval", "delong_test", "mcnemar_test", "share_interval", "wilson_interval"]
