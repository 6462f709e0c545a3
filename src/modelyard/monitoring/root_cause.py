"""The likely cause, before anyone retrains: broken pipeline first, then what labels can tell, then what nobody can know."""

import dataclasses
import enum
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from modelyard.core import Record
from modelyard.monitoring.drift import DriftResult
from modelyard.monitoring.performance import PerformanceWindow
from modelyard.monitoring.quality import QualityResult
from modelyard.problem import Task
from modelyard.report import format_number

__all__ = ["Action", "Cause", "Diagnosis", "Evidence", "diagnose", "labels_needed"]

Floats = npt.NDArray[np.float64]

_FEWEST_LABELS = 300
_CONCEPT_GAIN = 0.01
_FOLDS = 5
_SURE = 4.0


class Cause(enum.StrEnum):
    """What explains what was seen."""

    NOTHING = "nothing to explain"
    PIPELINE = "broken pipeline"
    CONCEPT = "concept drift"
    PRIOR = "prior shift"
    COVARIATE = "covariate shift"
    HARMLESS = "change without loss"
    UNEXPLAINED = "loss without a visible cause"
    UNKNOWN = "unknown without labels"


class Action(enum.StrEnum):
    """What to do about it. A pipeline fault never leads to retraining."""

    NONE = "none"
    FIX_PIPELINE = "fix the pipeline"
    RECALIBRATE = "recalibrate"
    RETRAIN = "retrain, if a test on recent labels says that it pays"
    WAIT_FOR_LABELS = "collect labels"


@dataclasses.dataclass(frozen=True)
class Diagnosis(Record):
    """The likely cause, what speaks for it, what to do, and what cannot be known from what there is."""

    cause: Cause
    action: Action
    evidence: tuple[str, ...]
    not_known: str = ""


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What the diagnosis looks at: alarms of the recent windows, and labelled rows if there are any.

    Parameters
    ----------
    drift, quality
        Alarms of the latest windows; ``drift`` with the score's among them.
    performance
        The latest judged window with a value; None without labels.
    truth, prediction
        Labelled rows of the latest windows, as :func:`modelyard.monitoring.performance.outcomes` gives them.
    features
        Their features as numbers, shape (rows, columns), standardised; missing values are 0.
    """

    drift: Sequence[DriftResult]
    quality: Sequence[QualityResult]
    performance: PerformanceWindow | None
    truth: Floats
    prediction: Floats
    features: Floats


def diagnose(evidence: Evidence, task: Task, seed: int, *, labels_hint: str = "") -> Diagnosis:
    """Name the likely cause, in the order pipeline, concept, prior, covariate.

    Notes
    -----
    Concept drift: do the features say more about the outcome than the score does? The cross-validated gain in log
    loss (regression: relative gain in squared error) of outcome on score and features over outcome on score alone is
    above 0.01 and its 95 % interval above 0. Prior shift: the outcomes' level is off by more than four standard errors
    while the features add nothing. Covariate shift: neither, and inputs moved.
    """
    if evidence.quality:
        return _pipeline(evidence)
    moved = [_moved(result) for result in evidence.drift]
    if evidence.performance is None:
        return _without_labels(moved, labels_hint)
    if not evidence.performance.alarm:
        return _without_loss(moved, evidence.performance)
    loss = _loss_words(evidence.performance)
    if task is Task.MULTICLASS or len(evidence.truth) < _FEWEST_LABELS:
        why = "more than two classes are not taken apart yet" if task is Task.MULTICLASS else "there are too few labels"
        known = f"Whether the relation or only the inputs changed cannot be told: {why}."
        cause = Cause.COVARIATE if moved else Cause.UNEXPLAINED
        return Diagnosis(cause, Action.WAIT_FOR_LABELS, (loss, *moved), known)
    gain, low, high = _concept_gain(evidence, task, seed)
    sentence = (
        f"Beyond the score, the features gain {format_number(gain)} ({format_number(low)} to {format_number(high)})."
    )
    if gain > _CONCEPT_GAIN and low > 0:
        return Diagnosis(Cause.CONCEPT, Action.RETRAIN, (loss, sentence, *moved))
    level = _level_shift(evidence, task)
    if level is not None:
        note = "That the score separates the outcomes as before was not tested: the package holds no scores by outcome."
        return Diagnosis(Cause.PRIOR, Action.RECALIBRATE, (loss, level, sentence, *moved), note)
    if moved:
        return Diagnosis(Cause.COVARIATE, Action.RETRAIN, (loss, sentence, *moved))
    known = "Neither data quality, nor the inputs, nor the level of outcomes explain the loss."
    return Diagnosis(Cause.UNEXPLAINED, Action.WAIT_FOR_LABELS, (loss, sentence), known)


def labels_needed(task: Task, reference: float | None, drop: float) -> str:
    """How many labels would show a loss of the share ``drop``, in one clause.

    For a binary metric between 0 and 1 the standard error is at most ``sqrt(v (1 - v) / m)`` with ``m`` rows of the
    rarer class (for the ROC AUC: Birnbaum and Klose 1957); half a 95 % interval must fit into the drop.
    """
    if task is Task.BINARY and reference is not None and 0 < reference < 1 and drop > 0:
        rows = math.ceil(reference * (1 - reference) * (1.96 / (drop * reference)) ** 2)
        return f"about {max(rows, 30):,} labelled rows of the rarer class"
    return f"at least {_FEWEST_LABELS} labelled rows"


def _pipeline(evidence: Evidence) -> Diagnosis:
    seen = sorted({f"{one.feature}: {one.signal.value.replace('-', ' ')}" for one in evidence.quality})
    also = [f"{len(seen)} faults at once point to one source."] if len(seen) > 2 else []
    known = "Whether the world changed as well can only be told once the columns are whole again."
    return Diagnosis(Cause.PIPELINE, Action.FIX_PIPELINE, (*seen, *also), known)


def _without_labels(moved: Sequence[str], hint: str) -> Diagnosis:
    if not moved:
        known = "Without labels, a change in the relation between inputs and outcome would not be seen."
        return Diagnosis(Cause.NOTHING, Action.NONE, (), known)
    known = (
        "Inputs or scores moved; whether the model lost, and whether the relation to the outcome changed, cannot be "
        f"known without labels. Needed: {hint or f'at least {_FEWEST_LABELS} labelled rows'}, drawn over all scores."
    )
    return Diagnosis(Cause.UNKNOWN, Action.WAIT_FOR_LABELS, tuple(moved), known)


def _without_loss(moved: Sequence[str], performance: PerformanceWindow) -> Diagnosis:
    if performance.tolerated is None:
        known = "The package's own score is not known, so a loss cannot be judged."
        return Diagnosis(Cause.UNKNOWN if moved else Cause.NOTHING, Action.NONE, tuple(moved), known)
    shown = (
        f"{format_number(performance.value)} ({format_number(performance.low)} to {format_number(performance.high)})"
    )
    kept = f"No loss beyond doubt: {shown} in {performance.name}, tolerated {format_number(performance.tolerated)}."
    if moved:
        return Diagnosis(Cause.HARMLESS, Action.NONE, (kept, *moved))
    return Diagnosis(Cause.NOTHING, Action.NONE, (kept,))


def _moved(result: DriftResult) -> str:
    return f"{result.feature} moved: PSI {format_number(result.psi)}, at least {format_number(result.psi_low)}."


def _loss_words(window: PerformanceWindow) -> str:
    interval = f"{format_number(window.low)} to {format_number(window.high)}"
    return (
        f"Performance fell to {format_number(window.value)} ({interval}); tolerated {format_number(window.tolerated)}."
    )


def _concept_gain(evidence: Evidence, task: Task, seed: int) -> tuple[float, float, float]:
    """Cross-validated gain per row of score and features over the score alone, and its 95 % interval."""
    truth = evidence.truth
    score = _logit(evidence.prediction) if task is Task.BINARY else evidence.prediction
    base = np.column_stack([np.ones(len(truth)), (score - score.mean()) / (score.std() or 1.0)])
    full = np.column_stack([base, evidence.features])
    fold = np.random.default_rng(seed).permutation(len(truth)) % _FOLDS
    gains = np.empty(len(truth))
    for number in range(_FOLDS):
        rest, held = fold != number, fold == number
        losses = [_held_out_loss(matrix, truth, rest, held, task) for matrix in (base, full)]
        gains[held] = losses[0] - losses[1]
    scale = 1.0 if task is Task.BINARY else float(np.mean((truth - truth.mean()) ** 2)) or 1.0
    error = 1.96 * float(gains.std()) / math.sqrt(len(gains)) / scale
    mean = float(gains.mean()) / scale
    return mean, mean - error, mean + error


def _held_out_loss(
    matrix: Floats, truth: Floats, rest: npt.NDArray[np.bool_], held: npt.NDArray[np.bool_], task: Task
) -> Floats:
    """Log loss (binary) or squared error of each held-out row, fitted on the rest with a light ridge."""
    weights = _fit(matrix[rest], truth[rest], logistic=task is Task.BINARY)
    linear = matrix[held] @ weights
    if task is Task.BINARY:
        return np.asarray(np.logaddexp(0.0, linear) - truth[held] * linear)
    return np.asarray((truth[held] - linear) ** 2)


def _fit(matrix: Floats, truth: Floats, *, logistic: bool) -> Floats:
    """Ridge regression, or logistic regression by reweighted least squares; the intercept is not held back."""
    ridge = np.eye(matrix.shape[1])
    ridge[0, 0] = 1e-9
    if not logistic:
        return np.asarray(np.linalg.solve(matrix.T @ matrix + ridge, matrix.T @ truth))
    weights = np.zeros(matrix.shape[1])
    for _ in range(15):
        linear = np.clip(matrix @ weights, -30.0, 30.0)
        chance = 1 / (1 + np.exp(-linear))
        curvature = np.maximum(chance * (1 - chance), 1e-6)
        gradient = matrix.T @ (truth - chance) - ridge @ weights
        step = np.linalg.solve((matrix * curvature[:, None]).T @ matrix + ridge, gradient)
        weights = weights + step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def _logit(share: Floats) -> Floats:
    inside = np.clip(share, 1e-6, 1 - 1e-6)
    return np.log(inside / (1 - inside))


def _level_shift(evidence: Evidence, task: Task) -> str | None:
    """A sentence if the outcomes' mean is far from the predictions' mean; None if it is not."""
    truth, prediction = evidence.truth, evidence.prediction
    spread = prediction * (1 - prediction) if task is Task.BINARY else (truth - prediction) ** 2
    error = math.sqrt(max(float(spread.sum()), 1e-12)) / len(truth)
    expected, seen = float(prediction.mean()), float(truth.mean())
    if abs(seen - expected) <= _SURE * error:
        return None
    return f"The outcomes' mean is {format_number(seen)} where the scores expect {format_number(expected)}."
