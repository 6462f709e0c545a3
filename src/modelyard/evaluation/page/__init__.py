"""The page of an evaluation, in the order in which people ask.

Takes: an evaluation, the run it judges, the problem, and the audit if there is one.
Gives: one page: the answer, why this winner, what it is worth, where it fails, what to do next, and the account.
Never: computes a figure.
"""

from modelyard.evaluation.page.build import evaluation_page

__all__ = ["evaluation_page"]
