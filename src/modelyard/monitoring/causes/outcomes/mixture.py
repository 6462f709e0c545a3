"""What scores alone say about the outcome's share, if nothing else moved."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from modelyard.monitoring.causes.outcomes.reference import RATE, TOLERANCE, ScoreReference, smoothed_shares
from modelyard.monitoring.drift import psi_critical, psi_statistics

__all__ = ["Fit", "black_box_share", "mixture_fit", "share_by_expectation"]

Floats = npt.NDArray[np.float64]

_ROUNDS = 500


def share_by_expectation(reference: ScoreReference, histogram: Floats) -> float:
    """The outcome's share now from scores alone, if only that share moved: expectation-maximisation on the bins.

    Saerens, Latinne and Decaestecker 2002, "Adjusting the outputs of a classifier to new a priori probabilities".
    """
    within = smoothed_shares(reference.counts, axis=1)
    seen = histogram / max(float(histogram.sum()), 1.0)
    share = reference.share
    for _ in range(_ROUNDS):
        joint = np.array([1 - share, share])[:, None] * within
        update = float((seen * joint[1] / joint.sum(axis=0)).sum())
        if abs(update - share) < 1e-9:
            break
        share = update
    return share


def black_box_share(reference: ScoreReference, histogram: Floats) -> float | None:
    """The same by counting rows above the middle of the bins, corrected by how often that was right before.

    Lipton, Wang and Smola 2018, arXiv 1802.03916 (BBSE). None if the score separates nothing.
    """
    within = smoothed_shares(reference.counts, axis=1)
    upper = np.cumsum(within[:, ::-1], axis=1)[:, ::-1]
    middle = int((upper[1] - upper[0]).argmax())
    rise = float(upper[1, middle] - upper[0, middle])
    if rise < 0.05:
        return None
    seen = float(histogram[middle:].sum() / max(float(histogram.sum()), 1.0))
    return float(np.clip((seen - upper[0, middle]) / rise, 0.0, 1.0))


@dataclasses.dataclass(frozen=True)
class Fit:
    """How well a mixture of the two old score distributions tells the new one; above 1 it does not."""

    share: float
    by_counting: float | None
    ratio: float

    @property
    def holds(self) -> bool:
        """True if a change of the outcome's share alone would explain the scores."""
        return self.ratio <= 1 and math.isfinite(self.share)


def mixture_fit(reference: ScoreReference, score: Floats) -> Fit:
    """Whether scores, without any label, look like the old ones at another share of the outcome."""
    histogram = reference.histogram(score)
    share = share_by_expectation(reference, histogram)
    within = smoothed_shares(reference.counts, axis=1)
    expected = (np.array([1 - share, share])[:, None] * within).sum(axis=0) * float(reference.counts.sum())
    psi, harmonic, freedom = (float(part) for part in psi_statistics(expected, histogram))
    ratio = psi * harmonic / psi_critical(RATE, max(freedom, 1.0), TOLERANCE * harmonic) if harmonic > 0 else 0.0
    return Fit(share, black_box_share(reference, histogram), ratio)
