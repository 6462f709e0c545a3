"""Towards which values of a tuned parameter a family over- or underfits."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from modelyard.problem import metric_spec
from modelyard.report import format_number
from modelyard.training.curves.records import Trial

__all__ = ["Axis", "diagnose_ends"]

Array = npt.NDArray[np.float64]

_SPAN_FOR_LOGARITHM = 8.0
_FEWEST = 4
_MARGIN = 0.02
_FOLLOWS = 0.5


@dataclasses.dataclass(frozen=True)
class Axis:
    """A parameter's values with mean 0 and standard deviation 1, of their logarithms where they span a factor of eight."""

    x: Array

    @classmethod
    def of(cls, values: Array) -> "Axis":
        """The axis on which these values lie; at least two of them differ."""
        if values.min() > 0 and values.max() / values.min() >= _SPAN_FOR_LOGARITHM:
            values = np.log(values)
        return cls((values - values.mean()) / values.std())

    def explained(self, scores: Array) -> Array:
        """The share of the variance of each row of scores that a parabola explains."""
        base = np.linalg.qr(np.column_stack([np.ones_like(self.x), self.x, self.x**2]))[0]
        centred = scores - scores.mean(axis=1, keepdims=True)
        return np.asarray(((centred @ base) ** 2).sum(axis=1) / (centred**2).sum(axis=1))


def diagnose_ends(parameter: str, trials: Sequence[Trial], metric: str, naive: float | None) -> str:
    """What happens towards the ends of a parameter, in words.

    An end counts if a parabola through all trials lies there below its highest point by 2 % of the best trial's lead over
    the naive answer. A straight line through the figures on the rows learnt from says what it is: where they get better
    towards that end the model overfits, where they get worse it underfits. A line that explains less than half of their
    variance says nothing.

    Parameters
    ----------
    trials
        By value, ascending; those at the ends and the best have figures on the rows learnt from.
    naive
        The naive baseline's score; None if there is none, and every loss counts.

    Returns
    -------
    str
        Empty if fewer than four trials have figures on the rows learnt from.
    """
    spec = metric_spec(metric)
    sign = 1 if spec.greater_is_better else -1
    x = Axis.of(np.array([trial.value for trial in trials])).x
    known = np.array([trial.train is not None for trial in trials])
    learnt = np.array([sign * (trial.train or 0.0) for trial in trials])[known]
    best = max(trials, key=lambda trial: sign * trial.score)
    if known.sum() < _FEWEST or np.ptp(x[known]) == 0 or best.train is None:
        return ""
    if np.ptp(learnt) == 0 or np.corrcoef(x[known], learnt)[0, 1] ** 2 < _FOLLOWS:
        return f"On the rows learnt from {spec.title} does not follow {parameter}, so this is no over- or underfitting."
    slope = np.polyfit(x[known], learnt, 1)[0]
    heights = np.polyval(np.polyfit(x, [sign * trial.score for trial in trials], 2), x)
    top, margin = int(np.argmax(heights)), 0.0 if naive is None else _MARGIN * abs(best.score - naive)
    said = [
        _sentence("overfits" if slope * (x[end] - x[top]) > 0 else "underfits", trials[end], best, spec.title)
        for end in (0, -1)
        if heights[top] - heights[end] > margin and trials[end] is not best and trials[end].train is not None
    ]
    return " ".join(said) or (
        f"At neither end of what was tried is {spec.title} worse by {format_number(margin)}, the least that would matter."
    )


def _sentence(fault: str, end: Trial, best: Trial, title: str) -> str:
    """One end, with its figures and the best trial's."""
    return (
        f"Towards {format_number(end.value)} it {fault}: {title} is {format_number(end.train)} on the rows learnt from and "
        f"{format_number(end.score)} on rows held out, where the best trial, with {format_number(best.value)}, has "
        f"{format_number(best.train)} and {format_number(best.score)}."
    )
