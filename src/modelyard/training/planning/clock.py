"""The clock: what is still affordable, judged by what was spent so far."""

import contextlib
import contextvars
import itertools
import math
import time
from collections.abc import Iterator, Sequence

from modelyard.training.executor import Limit
from modelyard.training.planning.plan import Stage

__all__ = ["Clock", "counted_from"]

_BEGAN: contextvars.ContextVar[float | None] = contextvars.ContextVar("modelyard_budget_began", default=None)
"""When the work began that a budget is for, where that was before training."""

_LEAST_RESERVE = 0.1
"""Share of a budget that is kept for fitting the winner, when nothing is known of it yet."""

_MOST_RESERVE = 0.6

_PRIOR_S = 4.0
"""So many predicted seconds count as if they had taken what was expected."""

_REFITS = 2.6
"""The winner is fitted twice, on the training part and with the validation part too, and models travel from the workers."""

_MOST_FITS = 5
"""More fits of the winner with other seeds hardly help."""

_FURTHER_SHARE = 0.15
"""Share of a budget that is set aside for them at most; what else is left over in the end is theirs too."""

_SLACK = 0.05
"""Share of a budget that is left in the end: storing a run takes time too."""

_GRACE = 0.05
"""A unit at work when the time for folds is over may go on for this share of a budget; then it is ended."""


class Clock:
    """Seconds of a budget, counted from when the clock was made, or earlier: see :func:`counted_from`.

    Parameters
    ----------
    budget_s
        Seconds for the whole of training; None for no limit.
    workers
        Units that run at a time.
    unit_s
        Seconds that one unit may take; None for no limit.
    """

    def __init__(self, budget_s: float | None, workers: int = 1, unit_s: float | None = None) -> None:
        began = _BEGAN.get()
        self._began = time.monotonic() if began is None else began
        self._unit = math.inf if unit_s is None else unit_s
        self._budget = math.inf if budget_s is None else budget_s
        self._workers = workers
        self._length = self._budget
        self._reserve = 0.0 if budget_s is None else _LEAST_RESERVE * budget_s
        self._ends: dict[str, float] = {}
        self._shared = 0.0
        self._stage = math.inf
        self._predicted: dict[str, float] = {}
        self._spent: dict[str, float] = {}

    @property
    def spent_s(self) -> float:
        """Seconds since the clock began."""
        return time.monotonic() - self._began

    @property
    def stages_s(self) -> float:
        """Seconds since the first stage began."""
        return self.spent_s - self._shared

    @property
    def left_s(self) -> float:
        """Seconds left for folds; what fitting the winner will take is set aside."""
        return self._folds_end - self.spent_s

    @property
    def _folds_end(self) -> float:
        """When folds must have ended, in seconds since the clock began: within the budget, and within the stage."""
        return min(self._budget - self._reserve, self._stage)

    def share_out(self, stages: Sequence[Stage], done_s: float = 0.0) -> None:
        """What follows is done stage by stage, each within the share of the budget that it was planned with.

        Shared out is what is left now, and ``done_s``: seconds of the first stage that are over. Starting worker processes, which
        is no stage's work, is not.
        """
        if math.isinf(self._budget) or not stages:
            return
        began, whole = self.spent_s - done_s, sum(stage.seconds for stage in stages)
        self._shared = began
        ends = itertools.accumulate(stage.seconds / whole for stage in stages)
        left = (1 - _SLACK) * self._budget - began
        self._ends = {stage.name: began + share * left for stage, share in zip(stages, ends, strict=True)}
        self.begin(stages[0].name)

    def begin(self, stage: str) -> None:
        """Folds are those of this stage from now on; what an earlier one left over is its own. Nothing, if there are no stages."""
        self._stage = self._ends.get(stage, math.inf)

    def within(self, stage: str) -> "Clock":
        """A clock for a search of its own with its refit, which must end when the stage does; one without limit, if there are none."""
        if not self._ends:
            return Clock(None, self._workers, None if math.isinf(self._unit) else self._unit)
        end = min(self._ends[stage], self._budget - self._reserve)
        inner = Clock(end, self._workers, None if math.isinf(self._unit) else self._unit)
        inner._began, inner._length, inner._reserve = self._began, max(0.0, end - self.spent_s), 0.0
        inner._predicted, inner._spent = dict(self._predicted), dict(self._spent)
        return inner

    @property
    def is_over(self) -> bool:
        """True once no unit may be begun."""
        return self.left_s <= 0

    def limit(self, *, must_end: bool = False) -> Limit:
        """How long a unit that is begun now may take; one that must come to its end does not hear the budget."""
        if must_end:
            return Limit(self._unit)
        return Limit(self._unit, self._began + self._folds_end + _GRACE * self._length)

    def affords(self, family: str, seconds: float, refit_seconds: float = 0.0) -> bool:
        """True if work on a family of so many predicted seconds on one core will end in time.

        So must its refit, if it wins: within the largest share of the budget that is ever set aside.

        The prediction is scaled by what earlier work on the family took, in comparison with what was predicted; on a
        family that is new, by what all earlier work took, if that was longer than predicted: that a linear model was
        quick says nothing of trees.
        """
        pace = self._pace(family) / self._workers
        most = _MOST_RESERVE * min(self._length, self._stage)
        return seconds * pace <= self.left_s and _REFITS * refit_seconds * pace <= most

    def note(self, family: str, predicted: float, spent: float) -> None:
        """Work of so many predicted seconds took so many, on one core."""
        self._predicted[family] = self._predicted.get(family, 0.0) + predicted
        self._spent[family] = self._spent.get(family, 0.0) + spent

    def reserve_for(
        self,
        refit_seconds: float,
        encoding_seconds: float = 0.0,
        choice_seconds: float = 0.0,
        further_seconds: float = 0.0,
    ) -> None:
        """Set time aside for what comes after the folds.

        Parameters
        ----------
        refit_seconds
            Of fitting the winner's members on the training part, on one core.
        encoding_seconds
            Of encoding the training part for them, which no worker shares.
        choice_seconds
            Of choosing the winner.
        further_seconds
            Of one further fit with another seed, on one core; 0 if there are to be none.
        """
        if math.isfinite(self._budget):
            fitted = choice_seconds + _REFITS * (encoding_seconds + refit_seconds / self._workers)
            needed = max(0.04 * self._length, fitted) + _SLACK * self._length
            again = _REFITS * further_seconds / self._workers
            times = min(_MOST_FITS - 1, int(_FURTHER_SHARE * self._length / again)) if again > 0 else 0
            self._reserve = min(_MOST_RESERVE * self._length, needed + times * again)

    def refit_share(self, refit_seconds: float, encoding_seconds: float = 0.0) -> float:
        """Share of the rows that the winner can be fitted on in the time that is left, at most 1; as :meth:`reserve_for`."""
        needed = _REFITS * (encoding_seconds + refit_seconds / self._workers)
        return max(0.0, min(1.0, ((1 - _SLACK) * self._budget - self.spent_s) / needed)) if needed > 0 else 1.0

    def fits(self, refit_seconds: float, encoding_seconds: float, further_seconds: float) -> int:
        """How often the winner can be fitted in the time that is left, with a seed for each; as :meth:`reserve_for`.

        Once at least, and without a budget, or where further fits would be equal; five times at most.
        """
        again = _REFITS * further_seconds / self._workers
        if math.isinf(self._budget) or again <= 0:
            return 1
        once = _REFITS * (encoding_seconds + refit_seconds / self._workers)
        left = (1 - _SLACK) * self._budget - self.spent_s - once
        return 1 + min(_MOST_FITS - 1, max(0, int(left / again)))

    def _pace(self, family: str) -> float:
        """Seconds spent a predicted second: the family's own past, weighed against that of everything so far."""
        everything = max(1.0, self._weighed(sum(self._predicted.values()), sum(self._spent.values()), 1.0))
        return self._weighed(self._predicted.get(family, 0.0), self._spent.get(family, 0.0), everything)

    @staticmethod
    def _weighed(predicted: float, spent: float, expected: float) -> float:
        """One second that took three says little; a minute that took three says much."""
        return (spent + _PRIOR_S * expected) / (predicted + _PRIOR_S)


@contextlib.contextmanager
def counted_from(moment: float) -> Iterator[None]:
    """Clocks that are made within count from a moment of ``time.monotonic()``: a budget means all that one waits for."""
    token = _BEGAN.set(moment)
    try:
        yield
    finally:
        _BEGAN.reset(token)
