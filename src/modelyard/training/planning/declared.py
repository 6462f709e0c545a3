"""What the project file says about tuning, held against what the families know, before anything is trained."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from modelyard.core import ConfigError
from modelyard.problem import Task, did_you_mean
from modelyard.problem.schema import SearchRange, TrainingPlan
from modelyard.training.families.family import Dimension, Family
from modelyard.training.families.parameters import impossible, known_parameters
from modelyard.training.planning.searching import SearchPlan

__all__ = ["declared_search"]


def declared_search(training: TrainingPlan, families: Mapping[str, Family], task: Task) -> SearchPlan:
    """The plan of tuning, without rungs.

    Parameters
    ----------
    families
        Those that will be tried.

    Raises
    ------
    ConfigError
        If a family of ``training.space`` or ``training.params`` is not tried, does not know a parameter, or a parameter cannot
        have a value; if one is fixed and searched at once; or if a grid cannot be carried out.
    """
    for key, name, parameter, values in _named(training):
        family = _tried(name, families, key)
        where = f"training.{key}.{name}"
        _check_name(family, parameter, task, where)
        for value in values:
            must = impossible(family, parameter, value)
            if must:
                what = f"{parameter} must be {must}"
                raise ConfigError(what, where=where, got=repr(value), cure="Mend that value")
    for name, fixed in training.params.items():
        both = sorted(set(fixed) & set(training.space.get(name, {})))
        if both:
            raise ConfigError(
                "a parameter cannot be both fixed and searched",
                where=f"training.params.{name}",
                got=both[0],
                cure=f"Take it out of training.params, or out of training.space.{name}",
            )
    space = {
        name: {parameter: _dimension(parameter, given, families[name], task) for parameter, given in declared.items()}
        for name, declared in training.space.items()
    }
    plan = SearchPlan(training.search, space, {name: dict(fixed) for name, fixed in training.params.items()})
    if training.search == "grid" and training.tuning_rounds:
        _check_grid(plan, training.tuning_rounds)
    return plan


def _named(training: TrainingPlan) -> Iterator[tuple[str, str, str, tuple[Any, ...]]]:
    """Key, family, parameter and the values it may have, bounds included, of all that is declared."""
    for name, fixed in training.params.items():
        for parameter, value in fixed.items():
            yield "params", name, parameter, (value,)
    for name, declared in training.space.items():
        for parameter, given in declared.items():
            values = (given.low, given.high) if isinstance(given, SearchRange) else given
            yield "space", name, parameter, values


def _tried(name: str, families: Mapping[str, Family], key: str) -> Family:
    if name not in families:
        raise ConfigError(
            "the family is not tried",
            where=f"training.{key}",
            got=repr(name),
            cure=f"Name it under training.families, or take it out here; tried are {', '.join(families)}",
        )
    return families[name]


def _check_name(family: Family, parameter: str, task: Task, where: str) -> None:
    known = known_parameters(family, task)
    if known is not None and parameter not in known:
        raise ConfigError(
            f"{family.name} has no such parameter for a {task.value} task",
            where=where,
            got=repr(parameter),
            cure=did_you_mean(parameter, known),
        )


def _dimension(name: str, given: SearchRange | tuple[Any, ...], family: Family, task: Task) -> Dimension:
    """A declared dimension; whole numbers if the family's own are, or else if both bounds are written so."""
    if not isinstance(given, SearchRange):
        return Dimension(choices=given)
    own = family.space(task).get(name)
    written = isinstance(given.low, int) and isinstance(given.high, int)
    whole = (own.whole if own is not None else written) if given.whole is None else given.whole
    return Dimension(float(given.low), float(given.high), whole=whole, log=given.log)


def _check_grid(plan: SearchPlan, rounds: int) -> None:
    """A grid is tried whole, so it must fit; and each of its dimensions needs values."""
    if not plan.space:
        raise ConfigError(
            "a grid has no values to try",
            where="training.search",
            got="grid without training.space",
            cure="State values: training: {space: {lightgbm: {num_leaves: [15, 31, 63]}}}",
        )
    for name, declared in plan.space.items():
        endless = [parameter for parameter, dimension in declared.items() if not dimension.values()]
        if endless:
            raise ConfigError(
                "a grid needs stated values, and a range has endlessly many",
                where=f"training.space.{name}.{endless[0]}",
                got=f"{declared[endless[0]].low:g} to {declared[endless[0]].high:g}",
                cure="List values: [0.03, 0.1, 0.3]; or search at random, by bayesian or by halving",
            )
        points = math.prod(len(dimension.values()) for dimension in declared.values())
        if points > rounds:
            raise ConfigError(
                f"the grid has {points:,} points, more than training.tuning_rounds allows",
                where=f"training.space.{name}",
                got=f"tuning_rounds: {rounds}",
                cure=f"Set training.tuning_rounds: {points}, state fewer values, or search at random",
            )
