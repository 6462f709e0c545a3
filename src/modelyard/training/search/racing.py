"""Which candidates are given up after one fold: those that no blend and no further fold could still redeem."""

import numpy as np
import numpy.typing as npt

from modelyard.problem import Task
from modelyard.training.losses import fitting_losses

__all__ = ["is_hopeless"]

Array = npt.NDArray[np.float64]

_ERRORS = 3.0
_LEAST_SHARE = 0.75


def is_hopeless(task: Task, truth: Array, own: Array, best: Array, naive: Array) -> bool:
    """True if a candidate is clearly and by far behind the best one on the same held-out rows.

    Clearly: by more than three standard errors of the paired differences of the rows' losses. By far: it keeps less
    than three quarters of what the best one gains over the naive answer, so that it has nothing to add to a blend.

    Parameters
    ----------
    truth
        Encoded target of the rows.
    own, best, naive
        Predictions for them.
    """
    mine, leader, zero = (fitting_losses(task, truth, predictions) for predictions in (own, best, naive))
    behind = mine - leader
    error = float(behind.std()) / np.sqrt(len(behind))
    if float(behind.mean()) <= _ERRORS * error:
        return False
    return float((zero - mine).mean()) < _LEAST_SHARE * float((zero - leader).mean())
