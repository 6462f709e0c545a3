"""Replay: months of history through monitoring and retraining, and what each policy would have earned.

Takes: a table with times and outcomes, the problem, and policies: when to retrain, on which rows.
Gives: a ``Replay``: by policy the metric, the money and the retrainings it took, and which policy pays.
Never: changes the project's champion, log or splits; the ledger alone hears of it, in one row.
"""

from modelyard.retraining.replay.policies import BUILT_IN, Policy
from modelyard.retraining.replay.records import Gain, PolicyResult, Replay, Step
from modelyard.retraining.replay.verbs import Replays

__all__ = ["BUILT_IN", "Gain", "Policy", "PolicyResult", "Replay", "Replays", "Step"]
