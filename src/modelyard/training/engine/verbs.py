"""The two verbs, train and repeat, and their story from the plan to the stored run."""

import dataclasses
import shutil
from collections.abc import Mapping

from modelyard.core import Progress, remove_directory, silent
from modelyard.data import Split
from modelyard.problem import Problem
from modelyard.store import Tracker, Workspace
from modelyard.training.engine.bench import Bench, chosen_families, default_executor, families_of_others, limit_s
from modelyard.training.engine.conclusion import (
    as_much_as_time_allows,
    as_often_as_time_allows,
    fit_conclusion,
    look_closer,
)
from modelyard.training.engine.outside import judge_outside
from modelyard.training.engine.searching import choose, search
from modelyard.training.engine.storing import store_conclusion
from modelyard.training.engine.work import as_far_as, further_work
from modelyard.training.executor import Executor, cores
from modelyard.training.families.family import Family
from modelyard.training.families.registry import FAMILIES
from modelyard.training.nesting.outer import plan_outer
from modelyard.training.planning import Clock
from modelyard.training.preparation import prepare
from modelyard.training.records import TrainingRun
from modelyard.training.run import StoredRun
from modelyard.training.search.leftovers import remove_search, search_folder
from modelyard.training.stability.repeats import require_divisions
from modelyard.training.tracking import track

__all__ = ["repeat", "train"]


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
    and validation together. Fold scores do not depend on the executor. Before the winner is fitted, trials of tuning are
    judged on the rows learnt from, if ``training.validation_curve`` says so; the winner is drawn by the number of rows, if
    ``training.learning_curve`` does, and compared with itself under class weights and resampling, if ``training.imbalance``
    does; with ``training.resampling: auto`` the best of these may take its place. If they ask for it, ``training.repeats``
    scores those within noise of the best on further divisions before the choice, ``training.seeds`` fits the winner with
    other seeds, and ``training.nested`` carries out all of that again outside of each outer part.

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
        Hears of every unit: steps ``folds``, ``tuning``, ``division 2``, ``seed 2``, ``outer 1/5``, ``trials``, ``curve``,
        ``weights`` and ``refit``.
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
    limit = None if order.replay is not None else limit_s(order.problem)
    clock = Clock(limit, order.problem.training.workers or cores(), order.problem.training.unit_s)
    problem = order.problem if order.replay is None else as_far_as(order.replay, order.problem)
    setup = prepare(split, problem, workspace.root)
    require_divisions(setup)
    outer = plan_outer(setup)
    further = further_work(setup, outer)
    families = {**order.families, **families_of_others(setup.problem, order.families)}
    chosen = chosen_families(setup.problem, families)
    folder = search_folder(setup.question.digest, workspace)
    if not order.resume:
        remove_directory(folder)
    runner = order.executor or default_executor(setup.problem)
    bench = Bench(runner, families, chosen, clock, order.replay, further)
    finished, run = False, None
    try:
        searched = search(folder, split.train.frame, setup, bench, order.progress)
        finished = searched.end.finished
        conclusion = choose(searched, setup, bench)
        if outer and conclusion.end.finished:
            conclusion = judge_outside(outer, searched, split, folder, bench, conclusion, order.progress)
        finished = conclusion.end.finished
        clock.begin("refit")
        if finished:
            conclusion = look_closer(searched.validation, searched.matrices, setup, conclusion, families)
        shutil.rmtree(folder / "matrices", ignore_errors=True)
        conclusion = as_much_as_time_allows(conclusion, searched.validation, setup, bench)
        conclusion = as_often_as_time_allows(conclusion, searched.validation, setup, bench)
        models = fit_conclusion(
            {"development": split.train.frame, "final": split.development.frame},
            searched.validation,
            conclusion,
            setup,
            bench,
            folder / "refit",
            order.progress,
        )
        run = store_conclusion(searched.validation, setup, split, families, workspace, conclusion, models, clock)
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
