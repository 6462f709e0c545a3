"""What the winner is worth a year against what is done today, with its interval."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.evaluation.intervals import Interval, bootstrap
from modelyard.evaluation.records import Money
from modelyard.evaluation.threshold import OutcomeValues
from modelyard.problem import Problem, Task
from modelyard.training.metrics import decide_labels

__all__ = ["Stakes", "format_amount", "money_gained", "row_values"]

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Stakes:
    """The rows on which money is counted.

    Parameters
    ----------
    part
        Name of the part, for the sentence.
    truth
        As in :func:`modelyard.training.metrics.score`.
    predictions
        By system: ``winner``, ``naive``, and ``existing system`` if one is declared.
    threshold
        The winner's (binary).
    groups
        Rows of one label are drawn together.
    """

    part: str
    truth: Array
    predictions: Mapping[str, Array]
    threshold: float
    groups: npt.NDArray[Any] | None = None


def row_values(problem: Problem, truth: Array, prediction: Array, threshold: float) -> Array | None:
    """Money for each decision or prediction; None if the project file gives no price for this task.

    A binary decision is worth its cell of the cost matrix, a wrong class ``per_error``, a predicted value its
    absolute error times ``per_unit_error``.
    """
    costs = problem.costs
    if problem.task is Task.REGRESSION:
        return None if costs.per_unit_error is None else costs.per_unit_error * np.abs(truth - prediction)
    label = decide_labels(prediction, threshold)
    if problem.task is Task.MULTICLASS:
        return None if costs.per_error is None else costs.per_error * (label != truth)
    return OutcomeValues.of(costs).per_row(truth, label) if costs.has_matrix else None


def money_gained(problem: Problem, stakes: Stakes, *, confidence: float, seed: int) -> Money | None:
    """The winner's value less that of today's process, a case and a year; None without costs.

    Today's process is the declared existing system with its own decisions (a score counts as a yes from 0.5 on). If
    none is declared it is doing nothing: nobody is called positive (binary), or everybody gets the naive answer.
    """
    winner = row_values(problem, stakes.truth, stakes.predictions["winner"], stakes.threshold)
    today, against = _today(problem, stakes)
    if winner is None or today is None:
        return None
    gain = winner - today

    def statistic(weights: Array) -> Array:
        return np.asarray((weights @ gain) / weights.sum(axis=1))[:, np.newaxis]

    samples = bootstrap(statistic, len(gain), seed=seed, groups=stakes.groups)
    per_case = _certain(samples.interval(0, confidence))
    volume = problem.costs.volume_per_year
    per_year = None if volume is None else Interval(*(end * volume for end in per_case))
    return Money(
        currency=problem.costs.currency,
        per_year=per_year.value if per_year else None,
        low=per_year.low if per_year else None,
        high=per_year.high if per_year else None,
        against=against,
        volume_per_year=volume,
        sentence=_sentence(problem.costs.currency, per_year, per_case, against, confidence),
        per_case=per_case.value,
        per_case_low=per_case.low,
        per_case_high=per_case.high,
    )


def _today(problem: Problem, stakes: Stakes) -> tuple[Array | None, str]:
    """Value of today's decisions, and what to call them."""
    existing = stakes.predictions.get("existing system")
    if existing is not None:
        return row_values(problem, stakes.truth, existing, 0.5), "today's process"
    if problem.task is Task.BINARY:
        return row_values(problem, stakes.truth, np.zeros(len(stakes.truth)), 0.5), "doing nothing"
    naive = row_values(problem, stakes.truth, stakes.predictions["naive"], 0.5)
    return naive, "giving everybody the same answer"


def _certain(interval: Interval) -> Interval:
    """The interval, its ends at the value where resampling cannot tell (every row gains the same)."""
    value, low, high = interval
    return Interval(value, low if math.isfinite(low) else value, high if math.isfinite(high) else value)


def format_amount(amount: float, currency: str) -> str:
    """An amount with three significant digits and its currency.

    >>> format_amount(412345.6, "EUR"), format_amount(-0.12345, "EUR")
    ('412,000 EUR', '-0.123 EUR')
    """
    if amount == 0 or not math.isfinite(amount):
        return f"0 {currency}"
    decimals = 2 - math.floor(math.log10(abs(amount)))
    return f"{round(amount, decimals):,.{max(decimals, 0)}f} {currency}"


def _sentence(currency: str, per_year: Interval | None, per_case: Interval, against: str, confidence: float) -> str:
    figures, unit = (
        (per_year, "a year") if per_year else (Interval(*(1000 * end for end in per_case)), "per 1,000 cases")
    )
    verb = "Saves" if figures.value >= 0 else "Loses"
    size = format_amount(abs(figures.value), currency)
    low = format_amount(figures.low, "").strip()
    interval = f"{100 * confidence:.3g} % interval {low} to {format_amount(figures.high, currency)}"
    doubt = " The interval includes 0: a gain is not shown." if figures.low <= 0 <= figures.high else ""
    volume = "" if per_year else " Set `costs.volume_per_year` to see it a year."
    return f"{verb} {size} {unit} against {against}, {interval}.{doubt}{volume}"
