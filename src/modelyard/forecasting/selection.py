"""The choice: the simplest method that is as good as the best, within the noise of the windows."""

import math
from collections.abc import Sequence

import numpy as np

from modelyard.core import StateError
from modelyard.forecasting.backtest import Tried
from modelyard.forecasting.series.panel import Array
from modelyard.problem import metric_spec
from modelyard.report import format_number

__all__ = ["choose"]


def choose(tried: Sequence[Tried], metric: str) -> tuple[str, str]:
    """The winner and why: of the methods whose distance to the best is within one standard error, the simplest.

    The distance is paired: the same series at the same origin. Its error is that of the mean over windows, since
    series of one window share their weather (the rule of Breiman et al., 1984, section 3.4.3).

    Raises
    ------
    StateError
        If no method could be measured.
    """
    done = [item for item in tried if item.losses is not None and item.candidate.figures[metric] is not None]
    if not done:
        reasons = "; ".join(f"{item.candidate.name}: {item.candidate.error}" for item in tried if item.candidate.error)
        raise StateError("no method could be measured", got=reasons, cure="Bring series that change, or another metric")
    best = min(done, key=lambda item: (_mean(item), item.candidate.complexity))
    for item in sorted(done, key=lambda item: (item.candidate.complexity, _mean(item))):
        behind, error = _distance(item, best)
        if behind <= error:
            return item.candidate.name, _why(item, best, done, metric)
    return best.candidate.name, _why(best, best, done, metric)


def _mean(item: Tried) -> float:
    return float(np.nanmean(item.losses)) if item.losses is not None else math.inf


def _distance(item: Tried, best: Tried) -> tuple[float, float]:
    """How far a method is behind, and the standard error of that."""
    if item is best:
        return 0.0, 0.0
    gap: Array = np.nanmean(_losses(item) - _losses(best), axis=1)
    gap = gap[np.isfinite(gap)]
    return float(gap.mean()), float(gap.std(ddof=1) / math.sqrt(len(gap))) if len(gap) > 1 else 0.0


def _losses(item: Tried) -> Array:
    return item.losses if item.losses is not None else np.empty((0, 0))


def _why(winner: Tried, best: Tried, done: Sequence[Tried], metric: str) -> str:
    title = metric_spec(metric).title
    figure = format_number(winner.candidate.figures[metric])
    windows = len(winner.candidate.windows)
    text = f"{winner.candidate.name} wins with {title} {figure} over {windows} windows."
    if winner is not best:
        return (
            f"{text} The best is {best.candidate.name} with {format_number(best.candidate.figures[metric])}; its lead is "
            "within one standard error, so the simpler method is taken."
        )
    simpler = [item for item in done if item.candidate.complexity < best.candidate.complexity]
    if not simpler:
        return f"{text} It is the best of {len(done)}, and none is simpler."
    nearest = min(simpler, key=_mean)
    return (
        f"{text} It is the best of {len(done)}; the nearest simpler one, {nearest.candidate.name} "
        f"({format_number(nearest.candidate.figures[metric])}), is behind by more than one standard error."
    )
