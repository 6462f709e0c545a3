"""How uneven the classes are, and whether that is worth a remedy."""

import numpy as np
import numpy.typing as npt

from modelyard.problem import Task
from modelyard.training.preparation import Setup

__all__ = ["RARE", "is_uneven", "made_rows", "rare_share", "watched_class"]

RARE = 0.3
"""Below this share of the rarer of two classes the comparison is made by itself; of k classes below 2/k of it."""


def is_uneven(setup: Setup) -> bool:
    """True where the rarest class has less than 0.6 of the share that it would have if all were alike."""
    return rare_share(setup) < RARE * 2 / max(2, len(setup.classes))


def rare_share(setup: Setup) -> float:
    """The share of the rarest class that the training part holds; 1 where there are no classes."""
    return float(_shares(setup).min()) if setup.problem.task.is_classification else 1.0


def watched_class(setup: Setup) -> int:
    """The code of the class whose probabilities are told: the positive one, of several the rarest that is there."""
    if setup.problem.task is Task.BINARY:
        return 1
    codes, counts = np.unique(setup.truth, return_counts=True)
    return int(codes[counts.argmin()])


def made_rows(setup: Setup) -> int:
    """Rows of all classes but the most frequent: those among which SMOTE seeks neighbours."""
    return round(len(setup.truth) * (1 - float(_shares(setup).max())))


def _shares(setup: Setup) -> npt.NDArray[np.float64]:
    """Of the classes that are there."""
    _, counts = np.unique(setup.truth, return_counts=True)
    shares = counts / len(setup.truth)
    return np.append(shares, 0.0) if setup.problem.task is Task.BINARY and len(shares) == 1 else shares
