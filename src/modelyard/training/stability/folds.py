"""Whether the winner's score differs from fold to fold by more than the rows that happen to lie in each explain."""

import numpy as np

from modelyard.problem import metric_spec
from modelyard.report import format_number
from modelyard.training.choosing.noise import Evidence
from modelyard.training.records import Candidate
from modelyard.training.stability.records import FoldSpread

__all__ = ["spread_by_fold"]

_CHANCE = 0.01
_MATTERS = 0.1


def spread_by_fold(winner: Candidate, naive: Candidate, metric: str, evidence: Evidence) -> FoldSpread | None:
    """Cochran's test (1954) that all folds have one score, each with its variance under draws of its own rows.

    The winner is unstable if chance would leave folds so far apart in one run of a hundred, and the spread beyond chance (the
    between-study standard deviation of DerSimonian and Laird, 1986) is more than a tenth of its lead over the naive answer.

    Parameters
    ----------
    winner
        Complete, with fold scores.
    evidence
        What the folds say of it.

    Returns
    -------
    FoldSpread or None
        None where draws do not move a fold's score, so that nothing can be said.
    """
    from scipy.stats import chi2

    scores = evidence.scores(winner.name)
    measured, variances = scores[:, 0], scores[:, 1:].var(axis=1, ddof=1)
    if not (variances > 0).all() or winner.mean is None or naive.mean is None:
        return None
    weights = 1 / variances
    mean = float(np.average(measured, weights=weights))
    distance, freedom = float((weights * (measured - mean) ** 2).sum()), len(measured) - 1
    chance = float(chi2.sf(distance, freedom))
    scale = float(weights.sum() - (weights**2).sum() / weights.sum())
    beyond = float(np.sqrt(max(0.0, (distance - freedom) / scale)))
    unstable = chance < _CHANCE and beyond > _MATTERS * abs(winner.mean - naive.mean)
    low, high = format_number(float(measured.min())), format_number(float(measured.max()))
    sentence = (
        f"{winner.name} is unstable from fold to fold: {metric_spec(metric).title} lies between {low} and {high}, further apart than "
        f"the rows of a fold explain (chance {chance:.2g})."
        if unstable
        else ""
    )
    return FoldSpread(winner.name, metric, chance, beyond, unstable, sentence)
