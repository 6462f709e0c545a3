"""Drafting: what a table suggests about its project file.

Takes: a table and its target.
Gives: a drafted problem, each choice with its reason.
Never: looks at how a column relates to the target.
"""

from modelyard.data.drafting.draft import draft_problem
from modelyard.data.drafting.suggest import Suggestion, suggest

__all__ = ["Suggestion", "draft_problem", "suggest"]
