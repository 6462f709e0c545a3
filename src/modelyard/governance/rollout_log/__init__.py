"""The log of rollouts: each of them, and each change of its state, as rows beside the ledger's.

Takes: states that the machine of :mod:`modelyard.rollout` gave, within a transaction of the ledger.
Gives: the rollout under way, its history, and what the ledger must tell of both.
Never: changes a row; only the lease that says which process drives is overwritten.
"""

from modelyard.governance.rollout_log.account import rollout_facts, told_changes, told_rollouts
from modelyard.governance.rollout_log.records import Rollout, RolloutChange, RolloutView
from modelyard.governance.rollout_log.rows import (
    end_rollout,
    enter_change,
    enter_rollout,
    read_changes,
    read_latest,
    read_taken_back,
    under_way,
)

__all__ = [
    "Rollout",
    "RolloutChange",
    "RolloutView",
    "end_rollout",
    "enter_change",
    "enter_rollout",
    "read_changes",
    "read_latest",
    "read_taken_back",
    "rollout_facts",
    "told_changes",
    "told_rollouts",
    "under_way",
]
