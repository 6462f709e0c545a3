"""Candidates scored by folds: units are made, resumed or run, and put together in a fixed order."""

import dataclasses
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.core import Progress, ProgressEvent, derive_seed, digest_json
from modelyard.features import EncodingStyle
from modelyard.features.selection import Selection
from modelyard.problem import Task, metric_spec
from modelyard.training.balancing.resampling import Resampling
from modelyard.training.custom_metrics import in_fold
from modelyard.training.executor import Executor, Unit
from modelyard.training.families.boosting.stages import joint_rounds
from modelyard.training.families.family import Family
from modelyard.training.folds import FoldPlan, RowKeys
from modelyard.training.metrics import score
from modelyard.training.planning.clock import Clock
from modelyard.training.records import NAIVE, Candidate, CandidateRole, CandidateStatus
from modelyard.training.search.matrices import EncodingSpeed, FoldMatrices
from modelyard.training.search.racing import is_hopeless
from modelyard.training.search.units import (
    FitUnit,
    UnitResult,
    finished,
    held_out_predictions,
    staged_predictions,
)

__all__ = ["CrossValidation", "Question", "Recipe"]

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A candidate to be: its name, its family and its configuration.

    Parameters
    ----------
    name, family, params
        As in :class:`~modelyard.training.records.Candidate`.
    share
        Of each fold's training rows; below 1 the candidate is scored, but cannot win.
    resampling
        How classes are made even for learning.
    """

    name: str
    family: Family
    params: Mapping[str, Any]
    share: float = 1.0
    resampling: Resampling = Resampling.NONE

    @classmethod
    def of(cls, candidate: Candidate, family: Family) -> "Recipe":
        """By which a candidate was made, on all rows of a fold."""
        return cls(candidate.name, family, candidate.params, resampling=candidate.resampling)


@dataclasses.dataclass(frozen=True)
class Question:
    """What the folds are asked.

    Parameters
    ----------
    task, classes
        What is predicted, and the number of classes.
    metric
        The primary metric.
    truth
        Encoded target of the training part.
    plan
        The folds.
    digest
        Of all that determines a unit's result beside the candidate.
    seed
        Root of the seeds of fitting.
    """

    task: Task
    classes: int
    metric: str
    truth: Array
    plan: FoldPlan
    digest: str
    seed: int


class CrossValidation:
    """Scores recipes on folds, keeps their candidates and out-of-fold predictions, and respects a deadline.

    Parameters
    ----------
    folder
        Where units leave their results; a run that was killed finds them there again.
    question
        What the folds are asked.
    matrices
        Encoded rows of every fold.
    executor
        Runs the units.
    progress
        Hears of every unit.
    clock
        Once it is over, no unit is begun, and soon those at work are ended; by default it never is.

    Attributes
    ----------
    candidates
        In the order in which they were scored or left out.
    batches
        The names of those that were scored together.
    fit_s
        By name, seconds on one core that fitting a complete candidate on a fold's rows takes, with the rounds on which the
        folds agreed.
    """

    def __init__(
        self,
        folder: Path,
        question: Question,
        matrices: FoldMatrices,
        executor: Executor,
        *,
        progress: Progress,
        clock: Clock | None = None,
    ) -> None:
        self._folder = folder
        self._question = question
        self._matrices = matrices
        self._executor = executor
        self._progress = progress
        self._clock = clock or Clock(None)
        self._must_end = False
        self.candidates: list[Candidate] = []
        self.batches: list[tuple[str, ...]] = []
        self.fit_s: dict[str, float] = {}
        self._predictions: dict[str, Array] = {}

    @property
    def task(self) -> Task:
        """What is predicted."""
        return self._question.task

    @property
    def folds(self) -> int:
        """Number of folds."""
        return len(self._question.plan.folds)

    @property
    def greater_is_better(self) -> bool:
        """The direction of the primary metric."""
        return metric_spec(self._question.metric).greater_is_better

    @property
    def out_of_time(self) -> bool:
        """True once no unit may be begun."""
        return not self._must_end and self._clock.is_over

    def begin(self, stage: str) -> None:
        """What is scored from now on has the stage's share of a budget; see :meth:`~modelyard.training.planning.Clock.begin`."""
        self._clock.begin(stage)

    @property
    def plan(self) -> FoldPlan:
        """The folds."""
        return self._question.plan

    def divided(self, plan: FoldPlan, keys: RowKeys, seed: int, name: str) -> "CrossValidation":
        """The same question on another division into folds and with another seed, in a folder within; nothing is scored yet."""
        folder, question = self._folder / name, self._question
        digest = digest_json({"search": question.digest, "division": name})
        other = dataclasses.replace(question, plan=plan, digest=digest, seed=seed)
        matrices = self._matrices.divided(folder, plan, keys, question.truth, seed)
        return CrossValidation(folder, other, matrices, self._executor, progress=self._progress, clock=self._clock)

    def seeded(self, seed: int) -> "CrossValidation":
        """The same question on the same folds with another seed of fitting; nothing is scored yet."""
        other = dataclasses.replace(self._question, seed=seed)
        return CrossValidation(
            self._folder, other, self._matrices, self._executor, progress=self._progress, clock=self._clock
        )

    def discard(self) -> None:
        """Remove the encoded rows; predictions stay."""
        self._matrices.discard()

    def selections(self, style: EncodingStyle) -> tuple[Selection | None, ...]:
        """Which columns each fold chose for the families of a style."""
        return self._matrices.selections(style)

    def encoding(self, style: EncodingStyle) -> EncodingSpeed:
        """What encoding in a style costs, of which a candidate was tried."""
        return self._matrices.require(style)

    def out_of_fold(self, name: str) -> Array:
        """Predictions of a complete candidate on the rows held out, NaN where a row never was."""
        return self._predictions[name]

    def add_baseline(self, name: str, params: Mapping[str, Any], predict: Callable[[int], Array]) -> None:
        """Score an answer that needs no unit.

        Parameters
        ----------
        predict
            Gives the predictions of the held-out rows of a fold, by its index.
        """
        predictions = self._gather([predict(fold) for fold in range(len(self._question.plan.folds))])
        blank = Candidate(
            name=name,
            family=name,
            role=CandidateRole.BASELINE,
            params=params,
            status=CandidateStatus.DONE,
            fold_scores=(),
            mean=None,
            sd=None,
            fit_seconds=0.0,
            predict_ms=0.0,
            complexity=0,
        )
        self.add(blank, predictions)

    def add(self, candidate: Candidate, predictions: Array) -> Candidate:
        """Score a candidate by predictions of the rows held out, which were made elsewhere; it is added as scored."""
        scored = self._scored(candidate, predictions)
        self.candidates.append(scored)
        return scored

    def leave_out(self, recipe: Recipe, reason: str) -> None:
        """Record a candidate that is not begun, and why."""
        status, family = CandidateStatus.LEFT_OUT, recipe.family
        params = dict(recipe.params)
        role = CandidateRole.CANDIDATE
        self.candidates.append(
            Candidate(
                recipe.name, family.name, role, params, status, (), None, None, 0.0, None, family.complexity, reason
            )
        )

    def evaluate(
        self, recipes: Sequence[Recipe], *, step: str, planned: int = 0, race: bool = False, must_end: bool = False
    ) -> list[Candidate]:
        """Score recipes on all folds; their candidates are also added to :attr:`candidates`, in the recipes' order.

        An interruption leaves the candidates that are complete, and the others marked as interrupted.

        Parameters
        ----------
        step
            Name of the step in progress events.
        planned
            Candidates of the whole step, of which these recipes are a part; 0 if they are all.
        race
            Whether those that are hopeless on the first fold are given up; they are compared with the candidates that
            were complete before this call, so that the order in which units end does not matter.
        must_end
            Whether the clock is not heard.
        """
        self.batches.append(tuple(recipe.name for recipe in recipes))
        work = {recipe.name: self.units(recipe) for recipe in recipes}
        results: dict[str, UnitResult] = {}
        errors: dict[str, str] = {}
        given_up: set[str] = set()
        folds = len(self._question.plan.folds)
        told = _Told(self._progress, step, (planned or len(recipes)) * folds, self._steps_done(step, folds))
        self._must_end = must_end
        try:
            if race and self._leader() is not None:
                first = {name: units[:1] for name, units in work.items()}
                self._run(first, results, errors, told)
                given_up = {name for name, (unit,) in first.items() if unit.key in results and self._hopeless(unit)}
            self._run({name: units for name, units in work.items() if name not in given_up}, results, errors, told)
        finally:
            self._must_end = False
            made = [self._candidate(recipe, work[recipe.name], results, errors) for recipe in recipes]
            made = [_given_up(item) if item.name in given_up else item for item in made]
            self.candidates.extend(made)
        return made

    def _leader(self) -> Candidate | None:
        """The best complete candidate so far."""
        sign = 1 if self.greater_is_better else -1
        complete = [item for item in self.candidates if item.role is CandidateRole.CANDIDATE and item.is_complete]
        return max(complete, key=lambda item: sign * (item.mean or 0.0), default=None)

    def _hopeless(self, unit: FitUnit) -> bool:
        """True if the first fold of a candidate shows that the others are not worth their time."""
        leader, held = self._leader(), self._question.plan.folds[unit.fold].held
        if leader is None:
            return False
        own = held_out_predictions(self._folder, unit.key)
        best, naive = self._predictions[leader.name][held], self._predictions[NAIVE][held]
        return is_hopeless(self._question.task, self._question.truth[held], own, best, naive)

    def _steps_done(self, step: str, folds: int) -> int:
        return 0 if step != "tuning" else folds * sum("-tuned-" in candidate.name for candidate in self.candidates)

    def complete(self, units: Sequence[Unit], *, step: str) -> dict[str, Mapping[str, Any]]:
        """Run units that are no candidates', until the deadline; results by key, without those that failed.

        An interruption closes the executor: nothing of the search is left to run.
        """
        told, results = _Told(self._progress, step, len(units), 0), {}
        try:
            for unit in units:
                self._executor.submit(unit, self._clock.limit())
            for outcome in self._executor.as_completed():
                told.unit("failed: " + outcome.error if outcome.result is None else "done")
                if outcome.result is not None:
                    results[outcome.key] = outcome.result
                if self.out_of_time:
                    self._executor.cancel()
        except KeyboardInterrupt:
            self._executor.close()
            raise
        return results

    def stop(self) -> None:
        """Leave nothing to run after an interruption."""
        self._executor.close()

    def units(self, recipe: Recipe) -> list[FitUnit]:
        """The units of a recipe, one a fold."""
        question = self._question
        part = "" if recipe.share == 1.0 else self._matrices.require_part(recipe.share)
        return [
            FitUnit(
                folder=self._folder,
                plan=question.digest,
                family=recipe.family,
                params=recipe.params,
                seed=derive_seed(question.seed, "fit", recipe.family.name, fold),
                fold=fold,
                task=question.task,
                classes=question.classes,
                part=part,
                resampling=recipe.resampling,
            )
            for fold in range(len(question.plan.folds))
        ]

    def _run(
        self,
        work: Mapping[str, Sequence[FitUnit]],
        results: dict[str, UnitResult],
        errors: dict[str, str],
        told: "_Told",
    ) -> None:
        """Collect what was finished before, and run the rest."""
        owners = {unit.key: (name, unit) for name, units in work.items() for unit in units}
        for key, (name, unit) in owners.items():
            if key in results or key in errors:
                continue
            found = finished(self._folder, key)
            if found is not None:
                results[key] = found
                told.unit(f"{name}, fold {unit.fold + 1}: finished before")
            elif not self.out_of_time:
                self._matrices.require(unit.family.style)
                self._executor.submit(unit, self._clock.limit(must_end=self._must_end))
        for outcome in self._executor.as_completed():
            name, unit = owners[outcome.key]
            if outcome.late:  # no fault of the candidate's: it is interrupted
                told.unit(f"{name}, fold {unit.fold + 1}: {outcome.error}")
            elif outcome.result is None:
                errors[outcome.key] = outcome.error
                told.unit(f"{name}, fold {unit.fold + 1}: failed")
            else:
                results[outcome.key] = UnitResult.from_dict(outcome.result)
                told.unit(f"{name}, fold {unit.fold + 1}: {self._question.metric} {self._fold_score(unit):.4g}")
            if self.out_of_time:
                self._executor.cancel()

    def _fold_score(self, unit: FitUnit) -> float:
        return self._judged(unit.fold, held_out_predictions(self._folder, unit.key))

    def _judged(self, fold: int, predictions: Array) -> float:
        """The primary metric of the held-out rows of a fold."""
        held = self._question.plan.folds[fold].held
        with in_fold(fold + 1):
            return score(self._question.metric, self._question.truth[held], predictions)

    def _candidate(
        self,
        recipe: Recipe,
        units: Sequence[FitUnit],
        results: Mapping[str, UnitResult],
        errors: Mapping[str, str],
    ) -> Candidate:
        """Put a candidate together from what its units left."""
        done = [results[unit.key] for unit in units if unit.key in results]
        failed = [f"fold {unit.fold + 1}: {errors[unit.key]}" for unit in units if unit.key in errors]
        status = CandidateStatus.DONE if len(done) == len(units) else CandidateStatus.INTERRUPTED
        candidate = Candidate(
            name=recipe.name,
            family=recipe.family.name,
            role=CandidateRole.CANDIDATE,
            params=dict(recipe.params),
            status=CandidateStatus.FAILED if failed else status,
            fold_scores=(),
            mean=None,
            sd=None,
            fit_seconds=sum(result.fit_seconds for result in done),
            predict_ms=None,
            complexity=recipe.family.complexity,
            error=failed[0] if failed else f"stopped after {len(done)} of {len(units)} folds",
            notes=tuple(dict.fromkeys(note for result in done for note in result.notes)),
            resampling=recipe.resampling,
        )
        if candidate.status is not CandidateStatus.DONE:
            return candidate
        self.fit_s[candidate.name] = candidate.fit_seconds / len(done)
        measured = self._measured(candidate, done, self._matrices.require(recipe.family.style))
        if all(result.stages for result in done):
            scored = self._jointly_stopped(measured, units, done)
        else:
            held = [held_out_predictions(self._folder, unit.key) for unit in units]
            scored = self._scored(measured, self._gather(held))
        return scored if recipe.share == 1.0 else self._partial(scored, recipe.share)

    def _partial(self, scored: Candidate, share: float) -> Candidate:
        """A candidate that learnt from fewer rows than the others: without a mean that could be set beside theirs."""
        self._predictions.pop(scored.name, None)
        if not scored.is_complete:
            return scored
        rows = statistics.fmean(len(fold.train) for fold in self._question.plan.folds)
        seen = max(1, round(share * rows))
        error = f"tried on about {seen:,} of {round(rows):,} rows a fold"
        return dataclasses.replace(scored, status=CandidateStatus.PARTIAL, mean=None, sd=None, rows=seen, error=error)

    def _jointly_stopped(self, candidate: Candidate, units: Sequence[FitUnit], done: Sequence[UnitResult]) -> Candidate:
        """Scored after the number of rounds on which the folds agree, which is also that of the refit."""
        question = self._question
        answers = [staged_predictions(self._folder, unit.key) for unit in units]
        truths = [question.truth[fold.held] for fold in question.plan.folds]
        rounds, kept = joint_rounds(question.task, [result.stages for result in done], answers, truths)
        as_long = [result.fit_seconds * rounds / result.stages[-1] for result in done]
        self.fit_s[candidate.name] = statistics.fmean(as_long)
        return self._scored(dataclasses.replace(candidate, rounds=rounds), self._gather(kept))

    def _measured(self, candidate: Candidate, done: Sequence[UnitResult], speed: EncodingSpeed) -> Candidate:
        """With rounds for a refit, speed and size."""
        rounds = None
        if all(result.rounds is not None for result in done):
            # Folds that learn from more rows (walk-forward) say more about how long the refit should go on.
            weights = [len(fold.train) for fold in self._question.plan.folds]
            rounds = max(1, round(float(np.average([result.rounds or 0 for result in done], weights=weights))))
        row_s = speed.row_s + statistics.median(result.row_s for result in done)
        return dataclasses.replace(
            candidate,
            error="",
            rounds=rounds,
            predict_ms=speed.one_row_ms + statistics.median(result.one_row_ms for result in done),
            rows_per_s=1 / row_s if row_s > 0 else None,
            size_mb=max(result.size_mb for result in done),
        )

    def _gather(self, parts: Sequence[Array]) -> Array:
        return self._question.plan.gathered(parts, len(self._question.truth))

    def scores_of(self, predictions: Array) -> list[float]:
        """The primary metric of predictions on the rows that each fold holds out."""
        return [self._judged(index, predictions[fold.held]) for index, fold in enumerate(self._question.plan.folds)]

    def _scored(self, candidate: Candidate, predictions: Array) -> Candidate:
        """With fold scores, or failed if the metric is undefined on one of them."""
        self._predictions[candidate.name] = predictions
        question, scores = self._question, self.scores_of(predictions)
        undefined = [index for index, value in enumerate(scores, 1) if not math.isfinite(value)]
        if undefined:
            return dataclasses.replace(
                candidate,
                status=CandidateStatus.FAILED,
                error=f"{question.metric} is undefined for its predictions in fold {undefined[0]}",
            )
        return dataclasses.replace(
            candidate, fold_scores=tuple(scores), mean=statistics.fmean(scores), sd=statistics.stdev(scores)
        )


def _given_up(candidate: Candidate) -> Candidate:
    """A candidate that was far behind on the first fold."""
    return dataclasses.replace(
        candidate, status=CandidateStatus.GIVEN_UP, error="far behind the best candidate on the first fold"
    )


class _Told:
    """Counts units of a step and tells the listener."""

    def __init__(self, progress: Progress, step: str, total: int, done: int) -> None:
        self._progress = progress
        self._step = step
        self._total = total
        self._done = done

    def unit(self, message: str) -> None:
        """One unit ended."""
        self._done += 1
        self._progress(ProgressEvent(self._step, self._done, self._total, message))
