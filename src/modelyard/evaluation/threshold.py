"""From which probability on a row is called positive: from the costs, else from the primary metric or F1.

With values of the four outcomes, acting pays from ``t = (v_tn - v_fp) / ((v_tn - v_fp) + (v_tp - v_fn))`` on, if the
probabilities can be trusted (Elkan, 2001, "The foundations of cost-sensitive learning", equation 2). The best
threshold on held-out rows is stated beside it, and wins only if such a threshold is worth more beyond noise: the best
of a bootstrap sample must pay on the rows that are not in the sample.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.evaluation.intervals import bootstrap
from modelyard.evaluation.records import Alternative, ThresholdChoice
from modelyard.evaluation.worth import ThresholdBound, bound_of
from modelyard.problem import Problem, metric_spec
from modelyard.problem.schema import Costs

__all__ = ["OutcomeValues", "choose_threshold"]

Array = npt.NDArray[np.float64]
_MOST_THRESHOLDS = 300
_CONFIDENCE = 0.95
_SELF_BALANCING = ("accuracy", "balanced_accuracy", "f1", "mcc")
"""Metrics of labels that have a best threshold inside (0, 1); recall alone, for one, would call everybody positive."""


@dataclasses.dataclass(frozen=True)
class OutcomeValues:
    """Money a case by outcome; what the project file leaves out counts as 0."""

    true_positive: float
    false_positive: float
    false_negative: float
    true_negative: float

    @classmethod
    def of(cls, costs: Costs) -> "OutcomeValues":
        """The four cells of the cost matrix."""
        cells = (costs.true_positive, costs.false_positive, costs.false_negative, costs.true_negative)
        return cls(*(cell or 0.0 for cell in cells))

    @property
    def analytic_threshold(self) -> float | None:
        """The threshold that follows from the costs; None if acting on a real positive is worth no more than missing it
        plus what acting on a negative loses, so that no threshold separates the two.

        >>> OutcomeValues(true_positive=0, false_positive=-50, false_negative=-500, true_negative=0).analytic_threshold
        0.09090909090909091
        """
        alarm, hit = self.true_negative - self.false_positive, self.true_positive - self.false_negative
        if alarm + hit <= 0:
            return None
        return min(max(alarm / (alarm + hit), 0.0), 1.0)

    def per_row(self, truth: Array, label: Array) -> Array:
        """The value of each decision."""
        acted = np.where(truth == 1, self.true_positive, self.false_positive)
        left_alone = np.where(truth == 1, self.false_negative, self.true_negative)
        return np.where(label == 1, acted, left_alone)


@dataclasses.dataclass(frozen=True)
class _Counts:
    """Weighted outcomes by sample and threshold."""

    hits: Array
    alarms: Array
    misses: Array
    rest: Array


Objective = Callable[[_Counts], Array]


def choose_threshold(
    problem: Problem, truth: Array, scores: Array, *, seed: int, groups: npt.NDArray[Any] | None = None
) -> ThresholdChoice:
    """The threshold for ``scores``, chosen on rows that the model did not learn from, never on the test part.

    Parameters
    ----------
    problem
        Costs, if any, and the primary metric.
    truth, scores
        0/1 and probabilities of the positive class, of the validation part.
    groups
        Rows of one label are drawn together for the interval.

    Returns
    -------
    ThresholdChoice
        If the project file binds the threshold, the best that keeps the bound. With costs, the analytic threshold, unless the best on these rows is worth more beyond noise. Without costs,
        the threshold that maximises the primary metric if it is one of labels, else F1.
    """
    values = OutcomeValues.of(problem.costs) if problem.costs.has_matrix else None
    name, objective = _objective(problem, values)
    analytic = values.analytic_threshold if values else None
    grid = _grid(scores)
    trials = grid if analytic is None else np.append(grid, analytic)

    bound = bound_of(problem)
    if bound is not None:
        return _bound_choice(problem, bound, truth, scores, grid, seed=seed, groups=groups)

    whole = objective(_count(truth, scores, trials, np.ones((1, len(truth)))))
    winner = int(_best(whole[:, : len(grid)])[0])

    def statistic(weights: Array) -> Array:
        """The best threshold of a sample, and what it gains over the analytic one on the rows not in the sample."""
        best = _best(objective(_count(truth, scores, grid, weights)))
        elsewhere = objective(_count(truth, scores, trials, (weights == 0).astype(np.float64)))
        gain = elsewhere[np.arange(len(best)), best] - elsewhere[:, -1]
        return np.column_stack([grid[best], gain])

    samples = bootstrap(statistic, len(truth), seed=seed, groups=groups)
    low, high = samples.percentile_interval(0, _CONFIDENCE)
    pays = samples.percentile_interval(1, _CONFIDENCE)[0] > 0
    value = float(grid[winner]) if analytic is None or pays else analytic
    reason = _reason(problem, name, analytic, float(grid[winner]), pays)
    at_value = float(objective(_count(truth, scores, np.array([value]), np.ones((1, len(truth)))))[0, 0])
    return ThresholdChoice(
        value=value,
        reason=reason,
        currency=problem.costs.currency if values else None,
        value_per_case=at_value if values else None,
        low=low if math.isfinite(low) else 0.0,
        high=high if math.isfinite(high) else 1.0,
        objective=name,
        analytic=analytic,
        empirical=float(grid[winner]),
        alternatives=_alternatives(truth, scores, objective, value),
    )


def _bound_choice(
    problem: Problem,
    bound: ThresholdBound,
    truth: Array,
    scores: Array,
    grid: Array,
    *,
    seed: int,
    groups: npt.NDArray[Any] | None,
) -> ThresholdChoice:
    """The best threshold among those that keep the bound on these rows; if none does, the one that comes nearest.

    Without prices, best is the other side of the bound: the most precise that finds enough, or the one that finds most.
    """
    values = OutcomeValues.of(problem.costs) if problem.costs.has_matrix else None
    name, objective = ("value", _objective(problem, values)[1]) if values else _OTHER_SIDE[bound.quantity]

    def statistic(weights: Array) -> Array:
        counts = _count(truth, scores, grid, weights)
        figures = bound.figures(counts.hits, counts.alarms, counts.misses, counts.rest)
        kept = bound.kept(figures)
        nearest = np.nan_to_num(figures) == np.nan_to_num(figures).max(axis=1, keepdims=True)
        kept = np.where(kept.any(axis=1, keepdims=True), kept, nearest)  # a precision that no threshold reaches
        return grid[_best(np.where(kept, objective(counts), -np.inf))][:, np.newaxis]

    value = float(statistic(np.ones((1, len(truth))))[0, 0])
    low, high = bootstrap(statistic, len(truth), seed=seed, groups=groups).percentile_interval(0, _CONFIDENCE)
    at_value = float(objective(_count(truth, scores, np.array([value]), np.ones((1, len(truth)))))[0, 0])
    return ThresholdChoice(
        value=value,
        reason=_bound_reason(bound, truth, scores, value, name),
        currency=problem.costs.currency if values else None,
        value_per_case=at_value if values else None,
        low=low if math.isfinite(low) else 0.0,
        high=high if math.isfinite(high) else 1.0,
        objective=name,
        analytic=values.analytic_threshold if values else None,
        empirical=value,
        alternatives=_alternatives(truth, scores, objective, value),
    )


def _bound_reason(bound: ThresholdBound, truth: Array, scores: Array, value: float, objective: str) -> str:
    figure, low, high = bound.measured(truth, scores, value, _CONFIDENCE)
    best = "worth most" if objective == "value" else f"with the best {metric_spec(objective).title}"
    quantity = "share called positive" if bound.quantity == "positives" else bound.quantity
    shown = f"the {quantity} is {figure:.3f} there ({low:.3f} to {high:.3f})"
    if not bool(bound.kept(np.array([figure]))[0]):
        return f"No threshold keeps `{bound.words}` on held-out rows; this one comes nearest: {shown}."
    return f"Of the thresholds that keep `{bound.words}` on held-out rows it is the one {best}; {shown}."


def _objective(problem: Problem, values: OutcomeValues | None) -> tuple[str, Objective]:
    """What is maximised: its name, and how it follows from the outcomes."""
    if values is not None:
        return "value", lambda counts: _value(counts, values)
    name = problem.primary_metric if problem.primary_metric in _SELF_BALANCING else "f1"
    return name, _OBJECTIVES[name]


def _grid(scores: Array) -> Array:
    """0 (everybody), points halfway between neighbouring scores, and the highest score's upper neighbour (nobody)."""
    distinct = np.unique(scores)
    if len(distinct) > _MOST_THRESHOLDS:
        distinct = np.unique(np.quantile(scores, np.linspace(0, 1, _MOST_THRESHOLDS), method="nearest"))
    between = (distinct[1:] + distinct[:-1]) / 2
    return np.concatenate([[0.0], between, [np.nextafter(distinct[-1], np.inf)]])


def _count(truth: Array, scores: Array, thresholds: Array, weights: Array) -> _Counts:
    """Sums along the ranking, read off where each threshold cuts it: one pass over the rows for all thresholds."""
    order = np.argsort(scores, kind="stable")
    cuts = np.searchsorted(scores[order], thresholds, side="left")
    ranked = weights[:, order]
    misses, positives = _below(ranked * truth[order], cuts)
    rest, negatives = _below(ranked * (1 - truth[order]), cuts)
    return _Counts(positives - misses, negatives - rest, misses, rest)


def _below(ranked: Array, cuts: npt.NDArray[np.intp]) -> tuple[Array, Array]:
    """Sums of the first ``cuts`` columns, and of all columns."""
    sums = np.cumsum(ranked, axis=1)
    padded = np.column_stack([np.zeros(len(sums)), sums])
    return padded[:, cuts], sums[:, -1:]


def _best(figures: Array) -> npt.NDArray[np.intp]:
    """Position of the highest figure of each row; the middle one if neighbours tie for it."""
    figures = np.where(np.isfinite(figures), figures, -np.inf)
    top = figures.max(axis=1, keepdims=True)
    ties = figures >= top
    first = ties.argmax(axis=1)
    run = np.where(np.cumsum(~ties & (np.arange(figures.shape[1]) > first[:, np.newaxis]), axis=1) == 0, ties, False)
    return np.asarray(first + (run.sum(axis=1) - 1) // 2, dtype=np.intp)


def _value(counts: _Counts, values: OutcomeValues) -> Array:
    total = counts.hits + counts.alarms + counts.misses + counts.rest
    acted = values.true_positive * counts.hits + values.false_positive * counts.alarms
    left_alone = values.false_negative * counts.misses + values.true_negative * counts.rest
    return _ratio(acted + left_alone, total)


def _f1(counts: _Counts) -> Array:
    return _ratio(2 * counts.hits, 2 * counts.hits + counts.alarms + counts.misses)


def _accuracy(counts: _Counts) -> Array:
    right = counts.hits + counts.rest
    return _ratio(right, right + counts.alarms + counts.misses)


def _balanced_accuracy(counts: _Counts) -> Array:
    return (_ratio(counts.hits, counts.hits + counts.misses) + _ratio(counts.rest, counts.rest + counts.alarms)) / 2


def _mcc(counts: _Counts) -> Array:
    hits, alarms, misses, rest = counts.hits, counts.alarms, counts.misses, counts.rest
    spread = (hits + alarms) * (hits + misses) * (rest + alarms) * (rest + misses)
    return _ratio(hits * rest - alarms * misses, np.sqrt(spread))


def _ratio(part: Array, whole: Array) -> Array:
    """``part / whole``, 0 where there is nothing."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


_OBJECTIVES: dict[str, Objective] = {
    "f1": _f1,
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "mcc": _mcc,
}


_OTHER_SIDE: dict[str, tuple[str, Objective]] = {
    "recall": ("precision", lambda counts: _ratio(counts.hits, counts.hits + counts.alarms)),
    "precision": ("recall", lambda counts: _ratio(counts.hits, counts.hits + counts.misses)),
    "positives": ("recall", lambda counts: _ratio(counts.hits, counts.hits + counts.misses)),
}


def _alternatives(truth: Array, scores: Array, objective: Objective, chosen: float) -> tuple[Alternative, ...]:
    nobody = float(np.nextafter(max(float(scores.max()), 1.0), np.inf))
    trials = {"chosen": chosen, "0.5": 0.5, "everybody positive": 0.0, "nobody positive": nobody}
    figures = objective(_count(truth, scores, np.array(list(trials.values())), np.ones((1, len(truth)))))[0]
    return tuple(
        Alternative(name, None if threshold == nobody else threshold, float(figure))
        for (name, threshold), figure in zip(trials.items(), figures, strict=True)
    )


def _reason(problem: Problem, objective: str, analytic: float | None, empirical: float, pays: bool) -> str:
    if objective != "value":
        title = metric_spec(objective).title
        because = "it is the primary metric" if objective == problem.primary_metric else "it balances the two errors"
        return (
            f"No costs are declared, so the threshold is the one with the best {title} on held-out rows, since "
            f"{because}. Declare what the four outcomes are worth under `costs`, and it is chosen in money."
        )
    if analytic is None:
        return "The declared values give no threshold by themselves, so it is the one worth most on held-out rows."
    if pays:
        return (
            f"The costs imply {analytic:.3f}, but on held-out rows {empirical:.3f} is worth more beyond noise: the "
            "probabilities are not calibrated there."
        )
    return (
        f"It follows from the costs: acting pays from {analytic:.3f} on. The best on held-out rows, {empirical:.3f}, "
        "is worth no more beyond noise."
    )
