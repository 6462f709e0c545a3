"""The choice among candidates: how sure a difference is, the rule, and what the score is worth after choosing.

Takes: candidates with out-of-fold predictions, constraints.
Gives: a winner, the reason in words, and a score that is corrected for having been picked.
Never: fits anything; looks beyond the training part.

The rule itself is in ``modelyard.training.choosing.rule``.
"""

from modelyard.training.choosing.bias import CorrectedScore, corrected_score
from modelyard.training.choosing.noise import Evidence, Gain

__all__ = ["CorrectedScore", "Evidence", "Gain", "corrected_score"]
