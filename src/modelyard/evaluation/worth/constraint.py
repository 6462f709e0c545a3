"""Thresholds that must keep a bound: enough of the positives found, few false alarms, or no more than people can handle."""

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from modelyard.evaluation.analytic import share_interval
from modelyard.problem import Problem

__all__ = ["ThresholdBound", "bound_of"]

Array = npt.NDArray[np.float64]

_DAYS = 365
_FORM = re.compile(r"\s*(recall|precision|positives)\s*(?:>=|<=)\s*([0-9.]+)\s*(a day)?\s*")


class ThresholdBound(NamedTuple):
    """What the threshold must keep.

    Parameters
    ----------
    quantity
        ``recall`` or ``precision``, at least; ``positives``, the share of rows called positive, at most.
    bound
        Between 0 and 1.
    words
        As the project file has it.
    """

    quantity: str
    bound: float
    words: str

    def figures(self, hits: Array, alarms: Array, misses: Array, rest: Array) -> Array:
        """The quantity from (weighted) outcomes, of one shape; NaN for the precision of nobody."""
        called = hits + alarms
        part, whole = {
            "recall": (hits, hits + misses),
            "precision": (hits, called),
            "positives": (called, called + misses + rest),
        }[self.quantity]
        figures: Array = np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
        return figures

    def kept(self, figures: Array) -> npt.NDArray[np.bool_]:
        """Where the bound is kept."""
        with np.errstate(invalid="ignore"):
            if self.quantity == "positives":
                return np.asarray(figures <= self.bound + 1e-12)
            return np.asarray(figures >= self.bound - 1e-12)

    def measured(self, truth: Array, scores: Array, threshold: float, confidence: float) -> tuple[float, float, float]:
        """The quantity at one threshold with Wilson's interval, for rows of which each stands for itself."""
        called = scores >= threshold
        among = {"recall": truth == 1, "precision": called}.get(self.quantity, np.ones(len(truth), dtype=bool))
        hit = (called if self.quantity != "precision" else truth == 1)[among]
        low, high = share_interval(hit, confidence)
        return (float(hit.mean()) if len(hit) else float("nan")), low, high


def bound_of(problem: Problem) -> ThresholdBound | None:
    """What the project file binds the threshold to; None if nothing.

    A number a day is a share of the decisions of a day, by ``costs.volume_per_year``.
    """
    text = problem.evaluation.threshold
    match = _FORM.fullmatch(text) if text else None
    if text is None or match is None:
        return None
    quantity, number, daily = match[1], float(match[2]), match[3]
    if daily and problem.costs.volume_per_year:
        number = min(1.0, number * _DAYS / problem.costs.volume_per_year)
    return ThresholdBound(quantity, number, text.strip())
