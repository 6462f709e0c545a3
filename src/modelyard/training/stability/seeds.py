"""The winner with other seeds of fitting on the same folds: how much luck is in it, and the mean of several seeds."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from modelyard.core import derive_seed
from modelyard.problem import metric_spec
from modelyard.report import format_number
from modelyard.training.blending.weights import cross_fitted
from modelyard.training.choosing.noise import Evidence
from modelyard.training.choosing.rule import violations
from modelyard.training.families.family import Family
from modelyard.training.preparation import Setup
from modelyard.training.records import Candidate, CandidateRole, CandidateStatus
from modelyard.training.search.cross_validation import CrossValidation, Recipe
from modelyard.training.stability.records import SeedSpread

__all__ = ["AVERAGED", "Seeded", "fit_seed", "try_seeds", "wanted_seeds"]

Array = npt.NDArray[np.float64]

AVERAGED = "-seeds"
"""What follows the name of a candidate that is the mean of several seeds."""

_TRIED = 3
_UNSTABLE = 0.5


@dataclasses.dataclass(frozen=True)
class Seeded:
    """What other seeds showed, and the mean of them as a candidate that is not scored yet, with its predictions.

    ``finished`` is False if it was stopped; ``truncated`` says that a budget's clock ended it.
    """

    spread: SeedSpread | None = None
    mean: tuple[Candidate, Array] | None = None
    finished: bool = True
    truncated: str = ""


def wanted_seeds(setup: Setup) -> int:
    """How many seeds the project asks for; the three that ``auto`` measures."""
    asked = setup.problem.training.seeds
    return _TRIED if asked == "auto" else asked


def fit_seed(seed: int, number: int) -> int:
    """The root of the seeds with which a model is fitted for the ``number``-th time, counted from 0."""
    return seed if number == 0 else derive_seed(seed, "seeds", number)


def try_seeds(
    winner: Candidate,
    validation: CrossValidation,
    setup: Setup,
    families: Mapping[str, Family],
    evidence: Evidence,
) -> Seeded:
    """Fit the winner with other seeds on the same folds, as often as the project asks.

    A member whose second seed gives the predictions of the first to the last bit is deterministic and is not fitted again. The
    spread by seed is the standard deviation of a fold's score over seeds; the winner is unstable if that is more than half of
    the spread by fold: the standard deviation over folds, or, since few folds may be alike by chance, that of a fold's score
    under draws of its rows, whichever is larger. A mean of seeds that breaks a constraint is not made.

    Parameters
    ----------
    evidence
        What the folds say of the winner.
    """
    wanted = wanted_seeds(setup)
    if wanted == 1 or winner.role is not CandidateRole.CANDIDATE:
        return Seeded()
    members = dict(winner.members) or {winner.name: 1.0}
    known = {item.name: item for item in validation.candidates}
    answers = [{name: validation.out_of_fold(name) for name in members}]
    restless = list(members)
    validation.begin("seeds")
    try:
        for number in range(1, wanted):
            other = validation.seeded(fit_seed(setup.seed, number))
            recipes = [Recipe.of(known[name], families[known[name].family]) for name in restless]
            made = other.evaluate(recipes, step=f"seed {number + 1}")
            if any(item.status is CandidateStatus.INTERRUPTED for item in made):
                if setup.problem.training.budget is None:
                    return Seeded(finished=False)
                return Seeded(
                    truncated=f"The budget ended the fits with other seeds after {number} of {wanted}; one seed is kept."
                )
            if not all(item.is_complete for item in made):
                return Seeded(_failed(winner, setup, made))
            again = {name: other.out_of_fold(name) for name in restless}
            restless = [name for name in restless if number > 1 or not _equal(answers[0][name], again[name])]
            if not restless:
                return Seeded(_deterministic(winner, setup))
            answers.append({**answers[0], **again})
    except KeyboardInterrupt:
        return Seeded(finished=False)
    together = [_together(winner, setup, given) for given in answers]
    by_rows = evidence.scores(winner.name)[:, 1:].var(axis=1, ddof=1)
    return _concluded(winner, setup, validation, together, restless, math.sqrt(float(by_rows.mean())))


def _equal(first: Array, second: Array) -> bool:
    return bool(np.array_equal(first, second, equal_nan=True))


def _together(winner: Candidate, setup: Setup, answers: Mapping[str, Array]) -> Array:
    """The winner's predictions from those of its members; a blend's weights are learnt on the other folds."""
    if not winner.members:
        return answers[winner.name]
    parts = [fold.held for fold in setup.plan.folds]
    forward = setup.plan.strategy == "time"
    return cross_fitted(answers, setup.truth, parts, setup.question.metric, forward=forward)


def _concluded(
    winner: Candidate,
    setup: Setup,
    validation: CrossValidation,
    answers: Sequence[Array],
    restless: Sequence[str],
    by_rows: float,
) -> Seeded:
    """The spread, and the mean if it is asked for, or needed, and allowed."""
    scores = np.array([winner.fold_scores, *(validation.scores_of(given) for given in answers[1:])])
    by_seed = math.sqrt(float(scores.var(axis=0, ddof=1).mean()))
    by_fold = max(by_rows, float(scores.mean(axis=0).std(ddof=1)))
    unstable = by_seed > _UNSTABLE * by_fold
    mean = _mean_of(winner, len(answers), restless)
    broken = violations(mean, setup.problem.constraints)
    needed = unstable or setup.problem.training.seeds != "auto"
    averaged = len(answers) if needed and not broken else 1
    spread = SeedSpread(
        winner.name,
        setup.question.metric,
        tuple(tuple(float(value) for value in row) for row in scores),
        by_seed,
        by_fold,
        unstable,
        averaged,
        _sentence(winner, setup, (by_seed, by_fold), scores, unstable, broken if needed else (), averaged),
    )
    return Seeded(spread, (mean, np.mean(answers, axis=0)) if averaged > 1 else None)


def _mean_of(winner: Candidate, seeds: int, restless: Sequence[str]) -> Candidate:
    """The winner fitted so many times; it costs so much more to ask and to keep."""
    rate = winner.rows_per_s
    return dataclasses.replace(
        winner,
        name=f"{winner.name}{AVERAGED}",
        seeds=dict.fromkeys(restless, seeds),
        fit_seconds=winner.fit_seconds * seeds,
        predict_ms=None if winner.predict_ms is None else winner.predict_ms * seeds,
        rows_per_s=None if rate is None else rate / seeds,
        size_mb=None if winner.size_mb is None else winner.size_mb * seeds,
    )


def _sentence(
    winner: Candidate,
    setup: Setup,
    spreads: tuple[float, float],
    scores: Array,
    unstable: bool,
    broken: Sequence[str],
    averaged: int,
) -> str:
    by_seed, by_fold = map(format_number, spreads)
    title, means = metric_spec(setup.question.metric).title, scores.mean(axis=1)
    said = (
        f"With {len(scores)} seeds of fitting {winner.name} has {title} {format_number(float(means.min()))} to "
        f"{format_number(float(means.max()))}; a fold's score moves by {by_seed} from seed to seed and by {by_fold} from fold to fold"
    )
    said += ": it is unstable, as the seed moves it more than half as much as the rows do." if unstable else "."
    if broken:
        return f"{said} The mean of the seeds breaks a constraint ({broken[0]}), so one seed is kept."
    if averaged > 1:
        return f"{said} The winner is the mean of the {averaged}."
    return said


def _deterministic(winner: Candidate, setup: Setup) -> SeedSpread:
    sentence = f"{winner.name} is deterministic: another seed gives the same predictions, so it is not fitted again."
    spread = float(np.std(winner.fold_scores, ddof=1))
    return SeedSpread(winner.name, setup.question.metric, (winner.fold_scores,), 0.0, spread, False, 1, sentence)


def _failed(winner: Candidate, setup: Setup, made: Sequence[Candidate]) -> SeedSpread:
    """A winner that another seed cannot even fit hangs on its seed."""
    failed = next(item for item in made if not item.is_complete)
    sentence = f"{winner.name} is unstable: with another seed {failed.name} failed ({failed.error}). One seed is kept."
    spread = float(np.std(winner.fold_scores, ddof=1))
    return SeedSpread(winner.name, setup.question.metric, (winner.fold_scores,), 0.0, spread, True, 1, sentence)
