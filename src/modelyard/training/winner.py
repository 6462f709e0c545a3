"""From scored candidates to a fitted winner: a blend if it pays, the choice, calibration if it pays, and the refits."""

import dataclasses
import functools
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from modelyard.core import ModelyardError, Progress, ProgressEvent
from modelyard.problem import metric_spec
from modelyard.report import format_number, format_percent
from modelyard.training.balancing.resampling import WORDS
from modelyard.training.blending.trial import CALIBRATED, Trial, blended, calibrated
from modelyard.training.choosing import Evidence, corrected_score
from modelyard.training.choosing.rule import Choice, allowed_of, choose
from modelyard.training.curves.evenness import watched_class
from modelyard.training.executor import Executor, InProcessExecutor, Limit, LocalPoolExecutor
from modelyard.training.families.family import Family
from modelyard.training.model import FittedModel
from modelyard.training.preparation import Setup
from modelyard.training.records import NAIVE, Candidate, CandidateRole
from modelyard.training.search.cross_validation import CrossValidation
from modelyard.training.search.refit import Refit, RefitPart, RefitUnit, fit_constant
from modelyard.training.stability import FoldSpread, Repeats, SeedSpread
from modelyard.training.stability.folds import spread_by_fold
from modelyard.training.stability.repeats import Contest, Repeated, choose_again
from modelyard.training.stability.seeds import AVERAGED, Seeded, fit_seed, try_seeds
from modelyard.training.target import encode_target

__all__ = ["Verdict", "bare_name", "candidate_of", "choose_winner", "fit_winner", "members_of"]

_PARTS = {"development": "on the training part", "final": "on training and validation"}


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The choice, and whether it would come again; ``finished`` is False if further folds or seeds were stopped.

    ``truncated`` says what of them a budget's clock kept from being done.
    """

    choice: Choice
    repeats: Repeats | None = None
    seeds: SeedSpread | None = None
    by_fold: FoldSpread | None = None
    finished: bool = True
    truncated: str = ""


def choose_winner(
    validation: CrossValidation,
    setup: Setup,
    families: Mapping[str, Family],
    *,
    rebalance: Callable[[Choice], Choice] = lambda choice: choice,
    whole: bool = True,
) -> Verdict:
    """Add the blend, choose among all, again on further divisions if asked for, and calibrate the choice if that pays.

    Parameters
    ----------
    families
        By name, those of all candidates.
    rebalance
        What may put another candidate in the place of the choice; see
        :class:`~modelyard.training.balancing.remedies.Remedies`.
    whole
        False after a search that was stopped: then nothing is scored again.
    """
    metric, plan = setup.question.metric, setup.problem.training
    trial = Trial(setup.truth, setup.plan, metric, validation.out_of_fold)
    mixed = blended(allowed_of(validation.candidates, setup.problem.constraints), trial) if plan.blend else None
    if mixed is not None:
        validation.add(*mixed)
    evidence = _evidence(metric, validation, setup)
    wants_best = plan.prefer == "best" or (plan.prefer == "auto" and plan.budget is not None)
    decide = functools.partial(_decide, setup=setup, simplest=not wants_best)
    choice = decide(validation.candidates, evidence, None)
    allowed = allowed_of(validation.candidates, setup.problem.constraints)
    contest = Contest(validation, setup, families, evidence, allowed, choice)
    again = choose_again(contest, decide) if whole else Repeated(choice)
    choice = rebalance(again.choice) if whole and again.finished else again.choice
    choice = _balanced_words(_corrected(choice, validation, setup), validation, setup)
    winner = candidate_of(choice.winner, validation.candidates)
    seeded = try_seeds(winner, validation, setup, families, evidence) if whole and again.finished else Seeded()
    choice = _averaged(choice, validation, seeded)
    if setup.problem.task.is_classification:
        choice = _calibrate(choice, validation, setup, trial)
    by_fold = None
    if winner.role is CandidateRole.CANDIDATE:
        by_fold = spread_by_fold(winner, candidate_of(NAIVE, validation.candidates), metric, evidence)
    truncated = f"{again.truncated} {seeded.truncated}".strip()
    return Verdict(choice, again.repeats, seeded.spread, by_fold, again.finished and seeded.finished, truncated)


def _averaged(choice: Choice, validation: CrossValidation, seeded: Seeded) -> Choice:
    """The choice as the mean of several seeds, if there is one; what they showed is told in any case."""
    if not seeded.finished:
        return dataclasses.replace(choice, why=f"{choice.why} Stopped before other seeds were tried.")
    if seeded.spread is None:
        return choice
    why = f"{choice.why} {seeded.spread.sentence}"
    if seeded.mean is None:
        return dataclasses.replace(choice, why=why)
    scored = validation.add(*seeded.mean)
    mean = f"{why[:-1]}: {format_number(scored.mean)} ± {format_number(scored.sd)}."
    return dataclasses.replace(choice, winner=scored.name, why=mean)


def _decide(
    candidates: Sequence[Candidate], evidence: Evidence, among: Collection[str] | None, *, setup: Setup, simplest: bool
) -> Choice:
    """The rule with what the project file says."""
    constraints, metric = setup.problem.constraints, setup.question.metric
    return choose(candidates, metric, constraints, evidence, simplest=simplest, among=among)


def bare_name(name: str) -> str:
    """The candidate as it was tried: not calibrated, and with one seed.

    >>> bare_name("lightgbm-tuned-3-seeds-calibrated")
    'lightgbm-tuned-3'
    """
    return name.removesuffix(CALIBRATED).removesuffix(AVERAGED)


def candidate_of(name: str, candidates: Sequence[Candidate]) -> Candidate:
    """The candidate of that name, which is there."""
    return next(item for item in candidates if item.name == name)


def members_of(winner: Candidate) -> Mapping[str, float]:
    """Names of the candidates that a winner is made of, with their weights; itself, if it is no blend."""
    return winner.members or {winner.name.removesuffix(CALIBRATED): 1.0}


def fit_winner(
    winner: Candidate,
    validation: CrossValidation,
    setup: Setup,
    tables: Mapping[str, pl.DataFrame],
    families: Mapping[str, Family],
    folder: Path,
    *,
    executor: Executor | None,
    progress: Progress,
) -> dict[str, FittedModel]:
    """The winner on all rows of each table, by the table's name.

    Boosted members take the number of rounds that the folds agreed on.

    Parameters
    ----------
    tables
        The training part as ``development``, training and validation together as ``final``.
    folder
        For matrices and estimators on their way.
    executor
        Where members are fitted; None for one worker, or for this process if nothing limits a fit.

    Raises
    ------
    ModelyardError
        If a member that could be fitted on all folds cannot be fitted on all rows.
    """
    target = setup.problem.data.target
    truths = {name: encode_target(frame[target], setup.problem.task, setup.classes) for name, frame in tables.items()}
    if winner.name == NAIVE:
        return {name: fit_constant(setup.learning, frame, truths[name], winner) for name, frame in tables.items()}
    weights = members_of(winner)
    source = {name: candidate_of(name, validation.candidates) for name in weights}
    parts = [
        RefitPart(source[name], families[source[name].family], weight / times, fit_seed(setup.seed, number))
        for name, weight in weights.items()
        for times in [winner.seeds.get(bare_name(name), 1)]
        for number in range(times)
    ]
    refits = {name: Refit(folder / name, setup.learning, winner, parts, seed=setup.seed) for name in tables}
    units = [
        (f"{winner.name}, {_PARTS[name]}", unit)
        for name, refit in refits.items()
        for unit in refit.units(tables[name], truths[name])
    ]
    unit_s = setup.problem.training.unit_s
    runner = executor or (InProcessExecutor() if unit_s is None else LocalPoolExecutor(1))
    try:
        _run(units, runner, Limit(unit_s or math.inf), progress)
    finally:
        if executor is None:
            runner.close()
    return {name: refit.model() for name, refit in refits.items()}


def _run(units: Sequence[tuple[str, RefitUnit]], executor: Executor, limit: Limit, progress: Progress) -> None:
    """Fit what an earlier call that was killed has not fitted already; none may fail."""
    messages = {unit.key: message for message, unit in units}
    left = {unit.key: unit for _, unit in units if not unit.file.exists()}
    for unit in left.values():
        executor.submit(unit, limit)
    for done, outcome in enumerate(executor.as_completed(), 1 + len(messages) - len(left)):
        if outcome.result is None:
            raise ModelyardError(
                "the winner cannot be fitted on all rows",
                where=messages[outcome.key],
                got=outcome.error,
                cure="Run it again: what was finished is kept. If memory was short, set training.workers to 1; if it took "
                "too long, raise training.unit_minutes, or name other families in training.families",
            )
        progress(ProgressEvent("refit", done, len(messages), messages[outcome.key]))


def _evidence(metric: str, validation: CrossValidation, setup: Setup) -> Evidence:
    return Evidence(metric, setup.truth, setup.plan, setup.keys, validation.out_of_fold, seed=setup.seed)


def _corrected(choice: Choice, validation: CrossValidation, setup: Setup) -> Choice:
    """With what the winner's score is worth after it was picked."""
    competed = allowed_of(validation.candidates, setup.problem.constraints)
    if choice.winner not in {item.name for item in competed}:
        return choice
    means = {item.name: float(item.mean or 0.0) for item in competed}
    found = corrected_score(
        choice.winner,
        means,
        {name: validation.out_of_fold(name) for name in means},
        setup.question.metric,
        setup.truth,
        setup.plan,
        setup.keys,
        seed=setup.seed,
    )
    if found is None:
        return choice
    title = metric_spec(setup.question.metric).title
    why = (
        f"{choice.why} Corrected for having been picked among {found.candidates}, its {title} is "
        f"{format_number(found.estimate)} (95 % interval {format_number(found.low)} to {format_number(found.high)})."
    )
    return dataclasses.replace(choice, why=why, corrected=found)


def _balanced_words(choice: Choice, validation: CrossValidation, setup: Setup) -> Choice:
    """With what a winner that learnt from even classes says on average."""
    winner = candidate_of(choice.winner, validation.candidates)
    if not winner.resampling:
        return choice
    held = np.concatenate([fold.held for fold in setup.plan.folds])
    said, truth, code = validation.out_of_fold(winner.name)[held], setup.truth[held], watched_class(setup)
    mean = format_percent(float((said[:, code] if said.ndim == 2 else said).mean()))
    there = format_percent(float((truth == code).mean()))
    told = f"the true shares: {mean} on average of {setup.classes[code]!r}, the rarest class, whose share is {there}."
    told = told if said.ndim == 2 else f"the true share: {mean} on average, where {there} are positive."
    learnt = (
        f"It learns from classes made even by {WORDS[winner.resampling]}, and its probabilities are set back to {told}"
    )
    return dataclasses.replace(choice, why=f"{choice.why} {learnt}")


def _calibrate(choice: Choice, validation: CrossValidation, setup: Setup, trial: Trial) -> Choice:
    """The choice with calibrated probabilities, if the log loss of held-out rows falls by more than its standard error."""
    winner = candidate_of(choice.winner, validation.candidates)
    made = calibrated(winner, trial) if winner.role is CandidateRole.CANDIDATE else None
    if made is None:
        return choice
    candidate, out_of_fold = made
    answers = {winner.name: validation.out_of_fold(winner.name), candidate.name: out_of_fold}
    evidence = Evidence("log_loss", setup.truth, setup.plan, setup.keys, answers.__getitem__, seed=setup.seed)
    gain = evidence.gain(candidate.name, winner.name)
    # Resampling has disturbed the probabilities for sure, so that they are mended needs no proof.
    if gain.mean <= (0 if winner.resampling else gain.standard_error):
        return choice
    validation.add(candidate, out_of_fold)
    why = (
        f"{choice.why} Its probabilities are calibrated: that lowers the log loss of held-out rows by "
        f"{format_number(gain.mean)} (standard error {format_number(gain.standard_error)})."
    )
    return dataclasses.replace(choice, winner=candidate.name, why=why)
