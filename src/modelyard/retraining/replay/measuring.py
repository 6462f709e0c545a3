"""What a policy earned: the metric over all periods, the money, and both over never retraining."""

import math

import numpy as np
import numpy.typing as npt

from modelyard.core import derive_seed
from modelyard.evaluation.comparison import compare
from modelyard.evaluation.intervals import bootstrap, bootstrap_interval
from modelyard.evaluation.money import row_values
from modelyard.problem import MetricInput, Problem, Task, metric_spec
from modelyard.retraining.replay.history import History
from modelyard.retraining.replay.models import Array
from modelyard.retraining.replay.policies import Policy
from modelyard.retraining.replay.records import Gain, PolicyResult
from modelyard.retraining.replay.walking import Walked

__all__ = ["gain_over", "measured"]

_CONFIDENCE = 0.95


def measured(history: History, policy: Policy, walked: Walked, never: Walked | None) -> PolicyResult:
    """The account of one policy.

    Parameters
    ----------
    never
        The walk of the policy that never retrains; None for itself.

    Notes
    -----
    Intervals are bootstrapped over whole periods: rows of one week err alike.
    """
    problem, truth = history.problem, history.truth[history.rows_replayed]
    periods = _period_of_row(history)
    value, low, high = bootstrap_interval(
        problem.primary_metric,
        truth,
        _judged(problem, walked),
        confidence=_CONFIDENCE,
        seed=_seed(problem),
        groups=periods,
    )
    money = _money(problem, truth, walked)
    before = None if never is None else _money(problem, truth, never)
    known = all(map(math.isfinite, (value, low, high)))
    return PolicyResult(
        policy=policy,
        value=float(value) if known else None,
        low=float(low) if known else None,
        high=float(high) if known else None,
        gain=None if never is None else gain_over(history, never, walked),
        money=None if money is None else float(money.sum()),
        money_gain=None if money is None or before is None else _sum_gain(money - before, periods, _seed(problem)),
        retrainings=sum(step.retrained for step in walked.steps),
        promotions=sum(step.promoted for step in walked.steps),
        rows_fitted=sum(step.rows_fitted for step in walked.steps),
        seconds=walked.seconds,
        steps=walked.steps,
    )


def gain_over(history: History, before: Walked, after: Walked) -> Gain | None:
    """The improvement of the primary metric from one walk to another, paired over periods; None if it is not defined."""
    problem = history.problem
    if np.array_equal(before.answers, after.answers) and np.array_equal(before.thresholds, after.thresholds):
        return Gain(0.0, 0.0, 0.0)
    found = compare(
        problem.primary_metric,
        history.truth[history.rows_replayed],
        _judged(problem, before),
        _judged(problem, after),
        confidence=_CONFIDENCE,
        seed=_seed(problem),
        groups=_period_of_row(history),
    )
    return None if found.champion is None else Gain(found.difference, found.low, found.high)


def _judged(problem: Problem, walked: Walked) -> Array:
    """Answers as the metric wants them; decided by each model's own threshold where labels are judged."""
    if problem.task is Task.BINARY and metric_spec(problem.primary_metric).input is MetricInput.LABEL:
        return (walked.answers >= walked.thresholds).astype(np.float64)
    return walked.answers


def _money(problem: Problem, truth: Array, walked: Walked) -> Array | None:
    """The value of each decision; None without costs."""
    if problem.task is not Task.BINARY:
        return row_values(problem, truth, walked.answers, 0.5)
    decided = (walked.answers >= walked.thresholds).astype(np.float64)
    return row_values(problem, truth, decided, 0.5)


def _sum_gain(gained: Array, periods: npt.NDArray[np.int64], seed: int) -> Gain:
    """The sum over rows and its interval over periods."""

    def statistic(weights: Array) -> Array:
        return np.asarray((weights @ gained) / weights.sum(axis=1) * len(gained))[:, np.newaxis]

    value, low, high = bootstrap(statistic, len(gained), seed=seed, groups=periods).interval(0, _CONFIDENCE)
    ends = [end if math.isfinite(end) else value for end in (low, high)]
    return Gain(float(value), float(ends[0]), float(ends[1]))


def _period_of_row(history: History) -> npt.NDArray[np.int64]:
    sizes = [period.end - period.begin for period in history.periods]
    return np.repeat(np.arange(len(sizes)), sizes)


def _seed(problem: Problem) -> int:
    return derive_seed(problem.training.seed, "replay", "measure")
