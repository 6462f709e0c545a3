"""The estimator that answers for several: a weighted mean of its members, calibrated if need be."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.training.blending.calibration import Calibration

__all__ = ["BlendEstimator", "Member"]

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Member:
    """One model of a blend.

    Parameters
    ----------
    name
        The candidate's.
    estimator
        Fitted, with scikit-learn's API.
    start, stop
        Which features of a row it reads.
    weight
        Its share of the answer; the members' sum to 1.
    """

    name: str
    estimator: Any
    start: int
    stop: int
    weight: float


class BlendEstimator:
    """A weighted mean of members' probabilities or values, with scikit-learn's ``predict_proba`` and ``predict``.

    Parameters
    ----------
    members
        One at least, fitted on the same rows; all know the same classes.
    calibration
        What sets the mean's probabilities right; None to leave them.
    """

    def __init__(self, members: Sequence[Member], calibration: Calibration | None = None) -> None:
        self.members = tuple(members)
        self.calibration = calibration

    def predict_proba(self, matrix: Array) -> Array:
        """Probabilities of the classes, shape (rows, classes)."""
        mean = self._mean([member.estimator.predict_proba(_own(member, matrix)) for member in self.members])
        if self.calibration is None:
            return mean
        if mean.shape[1] > 2:
            return self.calibration.apply(mean)
        positive = self.calibration.apply(mean[:, 1])
        return np.column_stack([1 - positive, positive])

    def predict(self, matrix: Array) -> Array:
        """Values, shape (rows,); of a regression only."""
        return self._mean([member.estimator.predict(_own(member, matrix)) for member in self.members])

    def _mean(self, answers: Sequence[Any]) -> Array:
        """Summed in the members' order, so that it is the same wherever it is computed."""
        total = self.members[0].weight * np.asarray(answers[0], dtype=np.float64)
        for member, answer in zip(self.members[1:], answers[1:], strict=True):
            total = total + member.weight * np.asarray(answer, dtype=np.float64)
        return np.asarray(total)


def _own(member: Member, matrix: Array) -> Array:
    """The features that a member reads."""
    return np.ascontiguousarray(matrix[:, member.start : member.stop])
