"""Cases: a retraining that is under way, and how far it is, so that the next call goes on where a killed one ended.

Takes: what a retraining was asked with, and what each step has made.
Gives: the unfinished case of the same inputs, or a new one; the decision and its ledger row, each once.
Never: has two cases under way, or a decision that the ledger does not know after the next call.
"""

from modelyard.retraining.cases.book import Case, CaseBook
from modelyard.retraining.cases.records import CaseNotes, Inputs, StepNote
from modelyard.retraining.cases.standing import case_under_way

__all__ = ["Case", "CaseBook", "CaseNotes", "Inputs", "StepNote", "case_under_way"]
