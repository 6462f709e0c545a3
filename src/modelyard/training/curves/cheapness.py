"""What is cheap enough to be drawn without being asked for, by counting and not by the clock."""

from collections.abc import Sequence

from modelyard.training.records import Candidate, CandidateRole

__all__ = ["WITH_KNOWN_ROUNDS", "counted", "is_cheap"]

WITH_KNOWN_ROUNDS = 0.5
"""What a fit of boosting costs, once its rounds are known, beside one that looks for them."""

_SHARE = 0.25
_LINEAR = 1.0
_OTHERS = 4.0


def counted(candidate: Candidate) -> float:
    """What its fits cost: a linear model's one, any other's four."""
    return _LINEAR if candidate.complexity == 1 else _OTHERS


def is_cheap(work: float, candidates: Sequence[Candidate]) -> bool:
    """Whether it costs at most a quarter of all candidates, which is about a fifth of training."""
    tried = [item for item in candidates if item.role is CandidateRole.CANDIDATE and item.is_complete]
    return work <= _SHARE * sum(counted(item) for item in tried)
