"""How the leading family is tuned: by which search, in which space, from which fixed parameters."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from modelyard.core import Record
from modelyard.problem import Task
from modelyard.training.families.family import Dimension, Family

__all__ = ["Rung", "SearchPlan", "plan_rungs"]

_THIRD = 3
_MOST_RUNGS = 4
_LEAST_ROWS = 400
"""A fold learns from so many rows in the lowest rung, or the ladder has fewer rungs."""

_LEAST_OF_A_CLASS = 5


@dataclasses.dataclass(frozen=True)
class Rung(Record):
    """One step of successive halving: so many configurations, each on that share of a fold's training rows."""

    configurations: int
    share: float


@dataclasses.dataclass(frozen=True)
class SearchPlan(Record):
    """What a search was told about tuning.

    Parameters
    ----------
    strategy
        ``bayesian``, ``random``, ``grid`` or ``halving``.
    space
        Dimensions that the project file declares, by family; they take the place of the family's own of that name.
    params
        Parameters that it fixes, by family; they are not tuned.
    rungs
        Of successive halving, the lowest first; empty for other searches.
    leaders
        So many of the best families are tuned, in turn.
    """

    strategy: str = "bayesian"
    space: Mapping[str, Mapping[str, Dimension]] = dataclasses.field(default_factory=dict)
    params: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    rungs: tuple[Rung, ...] = ()
    leaders: int = 1

    def space_of(self, family: Family, task: Task) -> dict[str, Dimension]:
        """What may be tuned in a family: its own space and what is declared; for a grid the declared alone."""
        declared, fixed = self.space.get(family.name, {}), self.params.get(family.name, {})
        own = {} if self.strategy == "grid" else family.space(task)
        return {name: dimension for name, dimension in {**own, **declared}.items() if name not in fixed}

    def defaults_of(self, family: Family, task: Task) -> dict[str, Any]:
        """The configuration of a family that is tried first."""
        return {**family.defaults(task), **self.params.get(family.name, {})}


def plan_rungs(rounds: int, rows: int, rarest: int) -> tuple[Rung, ...]:
    """The ladder whose work is that of about ``rounds`` configurations on all rows, if work grows with rows.

    From rung to rung the rows are three times as many, the configurations a third (Jamieson and Talwalkar, 2016). There
    are up to four rungs, as many as leave a fold 400 rows, and five of each class, in the lowest one.

    Parameters
    ----------
    rounds
        What ``training.tuning_rounds`` allows.
    rows
        Training rows of the smallest fold.
    rarest
        Rows of the rarest class among them; as many as ``rows`` if there are no classes.

    Examples
    --------
    >>> [(rung.configurations, round(rung.share, 3)) for rung in plan_rungs(8, 4_000, 900)]
    [(24, 0.111), (8, 0.333), (2, 1.0)]
    """
    if rounds == 0:
        return ()
    levels = 1
    while levels < _MOST_RUNGS:
        part = _THIRD**levels
        if rows / part < _LEAST_ROWS or rarest / part < _LEAST_OF_A_CLASS:
            break
        levels += 1
    first = max(1, rounds * _THIRD ** (levels - 1) // levels)
    steps = range(levels)
    return tuple(Rung(max(1, first // _THIRD**step), _THIRD ** float(step + 1 - levels)) for step in steps)
