"""Nested cross-validation: what the whole search is worth, on rows that no part of it has seen.

Takes: the training part, and the search as a procedure that is carried out on any rows.
Gives: the score of each outer part, their mean with an interval, and how often the winners agree.
Never: chooses the winner of the run, or changes what it is.
"""

from modelyard.training.nesting.records import NestedScore, OuterPart

__all__ = ["NestedScore", "OuterPart"]
