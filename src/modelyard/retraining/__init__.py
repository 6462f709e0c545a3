"""Retraining: from new labelled rows to a challenger, or to the reason why not.

Takes: new rows, the champion in production, the problem's gates.
Gives: a ``Decision`` with every gate's verdict, and a registered challenger if all of them said yes.
Never: promotes, or lets a row of an earlier sealed test part into training.
"""

from modelyard.retraining.records import Decision, GateResult, Outcome
from modelyard.retraining.triggers import Attempt, Due, retrain_if_due

__all__ = ["Attempt", "Decision", "Due", "GateResult", "Outcome", "retrain_if_due"]
