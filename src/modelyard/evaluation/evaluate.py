"""The evaluation of a run, in order: threshold, figures, reasons; and, if asked, one look at the test part."""

import dataclasses
import datetime as dt

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Actor, Clock, DataError, Progress, ProgressEvent, derive_seed, silent, system_clock
from modelyard.data import Split
from modelyard.data.schema import ColumnKind, category_text
from modelyard.evaluation.boundary import Boundary
from modelyard.evaluation.boundary.slice import decision_boundary
from modelyard.evaluation.conformal import Regions
from modelyard.evaluation.conformal.calibrate import calibrate_regions
from modelyard.evaluation.conformal.held_out import held_out_rows
from modelyard.evaluation.conformal.measure import measure_regions
from modelyard.evaluation.curves import curves_of
from modelyard.evaluation.experts.answers import check_answers
from modelyard.evaluation.experts.comparison import compare_with_experts
from modelyard.evaluation.experts.records import ExpertAnswers
from modelyard.evaluation.explanations import RowNames, explain_rows
from modelyard.evaluation.fairness.gaps import measure_gaps
from modelyard.evaluation.findings import evaluation_findings, run_findings
from modelyard.evaluation.importance import permutation_importance
from modelyard.evaluation.money import Stakes, money_gained
from modelyard.evaluation.periods.measure import measure_stability
from modelyard.evaluation.quantiles import Quantiles
from modelyard.evaluation.quantiles.calibrate import prepare_quantiles
from modelyard.evaluation.quantiles.measure import measure_quantiles
from modelyard.evaluation.reasons.overview import Seen, give_reasons
from modelyard.evaluation.reasons.records import Reasons
from modelyard.evaluation.records import (
    Account,
    ErrorAnalysis,
    Evaluation,
    Importance,
    Robustness,
    RowExplanation,
    SliceSearch,
    SystemScores,
    ThresholdChoice,
)
from modelyard.evaluation.segments import score_pairs, score_segments
from modelyard.evaluation.systems import (
    EXISTING,
    NAIVE,
    WINNER,
    JudgedRows,
    compare_with_baselines,
    resampling_units,
    score_systems,
)
from modelyard.evaluation.threshold import choose_threshold
from modelyard.evaluation.weaknesses.mistakes import analyse_errors
from modelyard.evaluation.weaknesses.robustness import disturb
from modelyard.evaluation.weaknesses.slices import find_weak_slices
from modelyard.evaluation.worth.profit import profit_curve
from modelyard.problem import GuardrailResult, Problem, Task, held_guardrails
from modelyard.training.baselines import ConstantEstimator, existing_system_scores, naive_params
from modelyard.training.metrics import decide_labels
from modelyard.training.model import FittedModel
from modelyard.training.run import StoredRun
from modelyard.training.target import encode_target

__all__ = ["evaluate"]

Array = npt.NDArray[np.float64]
_CONFIDENCE = 0.95
_STEPS = 8
_SEGMENTS_BY_ITSELF = 3


@dataclasses.dataclass(frozen=True)
class _Development:
    """What can be said without the test part."""

    rows: JudgedRows
    threshold: ThresholdChoice | None
    scores: tuple[SystemScores, ...]
    importance: tuple[Importance, ...]
    explanations: tuple[RowExplanation, ...]
    reasons: Reasons
    errors: ErrorAnalysis
    weak_slices: SliceSearch
    robustness: Robustness
    regions: Regions | None
    quantiles: Quantiles | None
    boundary: Boundary | None


def evaluate(
    run: StoredRun,
    split: Split,
    problem: Problem,
    *,
    actor: Actor,
    reason: str | None,
    experts: ExpertAnswers | None = None,
    progress: Progress = silent,
    clock: Clock = system_clock,
) -> Evaluation:
    """Judge a run's winner beside the naive answer and the existing system.

    The threshold, the importance of columns and the explanations come from the validation part and the winner as
    fitted on the training part. If ``reason`` is given, the sealed test part is opened, once, after all of that is
    done, and scores the winner as refitted on training and validation rows. Without a validation part, out-of-fold
    predictions of the training rows take its place.

    Parameters
    ----------
    actor, reason
        Who opens the test part and why; None leaves it sealed.
    experts
        Answers to compare with, on those of their rows that are judged; they open nothing by themselves.

    Raises
    ------
    DataError
        If there is nothing to evaluate on, the sealed part is empty and is to be opened, or an expert's answer is none
        that the target has.
    ConfigError
        If quantiles are asked for, and the run is no regression.
    """
    problem = _as_trained(problem, run)
    if experts is not None:
        check_answers(experts, problem.task, run.record.classes)
    steps = _Steps(progress)
    development = _judge_development(run, split, problem, steps)
    rows, confidence, opened_at = development.rows, _CONFIDENCE, None
    test: tuple[SystemScores, ...] = ()
    if reason is not None:
        if split.test.size == 0:
            raise DataError(
                "the sealed part has no rows to open",
                where=f"split {split.record.id}",
                got="split.test: 0",
                cure="Set a share above 0 under split.test, or evaluate without opening",
            )
        frame = split.test.open(reason, actor)
        opened_at = clock()
        confidence = 1 - 0.05 / max(1, split.test.openings())
        rows = _judge_test(run, split, problem, frame, development.rows.threshold)
        test = score_systems(problem, rows, confidence=confidence)
    steps.done("test part" if reason else "test part left sealed")
    account = _account(split, rows, actor if reason else None, reason or "")
    account = dataclasses.replace(account, opened_at=opened_at)
    draft = _compose(run, problem, development, rows, test, account, confidence=confidence, created_at=clock())
    if experts is not None:
        seed = derive_seed(problem.training.seed, "experts", rows.part)
        beside = compare_with_experts(experts, problem, rows, run.record.classes, confidence=confidence, seed=seed)
        draft = dataclasses.replace(draft, experts=beside)
    steps.done("findings")
    found = evaluation_findings(draft, time=problem.data.time)
    return dataclasses.replace(draft, findings=(*found, *run_findings(run.record)))


def _as_trained(problem: Problem, run: StoredRun) -> Problem:
    """The problem with the task and the positive class that the run was trained for."""
    if run.record.task is not Task.BINARY:
        return problem.model_copy(update={"task": run.record.task})
    data = problem.data.model_copy(update={"positive": run.record.classes[1]})
    return problem.model_copy(update={"task": run.record.task, "data": data})


class _Steps:
    """Counts the steps of an evaluation for the listener."""

    def __init__(self, progress: Progress) -> None:
        self.listener = progress
        self._done = 0

    def done(self, message: str) -> None:
        """One more step is finished."""
        self._done += 1
        self.listener(ProgressEvent("evaluation", self._done, _STEPS, message))


def _judge_development(run: StoredRun, split: Split, problem: Problem, steps: _Steps) -> _Development:
    seed = derive_seed(problem.training.seed, "evaluation")
    model = run.model("development")
    rows = _validation_rows(run, split, problem, model)
    steps.done("predictions")
    threshold = None
    if problem.task is Task.BINARY:
        threshold = choose_threshold(
            problem, rows.truth, rows.predictions[WINNER], seed=derive_seed(seed, "threshold"), groups=rows.units
        )
        rows = dataclasses.replace(rows, threshold=threshold.value)
    steps.done("threshold")
    scores = score_systems(problem, rows, confidence=_CONFIDENCE)
    steps.done("figures with intervals")
    importance = permutation_importance(
        model,
        rows.frame,
        rows.truth,
        metric=problem.primary_metric,
        seed=derive_seed(seed, "importance"),
        threshold=rows.threshold,
        progress=steps.listener,
    )
    steps.done("importance of columns")
    names = RowNames(_row_ids(problem, rows.frame), run.record.classes)
    because = derive_seed(seed, "explanations")
    explanations = explain_rows(model, rows.frame, rows.truth, split.train.frame, names=names, seed=because)
    known = encode_target(split.train.frame[problem.data.target], problem.task, run.record.classes)
    seen = Seen(rows, importance, explanations, split.train.frame, known)
    reasons = give_reasons(model, run.record, problem, seen, seed=derive_seed(seed, "reasons"))
    steps.done("explanations")
    errors = analyse_errors(model, rows, split.train.frame, names=names, seed=because)
    searched = _searched_columns(problem, run, importance)
    weak = find_weak_slices(problem, rows, searched, seed=derive_seed(seed, "slices"))
    robustness = disturb(
        model, rows.frame, split.train.frame, threshold=rows.threshold, seed=derive_seed(seed, "robustness")
    )
    steps.done("weaknesses")
    base = held_out_rows(run, split, problem, rows)
    return _Development(
        rows,
        threshold,
        scores,
        importance,
        explanations,
        reasons,
        errors,
        weak,
        robustness,
        calibrate_regions(run, split, problem, base),
        quantiles=prepare_quantiles(run, split, problem, base),
        boundary=decision_boundary(model, rows, split.train.frame, importance, seed=derive_seed(seed, "boundary")),
    )


def _validation_rows(run: StoredRun, split: Split, problem: Problem, model: FittedModel) -> JudgedRows:
    """The validation part under the development model; the held-out training rows if there is none."""
    frame, part = split.validation.frame, "validation"
    if frame.height:
        winner = model.predict(frame)
    else:
        out_of_fold = run.out_of_fold(run.record.winner)
        held_out = np.isfinite(out_of_fold if out_of_fold.ndim == 1 else out_of_fold[:, 0])
        frame, winner, part = split.train.frame.filter(held_out), out_of_fold[held_out], "out of fold"
    if frame.height == 0:
        raise DataError(
            "there are no held-out rows to evaluate on",
            where=f"split {split.record.id}",
            got="an empty validation part and no out-of-fold predictions",
            cure="Set a share above 0 under split.validation",
        )
    return _judged(run, problem, part, frame, winner, split.train.frame)


def _judge_test(run: StoredRun, split: Split, problem: Problem, frame: pl.DataFrame, threshold: float) -> JudgedRows:
    winner = run.model("final").predict(frame)
    rows = _judged(run, problem, "test", frame, winner, split.development.frame)
    return dataclasses.replace(rows, threshold=threshold)


def _judged(
    run: StoredRun, problem: Problem, part: str, frame: pl.DataFrame, winner: Array, known: pl.DataFrame
) -> JudgedRows:
    """The rows with the answers of all systems, the winner last; ``known`` is what the naive answer is learnt from.

    Rows of a class that the model has never seen cannot be scored by most metrics; they are left out and counted.
    """
    target, classes, left_out = problem.data.target, run.record.classes, 0
    if problem.task is Task.MULTICLASS:
        possible = category_text(frame[target]).is_in(classes)
        left_out = int((~possible).sum())
        frame, winner = frame.filter(possible), winner[possible.to_numpy()]
    truth = encode_target(frame[target], problem.task, classes)
    naive = ConstantEstimator.learn(
        encode_target(known[target], problem.task, classes),
        problem.task,
        len(classes),
        naive_params(problem.task, problem.primary_metric)["prediction"],
    ).predict(np.empty((frame.height, 0)))
    predictions = {NAIVE: naive}
    existing = existing_system_scores(problem, frame, classes=classes)
    if existing is not None:
        silence = naive if problem.task is Task.REGRESSION else 0.0
        predictions[EXISTING] = np.where(np.isnan(existing), silence, existing)
    predictions[WINNER] = winner
    return JudgedRows(part, frame, truth, predictions, units=resampling_units(problem, frame), left_out=left_out)


def _row_ids(problem: Problem, frame: pl.DataFrame) -> list[str]:
    if problem.data.id is not None and problem.data.id in frame.columns:
        return [str(value) for value in frame[problem.data.id]]
    return [f"row {position}" for position in range(frame.height)]


def _compose(
    run: StoredRun,
    problem: Problem,
    development: _Development,
    rows: JudgedRows,
    test: tuple[SystemScores, ...],
    account: Account,
    *,
    confidence: float,
    created_at: dt.datetime,
) -> Evaluation:
    """All figures of the rows to judge by; the findings come last."""
    winner = rows.predictions[WINNER]
    stakes = Stakes(rows.part, rows.truth, rows.predictions, rows.threshold, rows.units)
    seed = derive_seed(problem.training.seed, "evaluation", rows.part)
    measured = test or development.scores
    columns = _segment_columns(problem, run, development)
    return Evaluation(
        run_id=run.record.id,
        task=run.record.task,
        metric=problem.primary_metric,
        winner=run.record.winner,
        classes=run.record.classes,
        measured_on=rows.part,
        threshold=development.threshold,
        validation=development.scores,
        test=test,
        comparisons=compare_with_baselines(problem, rows, confidence=confidence),
        segments=score_segments(problem, rows, columns, confidence=confidence, seed=seed),
        importance=development.importance,
        explanations=development.explanations,
        reasons=development.reasons,
        pairs=score_pairs(problem, rows, confidence=confidence, seed=derive_seed(seed, "pairs")),
        fairness=measure_gaps(problem, rows, confidence=confidence, seed=derive_seed(seed, "fairness")),
        errors=development.errors,
        weak_slices=development.weak_slices,
        robustness=development.robustness,
        confusion=_confusion(rows, len(run.record.classes)),
        curves=curves_of(run.record.task, rows.truth, winner, run.record.classes),
        money=money_gained(problem, stakes, confidence=confidence, seed=derive_seed(seed, "money")),
        openings=account.openings,
        confidence=confidence,
        guardrails=_guardrails(problem, measured),
        findings=(),
        account=account,
        created_at=created_at,
        test_opened_at=account.opened_at,
        more_rows=run.record.learning_curve.answer if run.record.learning_curve else "",
        profit=profit_curve(problem, stakes, confidence=confidence, seed=derive_seed(seed, "profit")),
        stability=measure_stability(problem, rows, confidence=confidence, seed=derive_seed(seed, "periods")),
        regions=measure_regions(development.regions, rows, columns, run.record.classes, confidence=confidence),
        quantiles=measure_quantiles(
            development.quantiles, rows, columns, confidence=confidence, seed=derive_seed(seed, "quantiles")
        ),
        boundary=development.boundary,
    )


def _segment_columns(problem: Problem, run: StoredRun, development: _Development) -> list[str]:
    """The declared columns; else those that matter most to the model, free text aside."""
    helpful = {item.feature for item in development.importance if item.drop > 0}
    ranked = [name for name in _by_importance(run, development.importance) if name in helpful]
    return [*problem.segments, *problem.protected] or ranked[:_SEGMENTS_BY_ITSELF]


def _searched_columns(problem: Problem, run: StoredRun, importance: tuple[Importance, ...]) -> list[str]:
    """Where weak slices are looked for: the declared columns, then all others, the most important first."""
    return list(dict.fromkeys([*problem.segments, *problem.protected, *_by_importance(run, importance)]))


def _by_importance(run: StoredRun, importance: tuple[Importance, ...]) -> list[str]:
    """Columns of the model, free text aside; those without a figure last."""
    free_text = {column.name for column in run.record.columns if column.kind is ColumnKind.TEXT}
    ranked = [*(item.feature for item in importance), *(column.name for column in run.record.columns)]
    return [name for name in dict.fromkeys(ranked) if name not in free_text]


def _confusion(rows: JudgedRows, classes: int) -> tuple[tuple[int, ...], ...]:
    """Counts of true by decided class; empty for regression."""
    if classes == 0:
        return ()
    decided = decide_labels(rows.predictions[WINNER], rows.threshold)
    cells = (rows.truth * classes + decided).astype(np.intp)
    counts = np.bincount(cells, minlength=classes * classes).reshape(classes, classes)
    return tuple(tuple(int(count) for count in row) for row in counts)


def _guardrails(problem: Problem, measured: tuple[SystemScores, ...]) -> tuple[GuardrailResult, ...]:
    """Each bound against the winner's figure."""
    winner = next(scores for scores in measured if scores.name == WINNER)
    return held_guardrails(problem, {metric.name: metric.value for metric in winner.metrics})


def _account(split: Split, rows: JudgedRows, actor: Actor | None, reason: str) -> Account:
    record = split.record
    return Account(
        split_id=record.id,
        dataset_id=record.dataset_id,
        strategy=record.strategy,
        split_reason=record.reason,
        train_rows=record.train_rows,
        validation_rows=record.validation_rows,
        test_rows=record.test_rows,
        test_digest=record.test_digest,
        openings=split.test.openings(),
        opened_at=None,
        opened_by=actor.name if actor else "",
        reason=reason,
        independent_units=None if rows.units is None else len(np.unique(rows.units)),
        left_out=rows.left_out,
    )
