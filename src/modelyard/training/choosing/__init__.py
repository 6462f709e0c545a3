"""The choice among candidates: how sure a difference is, the rule, and what the score is worth after choosing.

Takes: candidates with out-of-fold predictions, constraints.
Gives: a winner, the reason in words, and a score that is corrected for having been picked.
Never: fits anything; looks beyond the training part.
"""

from modelyard.training.choosing.noise import Evidence, Gain
from modelyard.training.choosing.rule import LATENCY_SAFETY, Choice, choose, violations

__all__ = ["LATENCY_SAFETY", "Choice", "Evidence", "Gain", "choose", "violations"]
