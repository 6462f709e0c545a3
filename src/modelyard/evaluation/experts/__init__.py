"""The winner beside people who were asked the same question about the same rows.

Takes: a table of experts' answers, and the rows that an evaluation judges.
Gives: for each expert and for all together, who is right more often, with a paired interval and a paired test; and how far
the experts agree among themselves.
Never: opens a sealed row because an expert has answered it.

The modules other than the records are imported by their full path: they load what computes.
"""

from modelyard.evaluation.experts.records import ExpertAnswers, ExpertComparison, ExpertScore

__all__ = ["ExpertAnswers", "ExpertComparison", "ExpertScore"]
