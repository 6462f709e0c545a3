"""An update as a run: the model continued, as it was, and trained anew, on the same new rows held out in turn."""

import dataclasses
import math
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import DataError, Progress, ProgressEvent, derive_seed, new_id, silent, system_clock
from modelyard.data import Split
from modelyard.features.encoder import TableEncoder
from modelyard.problem import Problem, metric_spec
from modelyard.report import format_number
from modelyard.store import Workspace
from modelyard.training.choosing.noise import Evidence
from modelyard.training.custom_metrics import in_fold
from modelyard.training.families.family import Family
from modelyard.training.families.registry import family_named
from modelyard.training.folds import Fold, FoldPlan, RowKeys, inner_holdout, plan_folds
from modelyard.training.metrics import score
from modelyard.training.model import FittedModel
from modelyard.training.preparation import Setup, environment, prepare
from modelyard.training.records import Candidate, CandidateRole, CandidateStatus, TrainingRun
from modelyard.training.run import RunContents, StoredRun, store_run
from modelyard.training.search.refit import fit_alone
from modelyard.training.target import encode_target
from modelyard.training.tracking import track
from modelyard.training.update.continuation import Continued, continued, require_updatable
from modelyard.training.update.records import Update

__all__ = ["Champion", "update"]

Array = npt.NDArray[np.float64]
AS_IT_WAS = "champion"


@dataclasses.dataclass(frozen=True)
class Champion:
    """The model that goes on.

    Parameters
    ----------
    run
        Whose final model it is.
    rows
        How many of the first rows of the split's training part it has learnt from.
    version
        That serves it; 0 if none does.
    """

    run: StoredRun
    rows: int
    version: int = 0


@dataclasses.dataclass(frozen=True)
class _Case:
    """One update under way."""

    champion: Champion
    model: FittedModel
    family: Family
    setup: Setup
    split: Split
    keys: RowKeys
    plan: FoldPlan

    @property
    def new(self) -> pl.DataFrame:
        """The new rows to learn from."""
        return self.split.train.frame[self.champion.rows :]

    @property
    def truth(self) -> Array:
        """Their target."""
        return self.setup.truth[self.champion.rows :]

    @property
    def won(self) -> Candidate:
        """The configuration of the champion."""
        return self.champion.run.record.candidate(self.champion.run.record.winner)

    def go_on(self, frame: pl.DataFrame, truth: Array) -> Continued:
        """The champion after new rows; about a seventh of them decide how many rounds of boosting are added."""
        seed = derive_seed(self.setup.seed, "update", self.model.family)
        keys = RowKeys.of(frame, self.setup.problem, self.split.record.strategy, truth)
        stop = inner_holdout(keys, np.arange(len(truth)), seed)
        learning, encoder = self.setup.learning, self.model.encoder
        return continued(
            self.model,
            self.family,
            self.won.params,
            (frame, truth, stop),
            seed=seed,
            weight=learning.weights(frame),
            monotone=learning.directions(encoder) if isinstance(encoder, TableEncoder) else None,
        )

    def anew(self, frame: pl.DataFrame, truth: Array) -> FittedModel:
        """The champion's configuration on rows that it knows and new ones, trained from nothing."""
        known = self.split.train.frame[: self.champion.rows]
        rows = pl.concat([known, frame], how="vertical_relaxed")
        target = np.concatenate([self.setup.truth[: self.champion.rows], truth])
        return fit_alone(self.setup.learning, rows, target, self.won, self.family, seed=self.setup.seed)


@dataclasses.dataclass(frozen=True)
class _Trial:
    """One way to treat the new rows: predictions of those held out, and seconds spent on fitting."""

    name: str
    predictions: Array
    fit_s: float


def update(
    champion: Champion, split: Split, problem: Problem, workspace: Workspace, *, progress: Progress = silent
) -> StoredRun:
    """Let a model go on learning from the new rows of ``split``, and compare it with itself and with a full retraining.

    The new rows of the training part are held out in turn, by the rule of the split: the champion as it was predicts them,
    so do the champion continued on the other new rows, and its configuration trained anew on all rows but these. The
    run's development model has gone on with the new rows of the training part, its final model with those of validation too.

    Raises
    ------
    ConfigError
        If the model's family cannot be updated.
    DataError
        If the new rows cannot be divided into folds, or their classes are not the model's.
    """
    case = _opened(champion, split, problem, workspace.root)
    new, truth, family = case.new, case.truth, case.model.family
    ways: dict[str, Callable[[Fold], FittedModel]] = {
        AS_IT_WAS: lambda _: case.model,
        f"{family}-updated": lambda fold: case.go_on(new[fold.train], truth[fold.train]).model,
        f"{family}-anew": lambda fold: case.anew(new[fold.train], truth[fold.train]),
    }
    trials = [_tried(case, name, fit, progress) for name, fit in ways.items()]
    development = case.go_on(new, truth)
    later = split.validation.frame
    whole = np.concatenate(
        [truth, encode_target(later[problem.data.target], case.setup.problem.task, case.setup.classes)]
    )
    final = case.go_on(pl.concat([new, later], how="vertical_relaxed"), whole)
    progress(ProgressEvent("refit", 1, 1, f"{family}, on all new rows"))
    run = store_run(_record(case, trials, final), _contents(case, trials, development.model, final.model), workspace)
    track(run, case.setup.problem, workspace, None)
    return run


def _opened(champion: Champion, split: Split, problem: Problem, folder: Path) -> _Case:
    """Everything that is needed, or the reason why it cannot be done, before anything is fitted."""
    model = champion.run.model("final")
    setup = prepare(split, problem, folder)
    family = require_updatable(model, family_named(model.family, setup.problem))
    if setup.classes != model.classes:
        raise DataError(
            "the new rows hold classes that the model does not know",
            where="train --update",
            got=", ".join(name for name in setup.classes if name not in model.classes),
            cure="Run `modelyard retrain`, which learns them",
        )
    new, truth = split.train.frame[champion.rows :], setup.truth[champion.rows :]
    keys = RowKeys.of(new, setup.problem, split.record.strategy, truth)
    plan = plan_folds(keys, setup.problem.training.usual_folds, derive_seed(setup.seed, "update"))
    return _Case(champion, model, family, setup, split, keys, plan)


def _tried(case: _Case, name: str, fit: Callable[[Fold], FittedModel], progress: Progress) -> _Trial:
    """Fit on each fold in turn, and predict the rows held out."""
    parts, spent = [], 0.0
    for number, fold in enumerate(case.plan.folds, 1):
        start = time.perf_counter()
        model = fit(fold)
        spent += time.perf_counter() - start
        parts.append(model.predict(case.new[fold.held]))
        progress(ProgressEvent("update", number, len(case.plan.folds), f"{name}, fold {number}"))
    return _Trial(name, case.plan.gathered(parts, len(case.truth)), spent)


def _candidate(case: _Case, trial: _Trial) -> Candidate:
    """A trial as a candidate of the run."""
    metric, won = case.setup.question.metric, case.won
    scores = []
    for number, fold in enumerate(case.plan.folds, 1):
        with in_fold(number):
            scores.append(score(metric, case.truth[fold.held], trial.predictions[fold.held]))
    if not all(math.isfinite(value) for value in scores):
        raise DataError(
            f"{metric} is undefined on a fold of the new rows",
            where="train --update",
            got=f"{len(case.truth):,} new rows in {len(scores)} folds",
            cure="Bring more new rows, or run `modelyard retrain`",
        )
    role = CandidateRole.BASELINE if trial.name == AS_IT_WAS else CandidateRole.CANDIDATE
    return dataclasses.replace(
        won,
        name=trial.name,
        role=role,
        status=CandidateStatus.DONE,
        fold_scores=tuple(scores),
        mean=statistics.fmean(scores),
        sd=statistics.stdev(scores),
        fit_seconds=trial.fit_s,
        notes=(),
    )


def _record(case: _Case, trials: Sequence[_Trial], final: Continued) -> TrainingRun:
    """The run, the update as its winner: whether it is used is asked of rows that nobody has seen."""
    setup, split = case.setup, case.split
    candidates = tuple(_candidate(case, trial) for trial in trials)
    before, updated, anew = candidates
    found = _found(case, trials, final)
    if found.rounds_before is not None and found.rounds_added is not None:
        updated = dataclasses.replace(updated, rounds=found.rounds_before + found.rounds_added)
    return dataclasses.replace(
        case.champion.run.record,
        id=new_id(),
        dataset_id=split.record.dataset_id,
        split_id=split.record.id,
        candidates=(before, updated, anew),
        metric=setup.question.metric,
        winner=updated.name,
        why=_why(found, candidates, setup.question.metric),
        seed=setup.seed,
        folds=len(case.plan.folds),
        environment=environment(),
        created_at=system_clock(),
        interrupted=False,
        artefacts={},
        fold_strategy=case.plan.strategy,
        plan=setup.question.digest,
        learning_curve=None,
        validation_curve=None,
        weights=None,
        corrected=None,
        nested=None,
        repeats=None,
        seeds=None,
        by_fold=None,
        update=found,
    )


def _found(case: _Case, trials: Sequence[_Trial], final: Continued) -> Update:
    before, updated, anew = trials
    predictions = {trial.name: trial.predictions for trial in trials}
    metric, seed = case.setup.question.metric, case.setup.seed
    evidence = Evidence(metric, case.truth, case.plan, case.keys, predictions.__getitem__, seed=seed)
    gain, behind = evidence.gain(updated.name, before.name), evidence.gain(anew.name, updated.name)
    folds = len(case.plan.folds)
    return Update(
        run_id=case.champion.run.record.id,
        version=case.champion.version,
        family=case.model.family,
        rows_known=case.champion.rows,
        rows_new=len(case.truth) + case.split.validation.frame.height,
        rounds_before=None if final.rounds_added is None else case.won.rounds,
        rounds_added=final.rounds_added,
        gain=gain.mean,
        gain_error=gain.standard_error,
        behind=behind.mean,
        behind_error=behind.standard_error,
        update_s=updated.fit_s / folds,
        retrain_s=anew.fit_s / folds,
    )


def _why(found: Update, candidates: Sequence[Candidate], metric: str) -> str:
    before, updated, anew = (format_number(item.mean) for item in candidates)
    source = f"version {found.version} (run {found.run_id})" if found.version else f"run {found.run_id}"
    rounds = f", {found.rounds_added} rounds after {found.rounds_before}" if found.rounds_added else ""
    verdict = "which is better beyond noise" if found.retraining_is_better else "no difference beyond noise"
    if found.behind < -2 * found.behind_error:
        verdict = "which is worse beyond noise"
    return (
        f"{candidates[1].name} continues {source} with {found.rows_new:,} new rows after {found.rows_known:,}{rounds}. On new "
        f"rows held out in turn it has {metric_spec(metric).title} {updated}; as it was {before} (gain "
        f"{format_number(found.gain)}, standard error {format_number(found.gain_error)}). Trained anew it has {anew}, {verdict} "
        f"(difference {format_number(found.behind)}, standard error {format_number(found.behind_error)}), at "
        f"{format_number(found.retrain_s)} s a fit against {format_number(found.update_s)} s."
    )


def _contents(case: _Case, trials: Sequence[_Trial], development: FittedModel, final: FittedModel) -> RunContents:
    """The files of the run; rows that the champion has learnt from were held out by nobody."""
    known = case.champion.rows
    out_of_fold = {
        trial.name: np.concatenate([np.full((known, *trial.predictions.shape[1:]), np.nan), trial.predictions])
        for trial in trials
    }
    folds = np.concatenate([np.full(known, -1, dtype=np.int64), case.plan.fold_of_row(len(case.truth))])
    return RunContents(development, final, out_of_fold, folds)
