"""The profit curve: money by threshold, on the rows to judge by."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from modelyard.evaluation.intervals import BootstrapSamples, bootstrap
from modelyard.evaluation.money import Stakes
from modelyard.evaluation.threshold import OutcomeValues
from modelyard.evaluation.worth.records import BreakEven, ProfitCurve
from modelyard.problem import Problem, Task
from modelyard.training.metrics import decide_labels

__all__ = ["profit_curve"]

Array = npt.NDArray[np.float64]

_POINTS = 40
_PRICES = ("true_positive", "false_positive", "false_negative", "true_negative")


def profit_curve(problem: Problem, stakes: Stakes, *, confidence: float, seed: int) -> ProfitCurve | None:
    """Money by threshold with a band; None but for two classes with prices.

    Parameters
    ----------
    stakes
        The rows, with the threshold in use.
    confidence
        Of each interval, on its own.
    """
    if problem.task is not Task.BINARY or not problem.costs.has_matrix:
        return None
    scores = stakes.predictions["winner"]
    thresholds, place = _grid(scores, stakes.threshold)
    existing = stakes.predictions.get("existing system")
    acts = [scores >= threshold for threshold in thresholds] + ([] if existing is None else [existing >= 0.5])
    values = OutcomeValues.of(problem.costs)
    moved = values.per_row(stakes.truth, np.ones(len(scores))) - values.per_row(stakes.truth, np.zeros(len(scores)))
    gains = np.column_stack(acts) * moved[:, np.newaxis]

    def statistic(weights: Array) -> Array:
        return np.asarray((weights @ gains) / weights.sum(axis=1, keepdims=True))

    samples = bootstrap(statistic, len(scores), seed=seed, groups=stakes.groups)
    volume = problem.costs.volume_per_year
    times, unit = (1000, "per 1,000 cases") if volume is None else (volume, "a year")
    amounts, low, high = _amounts(samples, gains.shape[1], confidence, times)
    count = len(thresholds)
    today = amounts[count] if existing is not None else 0.0
    pays = _range(thresholds, amounts[:count] > today, place)
    return ProfitCurve(
        currency=problem.costs.currency,
        unit=unit,
        part=stakes.part,
        thresholds=tuple(thresholds.tolist()),
        shares=tuple(float(act.mean()) for act in acts[:count]),
        values=tuple(amounts[:count].tolist()),
        low=tuple(low[:count].tolist()),
        high=tuple(high[:count].tolist()),
        chosen=stakes.threshold,
        at_chosen=float(amounts[place]),
        existing=float(amounts[count]) if existing is not None else None,
        existing_low=float(low[count]) if existing is not None else None,
        existing_high=float(high[count]) if existing is not None else None,
        everybody=float(moved.mean() * times),
        pays_from=pays[0] if pays else None,
        pays_to=pays[1] if pays else None,
        break_even=_break_even(problem, stakes, (amounts[place] - today) / times),
    )


def _grid(scores: Array, chosen: float) -> tuple[Array, int]:
    """Scores at even steps of the share acted on, with the chosen threshold; and the place of that."""
    steps = np.unique(np.quantile(scores, np.linspace(0, 1, _POINTS), method="nearest"))
    thresholds = np.unique(np.append(steps, chosen))
    return thresholds, int(np.searchsorted(thresholds, chosen))


def _amounts(samples: BootstrapSamples, count: int, confidence: float, times: float) -> tuple[Array, Array, Array]:
    """Figures and ends; where every sample gives the same, the ends are the figure."""
    intervals = np.array([samples.interval(place, confidence) for place in range(count)]) * times
    point = intervals[:, :1]
    amounts, low, high = np.where(np.isfinite(intervals), intervals, point).T
    return amounts, low, high


def _range(thresholds: Array, pays: npt.NDArray[np.bool_], place: int) -> tuple[float, float] | None:
    """The unbroken range around one threshold in which it pays."""
    if not pays[place]:
        return None
    before = np.flatnonzero(~pays[:place])
    after = np.flatnonzero(~pays[place:])
    first = int(before[-1]) + 1 if len(before) else 0
    last = place + int(after[0]) - 1 if len(after) else len(thresholds) - 1
    return float(thresholds[first]), float(thresholds[last])


def _break_even(problem: Problem, stakes: Stakes, gain: float) -> tuple[BreakEven, ...]:
    """By how much each price may change: the gain is a sum of prices times how often each outcome is more frequent."""
    existing = stakes.predictions.get("existing system")
    ours = _rates(stakes.truth, decide_labels(stakes.predictions["winner"], stakes.threshold))
    today = _rates(stakes.truth, np.zeros(len(stakes.truth)) if existing is None else decide_labels(existing, 0.5))
    found = []
    for price in _PRICES:
        declared, difference = getattr(problem.costs, price), ours[price] - today[price]
        if declared and abs(difference) > 1e-12:
            found.append(BreakEven(price, float(declared), float(declared - gain / difference)))
    return tuple(found)


def _rates(truth: Array, label: Array) -> Mapping[str, float]:
    """How often each outcome comes, in the order of the prices."""
    outcomes = ((1, 1), (0, 1), (1, 0), (0, 0))
    shares = [float(((truth == actual) & (label == act)).mean()) for actual, act in outcomes]
    return dict(zip(_PRICES, shares, strict=True))
