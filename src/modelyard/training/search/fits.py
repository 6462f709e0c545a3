"""The winner fitted more than once on all rows, each time with another seed: the mean of such models errs less than one.

Fitted five times, boosted trees lost 6.2 % of the error of one model that held rows back, fitted once 4.7 %; networks 8.9 and
5.0 % (Holzmüller, Grinsztajn and Steinwart, 2024, table B.3). No fold is fitted for it, so it costs little; what the folds said is
of one fit, and so rather too low.
"""

import dataclasses
from collections.abc import Sequence

from modelyard.problem import Problem
from modelyard.training.blending.trial import costs_together
from modelyard.training.choosing.rule import violations
from modelyard.training.families.family import Family
from modelyard.training.planning import Clock
from modelyard.training.preparation import Setup
from modelyard.training.records import Candidate
from modelyard.training.search.cross_validation import CrossValidation
from modelyard.training.search.fewer_rows import encoding_cost, refit_cost

__all__ = [
    "answers_soon",
    "fits_in_time",
    "fits_sentence",
    "fits_within",
    "fitted_often",
    "may_fit_again",
    "seconds_again",
]

Members = Sequence[tuple[Candidate, Family]]
"""What a winner is made of: itself, or the members of a blend."""

_ROW_MS = 1.0
"""Time that is left over goes into further fits as long as what is fitted again takes no more milliseconds for a row."""


def may_fit_again(problem: Problem) -> bool:
    """True if time that a budget leaves over may go into further fits of the winner.

    Not beside ``training.seeds``, which fits it with other seeds already, nor ``training.nested``, whose outer parts
    would judge another procedure.
    """
    plan = problem.training
    return plan.fits == "auto" and plan.budget is not None and plan.seeds == 1 and plan.nested is None


def seconds_again(members: Members, validation: CrossValidation, setup: Setup) -> float:
    """Seconds on one core of one further fit of those members that hang on their seed, on the whole training part."""
    return sum(refit_cost(member, validation, setup) for member, family in members if family.promises.varies)


def answers_soon(members: Members, fits: int) -> bool:
    """Whether those members that hang on their seed, fitted so often, are expected to take a millisecond for a row at most."""
    once_ms = sum(member.predict_ms or 0.0 for member, family in members if family.promises.varies)
    return fits * once_ms <= _ROW_MS


def fits_in_time(members: Members, validation: CrossValidation, setup: Setup, clock: Clock) -> int:
    """How many fits of the winner's members the time that is left allows; 1 if none of them hangs on its seed."""
    once = sum(refit_cost(member, validation, setup) for member, _ in members)
    encoding_s = encoding_cost((family for _, family in members), validation, setup)
    return clock.fits(once, encoding_s, seconds_again(members, validation, setup))


def fits_within(winner: Candidate, members: Members, setup: Setup, most: int) -> tuple[int, str]:
    """The largest number of fits up to ``most`` whose mean is not too dear; 1 at least, or if none hangs on its seed.

    Returns
    -------
    int
        The number.
    str
        What one more would do, as the rest of a sentence; ``""`` if nothing speaks against it.
    """
    fits, against = 1, ""
    while _varying(members) and fits < most and not (against := _against(winner, members, fits + 1, setup)):
        fits += 1
    return fits, against


def fitted_often(winner: Candidate, members: Members, fits: int) -> Candidate:
    """The winner whose members that hang on their seed are to be fitted so often; one that says so itself as it is."""
    if fits == 1 or winner.seeds:
        return winner
    return dataclasses.replace(winner, seeds=dict.fromkeys(_varying(members), fits))


def fits_sentence(members: Members, fits: int, against: str) -> str:
    """What the model is the mean of, and what speaks against more fits; ``""`` if there is nothing to say."""
    varying = _varying(members)
    fewer = f"The mean of more fits with other seeds would {against}." if against else ""
    if fits == 1:
        return fewer
    who = "It" if len(members) == 1 else "Each member that hangs on its seed" if len(varying) > 1 else varying[0]
    told = f"{who} was fitted {fits} times on all rows, with as many seeds, and the model is the mean; folds were scored with one."
    return f"{told} {fewer}".strip()


def _varying(members: Members) -> list[str]:
    """Those that hang on their seed."""
    return [member.name for member, family in members if family.promises.varies]


def _against(winner: Candidate, members: Members, fits: int, setup: Setup) -> str:
    """What speaks against so many fits."""
    if violations(_costing(winner, members, fits), setup.problem.constraints):
        return "break a constraint"
    if setup.problem.training.fits == "auto" and not answers_soon(members, fits):
        return f"take more than {_ROW_MS:g} ms for a row, which only a number in training.fits asks for"
    return ""


def _costing(winner: Candidate, members: Members, fits: int) -> Candidate:
    """The winner with what it costs when it is fitted so often."""
    every = [member for member, family in members for _ in range(fits if family.promises.varies else 1)]
    costs = costs_together(every)
    return dataclasses.replace(
        winner, predict_ms=costs["predict_ms"], rows_per_s=costs["rows_per_s"], size_mb=costs["size_mb"]
    )
