"""Candidates within noise of the best, scored again on further divisions into folds, and the choice made on the mean."""

import dataclasses
import statistics
from collections.abc import Callable, Collection, Mapping, Sequence

from modelyard.core import ConfigError, derive_seed
from modelyard.problem import metric_spec
from modelyard.report import format_number
from modelyard.training.blending.weights import cross_fitted
from modelyard.training.choosing.divisions import Division, RepeatedEvidence
from modelyard.training.choosing.noise import Evidence
from modelyard.training.choosing.rule import Choice
from modelyard.training.families.family import Family
from modelyard.training.folds import plan_folds
from modelyard.training.preparation import Setup
from modelyard.training.records import BLEND, NAIVE, Candidate, CandidateStatus
from modelyard.training.search.cross_validation import CrossValidation, Recipe
from modelyard.training.stability.records import Finalist, Repeats

__all__ = ["FEW_ROWS", "Contest", "Repeated", "choose_again", "require_divisions", "wanted_divisions"]

FEW_ROWS = 1_000
"""Rows up to which ``auto`` scores again. Beyond, three divisions chose no better than one (``benchmarks/training/repeats.py``)."""

_DIVISIONS = 3
_MOST_FINALISTS = 6

Decide = Callable[[Sequence[Candidate], Evidence, Collection[str]], Choice]
"""The rule of the choice: all candidates, what is known of their differences, and the names of those that may win."""


@dataclasses.dataclass(frozen=True)
class Contest:
    """A choice, and what it was made from.

    Parameters
    ----------
    validation, setup, families
        The search; families by name.
    evidence
        What its folds say.
    allowed
        Candidates that may win.
    choice
        By one division.
    """

    validation: CrossValidation
    setup: Setup
    families: Mapping[str, Family]
    evidence: Evidence
    allowed: Sequence[Candidate]
    choice: Choice


@dataclasses.dataclass(frozen=True)
class Repeated:
    """The choice after further divisions; as it was where there were none, or they were stopped (``finished`` is False).

    ``truncated`` says how many a budget's clock let through, if not all.
    """

    choice: Choice
    repeats: Repeats | None = None
    finished: bool = True
    truncated: str = ""


def require_divisions(setup: Setup) -> None:
    """Folds in time have one division.

    Raises
    ------
    ConfigError
        If more are asked for by number.
    """
    asked = setup.problem.training.repeats
    if setup.plan.strategy == "time" and asked not in ("auto", 1):
        raise ConfigError(
            "folds that walk forward in time can be made in one way only",
            where="training.repeats",
            got=str(asked),
            cure="Take it out, or set it to auto",
        )


def choose_again(contest: Contest, decide: Decide) -> Repeated:
    """Score those within noise of the best on further divisions, each with other seeds, and choose on the mean.

    A finalist is a candidate that the best does not beat beyond noise, and that beats the naive baseline: six at most, and the
    one that has been chosen. A blend's weights are learnt anew on each division. A finalist that fails on a division is out.
    """
    wanted = wanted_divisions(contest.setup)
    if wanted == 1 or contest.choice.winner == NAIVE:
        return Repeated(contest.choice)
    names = _finalists(contest)
    if len(names) < 2:
        if contest.setup.problem.training.repeats == "auto":
            return Repeated(contest.choice)
        sentence = "No other candidate is within noise of the best, so nothing was scored again."
        name, metric = contest.choice.winner, contest.setup.question.metric
        choice = dataclasses.replace(contest.choice, why=f"{sentence} {contest.choice.why}")
        return Repeated(choice, Repeats(metric, wanted, 1, (), name, name, sentence))
    further: list[CrossValidation] = []
    truncated = ""
    contest.validation.begin("divisions")
    try:
        for number in range(2, wanted + 1):
            division = _scored_on_another(contest, names, number)
            if any(item.status is CandidateStatus.INTERRUPTED for item in division.candidates):
                if contest.setup.problem.training.budget is None:
                    return Repeated(_stopped(contest.choice), finished=False)
                truncated = f"The budget ended the scoring on further divisions after {number - 1} of {wanted}."
                break
            further.append(division)
    except KeyboardInterrupt:
        return Repeated(_stopped(contest.choice), finished=False)
    if not further:
        return Repeated(contest.choice, truncated=truncated)
    return dataclasses.replace(_decided(contest, names, further, decide), truncated=truncated)


def wanted_divisions(setup: Setup) -> int:
    """How many divisions the project asks for, or its rows; one for folds in time."""
    asked = setup.problem.training.repeats
    if setup.plan.strategy == "time":
        return 1
    if asked == "auto":
        return _DIVISIONS if len(setup.truth) <= FEW_ROWS else 1
    return asked


def _finalists(contest: Contest) -> list[str]:
    """Names of those within noise of the best, the best first."""
    sign = 1 if contest.validation.greater_is_better else -1
    ordered = sorted(contest.allowed, key=lambda item: (-sign * (item.mean or 0.0), item.complexity))
    best, names = ordered[0].name, [item.name for item in ordered]
    evidence, naive = contest.evidence, next(item for item in contest.validation.candidates if item.name == NAIVE)
    near = [name for name in names if name == best or not evidence.beats(best, name, [best])]
    near = [name for name in near if not naive.is_complete or evidence.beats(name, NAIVE, names)]
    chosen = contest.choice.winner
    kept = near[:_MOST_FINALISTS]
    return kept if chosen in kept else [*kept, chosen]


def _stopped(choice: Choice) -> Choice:
    return dataclasses.replace(choice, why=f"{choice.why} Stopped before it was scored again on further divisions.")


def _scored_on_another(contest: Contest, names: Sequence[str], number: int) -> CrossValidation:
    """The finalists, and members of a blend among them, on a further division."""
    setup, known = contest.setup, {item.name: item for item in contest.allowed}
    seed = derive_seed(setup.seed, "division", number)
    plan = plan_folds(setup.keys, setup.folds, derive_seed(seed, "folds"))
    division = contest.validation.divided(plan, setup.keys, seed, f"divisions/{number}")
    members = known[BLEND].members if BLEND in names else {}
    needed = dict.fromkeys([*(name for name in names if name != BLEND), *members])
    recipes = [Recipe.of(known[name], contest.families[known[name].family]) for name in needed]
    made = division.evaluate(recipes, step=f"division {number}")
    if members and all(item.is_complete for item in made if item.name in members):
        answers = {name: division.out_of_fold(name) for name in members}
        parts = [fold.held for fold in plan.folds]
        mixed = cross_fitted(answers, setup.truth, parts, setup.question.metric, forward=False)
        division.add(known[BLEND], mixed)
    division.discard()
    return division


def _decided(contest: Contest, names: Sequence[str], further: Sequence[CrossValidation], decide: Decide) -> Repeated:
    """The choice among finalists that are complete on every division."""
    setup, known = contest.setup, {item.name: item for item in contest.validation.candidates}
    tables = [{item.name: item for item in division.candidates if item.is_complete} for division in further]
    kept = [name for name in names if all(name in table for table in tables)]
    finalists = [_finalist(name, [known[name], *(table[name] for table in tables)]) for name in kept]
    if contest.choice.winner not in kept or len(kept) < 2:
        why = f"{contest.choice.why} It could not be fitted on every further division, so one division decided."
        return Repeated(dataclasses.replace(contest.choice, why=why))
    divisions = [
        Division(setup.plan, contest.validation.out_of_fold),
        *(Division(division.plan, division.out_of_fold) for division in further),
    ]
    metric = setup.question.metric
    evidence = RepeatedEvidence(contest.evidence, metric, setup.truth, setup.keys, divisions, seed=setup.seed)
    means = {item.name: _over_divisions(known[item.name], item) for item in finalists}
    candidates = [means.get(item.name, item) for item in contest.validation.candidates]
    choice = decide(candidates, evidence, kept)
    sign = -1 if metric_spec(metric).greater_is_better else 1
    finalists.sort(key=lambda item: sign * item.mean)
    sentence = _sentence(contest, finalists, len(divisions), choice.winner)
    record = Repeats(
        metric,
        wanted_divisions(setup),
        len(divisions),
        tuple(finalists),
        contest.choice.winner,
        choice.winner,
        sentence,
    )
    return Repeated(dataclasses.replace(choice, why=f"{sentence} {choice.why}"), record)


def _finalist(name: str, scored: Sequence[Candidate]) -> Finalist:
    means = [item.mean or 0.0 for item in scored]
    return Finalist(name, tuple(item.fold_scores for item in scored), statistics.fmean(means), statistics.stdev(means))


def _over_divisions(candidate: Candidate, finalist: Finalist) -> Candidate:
    """As it competes: with the folds of all divisions."""
    scores = tuple(value for division in finalist.scores for value in division)
    return dataclasses.replace(candidate, fold_scores=scores, mean=finalist.mean, sd=statistics.stdev(scores))


def _sentence(contest: Contest, finalists: Sequence[Finalist], divisions: int, winner: str) -> str:
    tried = len(contest.allowed)
    figures = ", ".join(f"{item.name} {format_number(item.mean)}" for item in finalists)
    before = contest.choice.winner
    turn = f"The choice stays {winner}" if winner == before else f"One division chose {before}, all together {winner}"
    return (
        f"Within noise of the best are {len(finalists)} of {tried} candidates; they were scored on {divisions} divisions into "
        f"folds, and their means decide: {figures}. {turn}."
    )
