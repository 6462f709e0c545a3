"""Training from end to end: baselines, families, tuning, the choice, and the winner fitted twice."""

import dataclasses
import shutil
import time
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import (
    ConfigError,
    ModelyardError,
    Progress,
    ProgressEvent,
    StateError,
    derive_seed,
    new_id,
    silent,
    system_clock,
)
from modelyard.data import Split
from modelyard.features.selection import Selection, selection_report
from modelyard.problem import Problem, did_you_mean
from modelyard.store import Tracker, Workspace
from modelyard.training.baselines import ConstantEstimator, existing_system_scores, naive_params
from modelyard.training.curves import LearningCurve, WeightComparison
from modelyard.training.curves.learning import draw_learning_curve, is_affordable
from modelyard.training.curves.validation import validation_curve
from modelyard.training.curves.weights import RARE, compare_weights, rare_share
from modelyard.training.executor import Executor, InProcessExecutor, LocalPoolExecutor, load_executor
from modelyard.training.families.custom import custom_family
from modelyard.training.families.family import Family
from modelyard.training.families.registry import FAMILIES, registered_families
from modelyard.training.model import FittedModel, fit_model
from modelyard.training.noise import Evidence
from modelyard.training.preparation import Setup, environment, prepare
from modelyard.training.records import EXISTING, NAIVE, Candidate, CandidateRole, CandidateStatus, TrainingRun
from modelyard.training.run import RunContents, StoredRun, store_run
from modelyard.training.search.cross_validation import CrossValidation, Recipe
from modelyard.training.search.matrices import FoldMatrices
from modelyard.training.search.tuning import tune
from modelyard.training.selection import Choice, choose
from modelyard.training.target import encode_target
from modelyard.training.tracking import track

__all__ = ["train"]

_SEARCH_SHARE = 0.9
"""Share of the time budget for folds; the rest is for fitting the winner."""


def train(
    split: Split,
    problem: Problem,
    workspace: Workspace,
    *,
    executor: Executor | None = None,
    tracker: Tracker | None = None,
    progress: Progress = silent,
    resume: bool = True,
    families: Mapping[str, Family] = FAMILIES,
) -> StoredRun:
    """Train candidates by folds, choose one, and fit it.

    In this order: the naive baseline and today's system; each family's default configuration, simple families first;
    tuning of the leading family; the choice (see :func:`~modelyard.training.selection.choose`); the winner on the
    training part, and on training and validation together. Fold scores do not depend on the executor. Before the
    winner is fitted it is drawn by the number of rows, if ``training.learning_curve`` says so, and
    compared with itself under class weights and resampling, if ``training.imbalance`` does.

    Ctrl-C (``KeyboardInterrupt``) while candidates are tried stops the search: the choice is made among those that are
    complete. So does the end of ``constraints.training_minutes``, but units that have begun are finished. What was
    finished is found again by the next call with equal data, settings and versions, also after the process was killed.

    Parameters
    ----------
    split
        Only its training part is used until the winner is chosen.
    problem
        The question; its task may still be ``auto``.
    workspace
        Receives the run.
    executor
        Where units run; by default the one that ``training.executor`` names, else worker processes on this machine
        (``training.workers``). One that is given is left open.
    tracker
        Hears of the run when it is stored; by default the one that the project file names.
    progress
        Hears of every unit: steps ``folds``, ``tuning``, ``curve``, ``weights`` and ``refit``.
    resume
        False to forget what an earlier call left unfinished.
    families
        The families to choose from by ``training.families``; those of one's own are tried too.

    Raises
    ------
    ConfigError
        If a family is unknown, one of another package or an estimator of one's own cannot be used, or the existing
        system cannot be computed.
    DataError
        If the training part cannot be divided into folds, or the target cannot be learnt.
    StateError
        If the search was stopped before any candidate was complete.
    ModelyardError
        If no candidate at all could be fitted.
    """
    setup = prepare(split, problem, workspace.root)
    families = {**families, **_families_of_others(setup.problem, families)}
    chosen = _chosen_families(setup.problem, families)
    folder = workspace.folder("runs") / f".search-{setup.question.digest[:16]}"
    if not resume:
        shutil.rmtree(folder, ignore_errors=True)
    matrices = FoldMatrices(folder, split.train.frame, setup.learning)
    matrices.write_folds(setup.plan, setup.keys, setup.truth, setup.seed)
    runner = executor or _default_executor(setup.problem)
    validation = CrossValidation(
        folder, setup.question, matrices, runner, progress=progress, deadline=_deadline(problem)
    )
    finished = False
    try:
        finished = _search(validation, setup, split.train.frame, chosen)
        if not finished:
            runner.close()
        _require_complete(validation, finished=finished)
        choice = _choose(validation, setup)
        conclusion = (
            _look_closer(validation, matrices, setup, choice, families)
            if finished
            else _Conclusion(choice, interrupted=True)
        )
    finally:
        if executor is None or not finished:
            runner.close()
        shutil.rmtree(folder / "matrices", ignore_errors=True)
    run = _conclude(validation, setup, split, families, workspace, conclusion, progress)
    if finished:
        shutil.rmtree(folder, ignore_errors=True)
    track(run, setup.problem, workspace, tracker)
    return run


def _families_of_others(problem: Problem, families: Mapping[str, Family]) -> dict[str, Family]:
    """Families that other packages register, as far as the plan names them; and the user's own estimators."""
    wanted = [name for name in problem.training.families if name in FAMILIES or name not in families]
    custom = problem.training.custom
    return {
        **registered_families(wanted),
        **{name: custom_family(name, declared, problem.task) for name, declared in custom.items()},
    }


def _chosen_families(problem: Problem, families: Mapping[str, Family]) -> list[Family]:
    """The families of the plan, and those of the caller's own, simple ones first."""
    unknown = [name for name in problem.training.families if name not in families]
    if unknown:
        raise ConfigError(
            "there is no such family of models",
            where="training.families",
            got=repr(unknown[0]),
            cure=did_you_mean(unknown[0], families),
        )
    wanted = [family for name, family in families.items() if name in problem.training.families or name not in FAMILIES]
    return sorted(wanted, key=lambda family: family.complexity)


def _default_executor(problem: Problem) -> Executor:
    """The one that is named; else worker processes, unless there would be one only."""
    plan = problem.training
    if plan.executor is not None:
        return load_executor(plan.executor, workers=plan.workers, address=plan.address)
    pool = LocalPoolExecutor(problem.training.workers)
    return pool if pool.workers > 1 else InProcessExecutor()


def _deadline(problem: Problem) -> float | None:
    minutes = problem.constraints.training_minutes
    return None if minutes is None else time.monotonic() + minutes * 60 * _SEARCH_SHARE


def _search(validation: CrossValidation, setup: Setup, frame: pl.DataFrame, families: Sequence[Family]) -> bool:
    """Try everything; False if the search was stopped before its end, by Ctrl-C or by the clock."""
    try:
        _add_baselines(validation, setup, frame)
        rows = len(setup.truth)
        recipes = [Recipe(family.name, family, family.defaults(validation.task)) for family in families]
        fit = [recipe for recipe in recipes if rows <= (recipe.family.most_rows or rows)]
        validation.evaluate(fit, step="folds")
        for recipe in recipes:
            if recipe not in fit:
                validation.leave_out(recipe, f"{rows:,} rows, while it is fit for {recipe.family.most_rows:,}")
        through = tune(validation, families, setup.problem.training.tuning_rounds, seed=setup.seed)
    except KeyboardInterrupt:
        return False
    return through and all(item.status is not CandidateStatus.INTERRUPTED for item in validation.candidates)


def _add_baselines(validation: CrossValidation, setup: Setup, frame: pl.DataFrame) -> None:
    """The naive baseline, learnt on each fold's training rows; and today's system, which learns nothing."""
    folds, truth, question = setup.plan.folds, setup.truth, setup.question
    params = naive_params(question.task, question.metric)

    def naive(fold: int) -> npt.NDArray[np.float64]:
        learnt = truth[folds[fold].train]
        constant = ConstantEstimator.learn(learnt, question.task, question.classes, params["prediction"])
        return constant.predict(truth[folds[fold].held])

    validation.add_baseline(NAIVE, params, naive)
    scores = existing_system_scores(setup.problem, frame, classes=setup.classes)
    if scores is not None:
        declared = setup.problem.existing_system.model_dump(exclude_none=True)
        validation.add_baseline(EXISTING, declared, lambda fold: scores[folds[fold].held])


def _require_complete(validation: CrossValidation, *, finished: bool) -> None:
    """There must be something to choose from; that nothing can be fitted at all is a fault, not a result."""
    tried = [item for item in validation.candidates if item.role is CandidateRole.CANDIDATE]
    if any(item.is_complete for item in tried):
        return
    if not finished:
        raise StateError(
            "training was stopped before any candidate was scored on all folds",
            where="training",
            got=f"{len(tried)} candidates begun",
            cure="Run it again: what was finished is kept. If time was short, raise constraints.training_minutes",
        )
    raise ModelyardError(
        "no candidate could be fitted",
        where="training",
        got="; ".join(f"{item.name}: {item.error}" for item in tried[:2]) or "no family to try",
        cure="Mend what the messages say, then run it again; what was finished is kept",
    )


@dataclasses.dataclass(frozen=True)
class _Conclusion:
    """What a search came to: the choice, what was seen of the winner besides, and whether the search was stopped."""

    choice: Choice
    curve: LearningCurve | None = None
    weights: WeightComparison | None = None
    interrupted: bool = False


def _look_closer(
    validation: CrossValidation, matrices: FoldMatrices, setup: Setup, choice: Choice, families: Mapping[str, Family]
) -> _Conclusion:
    """The winner by the number of rows and with class weights, if asked for, or cheap; Ctrl-C forgoes what is left."""
    plan = setup.problem.training
    winner = _winner(choice, validation)
    family, conclusion = families.get(winner.family), _Conclusion(choice)
    if family is None:
        return conclusion
    cheap = is_affordable(validation.candidates, winner)
    try:
        if plan.learning_curve is True or (plan.learning_curve == "auto" and cheap):
            curve = draw_learning_curve(validation, matrices, setup, winner, family)
            conclusion = dataclasses.replace(conclusion, curve=curve)
        if plan.imbalance is True or (plan.imbalance == "auto" and cheap and rare_share(setup) < RARE):
            weights = compare_weights(validation, setup, winner, family)
            conclusion = dataclasses.replace(conclusion, weights=weights)
    except KeyboardInterrupt:
        return conclusion
    return conclusion


def _conclude(
    validation: CrossValidation,
    setup: Setup,
    split: Split,
    families: Mapping[str, Family],
    workspace: Workspace,
    conclusion: _Conclusion,
    progress: Progress,
) -> StoredRun:
    """Fit the winner twice, and store everything."""
    choice = conclusion.choice
    development = _fit_winner(choice, validation, setup, split.train.frame, families)
    progress(ProgressEvent("refit", 1, 2, f"{choice.winner}, on the training part"))
    final = _fit_winner(choice, validation, setup, split.development.frame, families)
    progress(ProgressEvent("refit", 2, 2, f"{choice.winner}, on training and validation"))
    complete = [item.name for item in validation.candidates if item.is_complete]
    contents = RunContents(
        development,
        final,
        {name: validation.out_of_fold(name) for name in complete},
        setup.plan.fold_of_row(len(setup.truth)),
    )
    record = TrainingRun(
        id=new_id(),
        dataset_id=split.record.dataset_id,
        split_id=split.record.id,
        task=setup.problem.task,
        target=setup.problem.data.target,
        metric=setup.question.metric,
        candidates=tuple(validation.candidates),
        winner=choice.winner,
        why=choice.why,
        classes=setup.classes,
        columns=setup.columns,
        seed=setup.seed,
        folds=len(setup.plan.folds),
        environment=environment(),
        created_at=system_clock(),
        interrupted=conclusion.interrupted,
        artefacts={},
        fold_strategy=setup.plan.strategy,
        plan=setup.question.digest,
        selection=selection_report(_selections(validation, families.get(final.family)), final.encoder.selection_),
        learning_curve=conclusion.curve,
        weights=conclusion.weights,
        validation_curve=validation_curve(validation.candidates, setup.question.metric, seed=setup.seed),
    )
    return store_run(record, contents, workspace)


def _selections(validation: CrossValidation, family: Family | None) -> tuple[Selection | None, ...]:
    """What the folds chose for the winner's family; the naive baseline's looks at no column."""
    return () if family is None else validation.selections(family.style)


def _choose(validation: CrossValidation, setup: Setup) -> Choice:
    metric = setup.question.metric
    evidence = Evidence(metric, setup.truth, setup.plan, setup.keys, validation.out_of_fold, seed=setup.seed)
    return choose(validation.candidates, metric, setup.problem.constraints, evidence)


def _winner(choice: Choice, validation: CrossValidation) -> Candidate:
    return next(item for item in validation.candidates if item.name == choice.winner)


def _fit_winner(
    choice: Choice, validation: CrossValidation, setup: Setup, frame: pl.DataFrame, families: Mapping[str, Family]
) -> FittedModel:
    """The winner on all rows of ``frame``, with the number of rounds that the folds agreed on."""
    winner = _winner(choice, validation)
    task = setup.problem.task
    truth = encode_target(frame[setup.problem.data.target], task, setup.classes)
    seed = derive_seed(setup.seed, "fit", winner.family)
    return fit_model(setup.learning, frame, truth, winner, families.get(winner.family), seed=seed)
