"""Triggers: whether it is time to retrain, and what speaks against it.

Takes: the project's triggers, and facts from the workspace and the ledger.
Gives: a ``Due`` with a sentence for each trigger that was pulled and each guard that holds it back, and what came of it.
Never: retrains while a guard holds, or changes anything when nothing is due.
"""

from modelyard.retraining.triggers.attempt import retrain_if_due
from modelyard.retraining.triggers.records import Attempt, Due, Held, Pulled

__all__ = ["Attempt", "Due", "Held", "Pulled", "retrain_if_due"]
