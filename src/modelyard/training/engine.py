"""Training from end to end: the plan, the search, the choice, and the winner fitted twice."""

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from modelyard.core import (
    ConfigError,
    ModelyardError,
    Progress,
    StateError,
    new_id,
    remove_directory,
    silent,
    system_clock,
    write_json_atomic,
)
from modelyard.data import Split
from modelyard.features.selection import Selection, selection_report
from modelyard.problem import DEFAULT_FAMILIES, Problem, Task, did_you_mean
from modelyard.store import Tracker, Workspace
from modelyard.training.balancing.remedies import Remedies
from modelyard.training.choosing.rule import Choice
from modelyard.training.curves import LearningCurve, WeightComparison
from modelyard.training.curves.evenness import is_uneven
from modelyard.training.curves.learning import draw_learning_curve, is_affordable
from modelyard.training.curves.subsets import fewest_rows
from modelyard.training.curves.validation import validation_curve
from modelyard.training.curves.weights import compare_weights
from modelyard.training.executor import Executor, InProcessExecutor, LocalPoolExecutor, cores, load_executor
from modelyard.training.families.custom import custom_family
from modelyard.training.families.family import Family
from modelyard.training.families.fitness import unfit_reason
from modelyard.training.families.optional import is_installed, require_library
from modelyard.training.families.registry import FAMILIES, registered_families
from modelyard.training.model import FittedModel
from modelyard.training.nesting import NestedScore
from modelyard.training.nesting.outer import Outer, OuterWinner, Stop, nested_score, plan_outer
from modelyard.training.planning import PORTFOLIO, Clock, Further, Size, WorkPlan, make_plan, shared_out
from modelyard.training.planning.declared import declared_search
from modelyard.training.preparation import Setup, environment, prepare
from modelyard.training.records import Candidate, CandidateRole, CandidateStatus, TrainingRun
from modelyard.training.run import RunContents, StoredRun, store_run
from modelyard.training.search.carrying_out import SearchEnd, carry_out
from modelyard.training.search.cross_validation import CrossValidation
from modelyard.training.search.fewer_rows import affordable_share, some_rows
from modelyard.training.search.fits import fits_in_time, fits_sentence, fits_within, fitted_often, may_fit_again
from modelyard.training.search.leftovers import remove_search, search_folder
from modelyard.training.search.matrices import FoldMatrices
from modelyard.training.stability.repeats import require_divisions, wanted_divisions
from modelyard.training.stability.seeds import wanted_seeds
from modelyard.training.tracking import track
from modelyard.training.winner import Verdict, bare_name, candidate_of, choose_winner, fit_winner, members_of

__all__ = ["repeat", "train"]

_PLAN_FILE = "plan.json"


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

    In this order: the plan of the work, which is stored before anything is trained (see
    :mod:`modelyard.training.planning`); the naive baseline and today's system; each family's default configuration,
    simple families first; tuning of the leading family; a blend; the choice (see
    :func:`~modelyard.training.choosing.rule.choose`) and its calibration; the winner on the training part, and on training
    and validation together. Fold scores do not depend on the executor. Before the winner is fitted it is drawn by the
    number of rows, if ``training.learning_curve`` says so, and compared with itself under class weights and
    resampling, if ``training.imbalance`` does; with ``training.resampling: auto`` the best of these may take its place. If they ask for it, ``training.repeats`` scores those within noise of the best on
    further divisions before the choice, ``training.seeds`` fits the winner with other seeds, and ``training.nested`` carries
    out all of that again outside of each outer part.

    With ``training.budget`` a portfolio of proven configurations takes the place of the families' defaults, and the
    clock says how many of them are tried; what it kept from being done is recorded, and :func:`repeat`
    does again what was done.

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
        Hears of every unit: steps ``folds``, ``tuning``, ``division 2``, ``seed 2``, ``outer 1/5``, ``curve``, ``weights`` and
        ``refit``.
    resume
        False to forget what an earlier call left unfinished.
    families
        The families to choose from by ``training.families``; those of one's own are tried too.

    Raises
    ------
    ConfigError
        If a family is unknown, one of another package or an estimator of one's own cannot be used, or the existing
        system cannot be computed.
    MissingExtraError
        If a family is asked for whose library is not installed.
    DataError
        If the training part cannot be divided into folds, or the target cannot be learnt.
    StateError
        If the search was stopped before any candidate was complete.
    ModelyardError
        If no candidate at all could be fitted.
    """
    return _train(_Order(split, problem, workspace, executor, tracker, progress, resume, families))


def repeat(
    run: TrainingRun,
    split: Split,
    problem: Problem,
    workspace: Workspace,
    *,
    executor: Executor | None = None,
    tracker: Tracker | None = None,
    progress: Progress = silent,
    families: Mapping[str, Family] = FAMILIES,
) -> StoredRun:
    """Carry out the plan of a run again, as far as it was carried out then, without a clock.

    With equal data, settings and versions the scores and the predictions are the same to the last bit.

    Parameters
    ----------
    run
        Whose plan it is. The others are those of :func:`train`.

    Raises
    ------
    StateError
        If the run has no plan, since an earlier version made it.
    """
    order = _Order(split, problem, workspace, executor, tracker, progress, resume=False, families=families)
    return _train(dataclasses.replace(order, replay=run))


@dataclasses.dataclass(frozen=True)
class _Order:
    """What is to be trained, where and for whom; as :func:`train` describes it."""

    split: Split
    problem: Problem
    workspace: Workspace
    executor: Executor | None
    tracker: Tracker | None
    progress: Progress
    resume: bool
    families: Mapping[str, Family]
    replay: TrainingRun | None = None


def _train(order: _Order) -> StoredRun:
    """From the plan to the stored run."""
    split, workspace = order.split, order.workspace
    limit = None if order.replay is not None else _limit_s(order.problem)
    clock = Clock(limit, order.problem.training.workers or cores(), order.problem.training.unit_s)
    problem = order.problem if order.replay is None else _as_far_as(order.replay, order.problem)
    setup = prepare(split, problem, workspace.root)
    require_divisions(setup)
    outer = plan_outer(setup)
    further = _further(setup, outer)
    families = {**order.families, **_families_of_others(setup.problem, order.families)}
    chosen = _chosen_families(setup.problem, families)
    folder = search_folder(setup.question.digest, workspace)
    if not order.resume:
        remove_directory(folder)
    runner = order.executor or _default_executor(setup.problem)
    bench = _Bench(runner, families, chosen, clock, order.replay, further)
    finished, run = False, None
    try:
        searched = _search(folder, split.train.frame, setup, bench, order.progress)
        finished = searched.end.finished
        conclusion = _choose(searched, setup, bench)
        if outer and conclusion.end.finished:
            conclusion = _nest(outer, searched, split, folder, bench, conclusion, order.progress)
        finished = conclusion.end.finished
        clock.begin("refit")
        if finished:
            conclusion = _look_closer(searched.validation, searched.matrices, setup, conclusion, families)
        shutil.rmtree(folder / "matrices", ignore_errors=True)
        conclusion = _as_much_as_time_allows(conclusion, searched.validation, setup, bench)
        conclusion = _as_often_as_time_allows(conclusion, searched.validation, setup, bench)
        models = _fitted(
            {"development": split.train.frame, "final": split.development.frame},
            searched,
            conclusion,
            setup,
            bench,
            folder / "refit",
            order.progress,
        )
        run = _conclude(searched.validation, setup, split, families, workspace, conclusion, models, clock)
    finally:
        if order.executor is None or not finished:
            runner.close()
        if run is None or not finished:
            for path in [path for name in ("matrices", "refit") for path in folder.rglob(name)]:
                shutil.rmtree(path, ignore_errors=True)
    track(run, setup.problem, workspace, order.tracker)
    if finished:
        remove_search(folder)
    return run


@dataclasses.dataclass(frozen=True)
class _Bench:
    """What a search works with, whatever its rows: all families and those of the plan, the run that it repeats, what a budget
    pays for beside it, and the plan, if that is given.
    """

    executor: Executor
    families: Mapping[str, Family]
    chosen: Mapping[str, Family]
    clock: Clock
    replay: TrainingRun | None = None
    further: Further = dataclasses.field(default_factory=Further)
    plan: WorkPlan | None = None


@dataclasses.dataclass(frozen=True)
class _Searched:
    """Candidates scored, what they are about, and how far that came."""

    setup: Setup
    validation: CrossValidation
    matrices: FoldMatrices
    plan: WorkPlan
    end: SearchEnd


def _search(folder: Path, frame: pl.DataFrame, setup: Setup, bench: _Bench, progress: Progress) -> _Searched:
    """Plan the work and carry it out on these rows."""
    unfit = {name: reason for name, family in bench.chosen.items() if (reason := unfit_reason(family, setup.needs))}
    plan = bench.plan or _plan(setup, bench, unfit)
    matrices = FoldMatrices(folder, frame, setup.learning)
    matrices.write_folds(setup.plan, setup.keys, setup.truth, setup.seed)
    write_json_atomic(folder / _PLAN_FILE, plan.to_dict())
    validation = CrossValidation(folder, setup.question, matrices, bench.executor, progress=progress, clock=bench.clock)
    end = carry_out(plan, validation, setup, frame, bench.chosen, unfit, bench.clock)
    if not end.finished:
        bench.executor.close()
    return _Searched(setup, validation, matrices, plan, end)


def _choose(searched: _Searched, setup: Setup, bench: _Bench) -> "_Conclusion":
    """The choice among what was searched."""
    _require_complete(searched.validation, finished=searched.end.finished)
    remedies = Remedies(searched.validation, setup, bench.families, searched.plan.allows)
    rebalance = remedies.rebalanced if searched.plan.resampling == "auto" else lambda choice: choice
    verdict = choose_winner(
        searched.validation, setup, bench.families, rebalance=rebalance, whole=searched.end.finished
    )
    end = searched.end
    if end.finished and not verdict.finished:
        bench.executor.close()
        end = dataclasses.replace(end, finished=False)
    end = end.also(verdict.truncated)
    return _Conclusion(searched.plan, end, verdict, weights=verdict.choice.weights)


def _fitted(
    tables: Mapping[str, pl.DataFrame],
    searched: _Searched,
    conclusion: "_Conclusion",
    setup: Setup,
    bench: _Bench,
    folder: Path,
    progress: Progress,
) -> dict[str, FittedModel]:
    """The winner on all rows of each table; after an interruption in this process, since workers are gone."""
    validation = searched.validation
    winner = candidate_of(conclusion.choice.winner, validation.candidates)
    executor = bench.executor if conclusion.end.finished else None
    tables = {name: some_rows(frame, setup, conclusion.fitted_share) for name, frame in tables.items()}
    winner = fitted_often(winner, _members(winner, validation, bench), conclusion.fits)
    return fit_winner(winner, validation, setup, tables, bench.families, folder, executor=executor, progress=progress)


def _nest(
    outer: tuple[Outer, ...],
    searched: _Searched,
    split: Split,
    folder: Path,
    bench: _Bench,
    conclusion: "_Conclusion",
    progress: Progress,
) -> "_Conclusion":
    """With the score of the whole search; stopping it stops the run, which the next call takes up again.

    Where a budget pays for it, an outer search is what the search itself came to be, and the clock only guards it: one that would
    not end in time, by what the search and the parts before it took, is not begun.
    """
    setup, plan = searched.setup, _plan_of_outer(searched, bench)
    made, done = len(outer), None if bench.replay is None else bench.replay.nested
    if plan is not None:
        problem = _as_done(setup.problem, conclusion.verdict)
        outer = tuple(part.planned(problem, plan.digest) for part in outer[: None if done is None else len(done.parts)])

    took = [bench.clock.stages_s]

    def procedure(place: Path, rows: pl.DataFrame, part: Outer, told: Progress) -> OuterWinner | Stop:
        clock, began = bench.clock if plan is None else bench.clock.within("outer"), bench.clock.spent_s
        if plan is not None and max(took) * len(part.learn) / len(setup.truth) > clock.left_s:
            return Stop.BY_BUDGET
        anew = dataclasses.replace(bench, replay=None, plan=plan, clock=clock)
        tried = _search(place, rows, part.setup, anew, told)
        if plan is not None and clock.is_over:
            return Stop.BY_BUDGET
        found = _choose(tried, part.setup, anew) if tried.end.finished else None
        if found is None or not found.end.finished:
            return Stop.BY_HAND
        if found.verdict.truncated:
            return Stop.BY_BUDGET
        winner = candidate_of(found.choice.winner, tried.validation.candidates)
        found = _as_often_as_time_allows(found, tried.validation, part.setup, anew)
        models = _fitted({"development": rows}, tried, found, part.setup, anew, place / "refit", told)
        took.append((bench.clock.spent_s - began) * len(setup.truth) / len(part.learn))
        return OuterWinner(winner, models["development"])

    nested = nested_score(outer, setup, split.train.frame, folder, procedure, bench.families, progress, made)
    end = conclusion.end
    if not nested.finished:
        bench.executor.close()
        end = dataclasses.replace(end, finished=False)
    elif len(nested.parts) < made:
        end = end.also(f"The budget ended nested cross-validation after {len(nested.parts)} of {made} outer parts.")
    return dataclasses.replace(conclusion, end=end, nested=nested)


def _plan_of_outer(searched: _Searched, bench: _Bench) -> WorkPlan | None:
    """What outer searches do where a budget decides how far the search comes; None where each plans for itself."""
    planned = searched.plan if bench.replay is None or bench.replay.work is None else bench.replay.work
    if planned.budget_s is None:
        return None
    late = {item.name for item in searched.validation.candidates if item.status is CandidateStatus.INTERRUPTED}
    batches = [[name for name in batch if name not in late] for batch in searched.validation.batches]
    return planned.followed(batches)


def _as_done(problem: Problem, verdict: Verdict) -> Problem:
    """The problem without the divisions and seeds that a budget's clock kept from being tried."""
    training, repeats = problem.training, verdict.repeats
    cut = training.repeats if repeats is None or repeats.divisions == 1 else repeats.divisions
    done = {
        "repeats": 1 if repeats is None else cut,
        "seeds": 1 if verdict.seeds is None else training.seeds,
    }
    return problem.model_copy(update={"training": training.model_copy(update=done)}) if verdict.truncated else problem


def _limit_s(problem: Problem) -> float | None:
    """Seconds that training may take: the budget, or the constraint if that is shorter; None if there is neither."""
    minutes, budget = problem.constraints.training_minutes, problem.training.budget_s
    limits = [limit for limit in (budget, None if minutes is None else minutes * 60) if limit is not None]
    return min(limits, default=None)


def _as_far_as(run: TrainingRun, problem: Problem) -> Problem:
    """The problem without further divisions, seeds and outer parts that the run was stopped before."""
    again = run.repeats
    done = {
        "repeats": 1 if again is None else problem.training.repeats if again.divisions == 1 else again.divisions,
        "seeds": 1 if run.seeds is None else problem.training.seeds,
        "nested": problem.training.nested if run.nested is not None and run.nested.finished else None,
    }
    return problem.model_copy(update={"training": problem.training.model_copy(update=done)})


def _families_of_others(problem: Problem, families: Mapping[str, Family]) -> dict[str, Family]:
    """Families that other packages register, as far as the plan names them; and the user's own estimators."""
    wanted = [name for name in problem.training.named_families if name in FAMILIES or name not in families]
    custom = problem.training.custom
    return {
        **registered_families(wanted),
        **{name: custom_family(name, declared, problem.task) for name, declared in custom.items()},
    }


def _chosen_families(problem: Problem, families: Mapping[str, Family]) -> dict[str, Family]:
    """The families of the plan, and those of the caller's own, simple ones first."""
    training = problem.training
    unknown = [name for name in training.named_families if name not in families]
    if unknown:
        raise ConfigError(
            "there is no such family of models",
            where="training.families",
            got=repr(unknown[0]),
            cure=did_you_mean(unknown[0], families),
        )
    for name in training.named_families:
        require_library(name)
    by_itself = DEFAULT_FAMILIES if training.budget is None else {name for name, _ in PORTFOLIO if is_installed(name)}
    wanted = training.named_families or by_itself
    chosen = [family for name, family in families.items() if name in wanted or name not in FAMILIES]
    return {family.name: family for family in sorted(chosen, key=lambda family: family.complexity)}


def _default_executor(problem: Problem) -> Executor:
    """The one that is named; else worker processes, unless there would be one only and nobody may have to end it."""
    plan = problem.training
    if plan.executor is not None:
        return load_executor(plan.executor, workers=plan.workers, address=plan.address)
    pool = LocalPoolExecutor(problem.training.workers)
    may_end = plan.unit_s is not None or _limit_s(problem) is not None
    return pool if pool.workers > 1 or may_end else InProcessExecutor()


def _further(setup: Setup, outer: tuple[Outer, ...]) -> Further:
    """What a budget pays for beside one search."""
    divisions, seeds, rows = wanted_divisions(setup) - 1, wanted_seeds(setup) - 1, len(setup.truth)
    asked = {"training.repeats": divisions, "training.seeds": seeds, "training.nested": len(outer)}
    words = tuple(name for name, times in asked.items() if times)
    fits = setup.problem.training.fits
    again = 0 if fits == "auto" else fits - 1
    return Further(divisions, seeds, again, tuple(len(part.learn) / rows for part in outer), words)


def _plan(setup: Setup, bench: _Bench, unfit: Mapping[str, str]) -> WorkPlan:
    """What will be done: the plan of a run that is repeated, or a new one."""
    if bench.replay is not None:
        return _replayed(bench.replay)
    rows = int(np.mean([len(fold.train) for fold in setup.plan.folds]))
    outputs = len(setup.classes) if len(setup.classes) > 2 else 1
    training = setup.problem.training
    search, workers = declared_search(training, bench.chosen, setup.problem.task), training.workers or cores()

    def of_search(budget_s: float | None) -> WorkPlan:
        return make_plan(
            {name: family for name, family in bench.chosen.items() if name not in unfit},
            setup.problem.task,
            Size(rows, setup.width, outputs, of_values=setup.problem.task is Task.REGRESSION),
            len(setup.plan.folds),
            tuning_rounds=training.tuning_rounds,
            budget_s=budget_s,
            workers=workers,
            search=search,
        )

    budget_s, further = training.budget_s, bench.further
    if budget_s is None or not further.words:
        plan = of_search(budget_s)
    else:
        plan = shared_out(of_search, further, budget_s=budget_s, workers=workers, rows=len(setup.truth))
    plan = dataclasses.replace(plan, resampling=training.resampling)
    return plan if search.strategy != "halving" else plan.laddered(*fewest_rows(setup.plan, setup.keys))


def _replayed(run: TrainingRun) -> WorkPlan:
    if run.work is None:
        raise StateError(
            "this run cannot be repeated: it has no plan",
            where=f"run {run.id}",
            got="a run of an earlier version",
            cure="Train again without --replay",
        )
    unfinished = {item.name for item in run.candidates if item.status is CandidateStatus.INTERRUPTED}
    return run.work.replayed([[name for name in batch if name not in unfinished] for batch in run.batches])


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
    """What a search came to: the plan, how far it came, the choice, and what was seen of the winner besides."""

    plan: WorkPlan
    end: SearchEnd
    verdict: Verdict
    curve: LearningCurve | None = None
    weights: WeightComparison | None = None
    nested: NestedScore | None = None
    fitted_share: float = 1.0
    fits: int = 1
    fits_words: str = ""

    @property
    def choice(self) -> Choice:
        """The winner, and the reason for it."""
        return self.verdict.choice

    @property
    def why(self) -> str:
        """The reason for the choice, what the whole search is worth, and how often the winner was fitted."""
        nested = "" if self.nested is None else self.nested.sentence
        return " ".join(sentence for sentence in (self.choice.why, nested, self.fits_words) if sentence)


def _as_much_as_time_allows(
    conclusion: _Conclusion, validation: CrossValidation, setup: Setup, bench: _Bench
) -> _Conclusion:
    """With the share of the rows that the winner is fitted on; a repeated run takes the earlier one's."""
    if bench.replay is not None:
        return dataclasses.replace(conclusion, fitted_share=bench.replay.fitted_share)
    winner = candidate_of(conclusion.choice.winner, validation.candidates)
    fitted = [
        (member, family)
        for member, family in _members(winner, validation, bench)
        for _ in range(winner.seeds.get(bare_name(member.name), 1))
    ]
    share = affordable_share(fitted, validation, setup, bench.clock)
    if share == 1.0:
        return conclusion
    end = conclusion.end.also(
        f"The winner was fitted on {share:.0%} of the rows, as many as the time that was left allowed."
    )
    return dataclasses.replace(conclusion, fitted_share=share, end=end)


def _as_often_as_time_allows(
    conclusion: _Conclusion, validation: CrossValidation, setup: Setup, bench: _Bench
) -> _Conclusion:
    """With how often the winner is fitted, each time with another seed; a repeated run does it as often as the earlier one."""
    winner = candidate_of(conclusion.choice.winner, validation.candidates)
    members = _members(winner, validation, bench)
    asked, most = setup.problem.training.fits, 1
    if bench.replay is not None:
        fits = most = bench.replay.fits
    elif winner.seeds or not conclusion.end.finished:
        return conclusion
    else:
        if asked != "auto":
            most = asked
        elif may_fit_again(setup.problem):
            most = fits_in_time(members, validation, setup, bench.clock)
        fits = fits_within(winner, members, setup, most)
    return dataclasses.replace(conclusion, fits=fits, fits_words=fits_sentence(members, fits, most))


def _members(winner: Candidate, validation: CrossValidation, bench: _Bench) -> list[tuple[Candidate, Family]]:
    """What a winner is made of, with their families; nothing, if it is a baseline."""
    made_of = (candidate_of(name, validation.candidates) for name in members_of(winner))
    return [(member, bench.families[member.family]) for member in made_of if member.family in bench.families]


def _look_closer(
    validation: CrossValidation,
    matrices: FoldMatrices,
    setup: Setup,
    conclusion: _Conclusion,
    families: Mapping[str, Family],
) -> _Conclusion:
    """The winner by the number of rows and with class weights, if asked for, or cheap; Ctrl-C forgoes what is left."""
    plan = setup.problem.training
    winner = candidate_of(bare_name(conclusion.choice.winner), validation.candidates)
    family = families.get(winner.family)
    if family is None:
        return conclusion
    cheap = plan.budget is None and is_affordable(validation.candidates, winner)
    try:
        if plan.learning_curve is True or (plan.learning_curve == "auto" and cheap):
            curve = draw_learning_curve(validation, matrices, setup, winner, family)
            conclusion = dataclasses.replace(conclusion, curve=curve)
        if conclusion.weights is not None or winner.resampling:
            return conclusion
        if plan.imbalance is True or (plan.imbalance == "auto" and cheap and is_uneven(setup)):
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
    models: Mapping[str, FittedModel],
    clock: Clock,
) -> StoredRun:
    """Store everything."""
    choice, development, final = conclusion.choice, models["development"], models["final"]
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
        why=conclusion.why,
        classes=setup.classes,
        columns=setup.columns,
        seed=setup.seed,
        folds=len(setup.plan.folds),
        environment=environment(),
        created_at=system_clock(),
        interrupted=not conclusion.end.finished,
        artefacts={},
        fold_strategy=setup.plan.strategy,
        plan=setup.question.digest,
        selection=selection_report(_selections(validation, families.get(final.family)), final.encoder.selection_),
        learning_curve=conclusion.curve,
        weights=conclusion.weights,
        validation_curve=validation_curve(
            [item for item in validation.candidates if not item.seeds], setup.question.metric, seed=setup.seed
        ),
        corrected=choice.corrected,
        work=conclusion.plan,
        batches=tuple(validation.batches),
        truncated=conclusion.end.truncated,
        seconds=round(clock.spent_s, 1),
        repeats=conclusion.verdict.repeats,
        seeds=conclusion.verdict.seeds,
        by_fold=conclusion.verdict.by_fold,
        nested=conclusion.nested,
        fitted_share=conclusion.fitted_share,
        fits=conclusion.fits,
    )
    return store_run(record, contents, workspace)


def _selections(validation: CrossValidation, family: Family | None) -> tuple[Selection | None, ...]:
    """What the folds chose for the winner's family; the naive baseline's looks at no column."""
    return () if family is None else validation.selections(family.style)
