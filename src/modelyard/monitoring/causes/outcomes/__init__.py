"""Outcomes by score, before and now: whether only their level moved, and what scores alone say about that."""

from modelyard.monitoring.causes.outcomes.mixture import Fit, black_box_share, mixture_fit, share_by_expectation
from modelyard.monitoring.causes.outcomes.prior import (
    PriorTest,
    prior_test,
    prior_test_of_classes,
    prior_test_of_numbers,
)
from modelyard.monitoring.causes.outcomes.reference import ProfileWithOutcomes, ScoreReference, as_logit

__all__ = [
    "Fit",
    "PriorTest",
    "ProfileWithOutcomes",
    "ScoreReference",
    "as_logit",
    "black_box_share",
    "mixture_fit",
    "prior_test",
    "prior_test_of_classes",
    "prior_test_of_numbers",
    "share_by_expectation",
]
