"""A budget that also pays for judging the search: how it is shared out, fixed before anything is trained.

Further divisions into folds, further seeds and outer parts cost a known number of fits more. Each gets the share of the
budget that the cost model predicts for it, so all are a part of the plan, and the clock only guards them.
"""

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence

from modelyard.core import ConfigError
from modelyard.training.planning.plan import Stage, WorkPlan

__all__ = ["Further", "shared_out"]

_FINALISTS = 6
"""So many of the dearest candidates are expected on each further division."""

_MEMBERS = 5
"""So many of the dearest are expected to become a blend, which is fitted with each further seed, and again on all rows."""

_REFITS = 2.6
"""As the clock's: the winner is fitted on the training part, and on the validation part too."""

_SEARCH_S = 1.5
"""Seconds of a search beside its fits: encoding and choosing, on few rows."""

_DIVISION_S = 0.5
_ROW_S = 1.2e-4
"""Seconds for each row and search: encoding and choosing."""

_USED = 0.9
"""Share of a budget that may be planned; reading the table and storing the run take time too."""

_LONGER = 1.25
"""An outer search may take so much longer than its share of the rows says: nothing shortens it, it is done or dropped."""

_ATTEMPTS = 12


@dataclasses.dataclass(frozen=True)
class Further:
    """What is asked for beside one search.

    Parameters
    ----------
    divisions, seeds
        Beyond the first.
    fits
        Of the winner on all rows, beyond the first.
    outer
        For each outer part the share of the rows that its search learns from.
    words
        The keys of the project file that ask for it.
    """

    divisions: int = 0
    seeds: int = 0
    fits: int = 0
    outer: tuple[float, ...] = ()
    words: tuple[str, ...] = ()


def shared_out(
    make: Callable[[float], WorkPlan], further: Further, *, budget_s: float, workers: int, rows: int
) -> WorkPlan:
    """The plan whose search is short enough for the budget to hold all that is asked for, with the share of each stage.

    Parameters
    ----------
    make
        The plan of a search of so many seconds.
    rows
        Of the training part.

    Raises
    ------
    ConfigError
        If even one candidate, with all that is asked for, is predicted to take longer than the budget.
    """
    usable, search_s, need = _USED * budget_s, budget_s, 0.0
    for _ in range(_ATTEMPTS):
        plan = make(search_s)
        predicted = _predicted(plan, further, search_s, workers, rows)
        need = sum(predicted.values())
        if need <= usable:
            stages = tuple(Stage(name, round(seconds * usable / need, 3)) for name, seconds in predicted.items())
            return dataclasses.replace(plan, budget_s=budget_s, stages=stages)
        search_s = min(0.9, usable / need) * min(search_s, predicted["search"])
    raise ConfigError(
        f"the budget is too short for {' and '.join(further.words)}",
        where="training.budget",
        got=f"{budget_s:g} s, where {need / _USED:.0f} s are predicted for the shortest search with them",
        cure=f"Raise it, or take {' and '.join(further.words)} out",
    )


def _predicted(plan: WorkPlan, further: Further, search_s: float, workers: int, rows: int) -> Mapping[str, float]:
    """Seconds of each stage, in their order, with so many workers."""
    overhead = _SEARCH_S + _ROW_S * rows
    fits = _within([item.seconds for item in plan.candidates], search_s * workers)
    tuning = plan.tuning_rounds * max(fits)
    own = max(fits[0], min(sum(fits) + tuning, search_s * workers)) / workers
    dearest = sorted(fits, reverse=True)
    finalists, members = sum(dearest[:_FINALISTS]) / workers, sum(dearest[:_MEMBERS]) / workers
    stages = {"search": own + overhead}
    if further.divisions:
        stages["divisions"] = further.divisions * (finalists + _DIVISION_S + _ROW_S * rows)
    if further.seeds:
        stages["seeds"] = further.seeds * (members + _DIVISION_S)
    refit = members / plan.folds * (1 + max(further.seeds, further.fits))
    once = sum(stages.values()) + refit
    if further.outer:
        stages["outer"] = _LONGER * sum(further.outer) * once
    return {**stages, "refit": _REFITS * refit}


def _within(fits: Sequence[float], seconds: float) -> list[float]:
    """Those that a search of so many seconds on one core comes to; the first in any case."""
    spent = itertools.accumulate(fits)
    return [fit for index, (fit, until) in enumerate(zip(fits, spent, strict=True)) if index == 0 or until <= seconds]
