"""Champion and challenger on the same fresh rows: neither has learnt from them, and each decides as it would serve."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.data import Split, category_text
from modelyard.evaluation.systems import resampling_units
from modelyard.evaluation.threshold import choose_threshold
from modelyard.packaging import Scorer
from modelyard.problem import MetricInput, Problem, Task, metric_spec
from modelyard.training.run import StoredRun
from modelyard.training.target import encode_target

__all__ = ["UNDECLARED_THRESHOLD", "Duel", "meet"]

Array = npt.NDArray[np.float64]
UNDECLARED_THRESHOLD = 0.5
"""From which probability on a row counts as positive where nobody has chosen."""


@dataclasses.dataclass(frozen=True)
class Duel:
    """What both say about the same rows.

    Parameters
    ----------
    frame, truth
        The rows and their encoded target.
    champion, challenger
        Predictions of both; columns in the order of the challenger's classes (multiclass).
    thresholds
        From which probability on champion and challenger call a row positive (binary).
    units
        Rows of one label are drawn together; None if each stands for itself.
    """

    frame: pl.DataFrame
    truth: Array
    champion: Array
    challenger: Array
    thresholds: tuple[float, float] = (UNDECLARED_THRESHOLD, UNDECLARED_THRESHOLD)
    units: npt.NDArray[Any] | None = None


def meet(problem: Problem, scorer: Scorer, run: StoredRun, split: Split) -> Duel:
    """Score the validation part with both; rows of a class that the challenger has never seen are left out."""
    classes, target = run.record.classes, problem.data.target
    frame = split.validation.frame
    if problem.task is Task.MULTICLASS:
        frame = frame.filter(category_text(frame[target]).is_in(classes))
    return Duel(
        frame=frame,
        truth=encode_target(frame[target], problem.task, classes),
        champion=_aligned(scorer, frame, classes),
        challenger=run.model("development").predict(frame),
        thresholds=_thresholds(problem, scorer, run, split),
        units=resampling_units(problem, frame),
    )


def _thresholds(problem: Problem, scorer: Scorer, run: StoredRun, split: Split) -> tuple[float, float]:
    """The champion's own, and the challenger's from its training rows, held out: not from the rows of the duel."""
    if problem.task is not Task.BINARY or metric_spec(problem.primary_metric).input is not MetricInput.LABEL:
        return Duel.thresholds
    scores = run.out_of_fold(run.record.winner)
    held_out = np.isfinite(scores)
    rows = split.train.frame.filter(held_out)
    truth = encode_target(rows[problem.data.target], problem.task, run.record.classes)
    seed = derive_seed(problem.training.seed, "duel")
    choice = choose_threshold(problem, truth, scores[held_out], seed=seed, groups=resampling_units(problem, rows))
    champion = UNDECLARED_THRESHOLD if scorer.threshold is None else scorer.threshold
    return champion, choice.value


def _aligned(scorer: Scorer, rows: pl.DataFrame, classes: tuple[str, ...]) -> Array:
    """The champion's scores with columns in the order of the challenger's classes; unknown classes score 0."""
    scores = scorer.score_frame(rows)
    if scores.ndim == 1 or scorer.classes == classes:
        return scores
    aligned = np.zeros((len(scores), len(classes)))
    for position, name in enumerate(classes):
        if name in scorer.classes:
            aligned[:, position] = scores[:, scorer.classes.index(name)]
    return aligned
