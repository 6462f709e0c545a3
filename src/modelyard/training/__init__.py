"""Training: from a split to candidates, and to the one that won, with the reason.

Takes: the training part of a split, the problem, an executor for the work.
Gives: a stored run — candidates with fold scores and out-of-fold predictions, a winner and why, two fitted models.
Never: fits on validation rows before the winner is chosen, or sees the test part at all.
"""

from modelyard.training.executor import Executor, InProcessExecutor, LocalPoolExecutor, Outcome, Unit
from modelyard.training.records import Candidate, CandidateRole, CandidateStatus, TrainingRun

__all__ = [
    "Candidate",
    "CandidateRole",
    "CandidateStatus",
    "Executor",
    "InProcessExecutor",
    "LocalPoolExecutor",
    "Outcome",
    "TrainingRun",
    "Unit",
]
