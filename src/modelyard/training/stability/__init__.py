"""Whether the choice would come again: on other folds, on further divisions into them, and with other seeds of fitting.

Takes: a finished search and what it would choose.
Gives: scores of those within noise on further divisions, the winner's spread by seed, and what they mean in words.
Never: looks beyond the training part; scores again what is clearly behind.
"""

from modelyard.training.stability.records import Finalist, FoldSpread, Repeats, SeedSpread

__all__ = ["Finalist", "FoldSpread", "Repeats", "SeedSpread"]
