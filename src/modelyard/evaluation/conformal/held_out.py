"""Rows with predictions by models that had not learnt from them: what a rule is calibrated on."""

import dataclasses
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.conformal import LocalScale, fit_scale, scaling_pays
from modelyard.core import derive_seed
from modelyard.data import Split
from modelyard.evaluation.systems import WINNER, JudgedRows
from modelyard.problem import Problem, Task
from modelyard.training.run import StoredRun
from modelyard.training.target import encode_target

__all__ = ["HeldOut", "held_out_rows", "promise"]

Array = npt.NDArray[np.float64]

_ENOUGH = 400
"""Rows, or groups, from which on the coverage strays by chance by 1.5 points (one standard deviation, at 90 %)."""

_USUAL_COVERAGE = 0.9


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """Truth and predictions of held-out rows, and which of them belong together.

    Parameters
    ----------
    truth, predictions
        One a row; of several classes one column each.
    groups
        Labels of rows that belong together; None if each row stands for itself.
    where
        Which rows these are, in words.
    scale
        Error to be expected by the size of the prediction; None if one width does as well, or rows are too few.
    """

    truth: Array
    predictions: Array
    groups: npt.NDArray[Any] | None
    where: str = ""
    scale: LocalScale | None = None

    @property
    def units(self) -> npt.NDArray[Any]:
        """Labels of what is independent."""
        return np.arange(len(self.truth)) if self.groups is None else self.groups

    @property
    def size(self) -> int:
        """Independent units."""
        return len(np.unique(self.units))

    def take(self, rows: npt.NDArray[np.intp]) -> Self:
        """Some of the rows."""
        groups = None if self.groups is None else self.groups[rows]
        return dataclasses.replace(self, truth=self.truth[rows], predictions=self.predictions[rows], groups=groups)

    def joined(self, other: Self) -> Self:
        """Both; groups are told apart by their names."""
        groups = None
        if self.groups is not None and other.groups is not None:
            groups = np.concatenate([self.groups, other.groups])
        truth = np.concatenate([self.truth, other.truth])
        return dataclasses.replace(
            self, truth=truth, predictions=np.concatenate([self.predictions, other.predictions]), groups=groups
        )


def held_out_rows(run: StoredRun, split: Split, problem: Problem, rows: JudgedRows) -> HeldOut | None:
    """The rows to calibrate intervals, sets and quantiles on; None if the project file asks for none of them.

    Validation rows are the first choice: nothing was fitted or chosen on them. If they are fewer than 400, or fewer
    than 400 groups, rows of the training part join them with their out-of-fold predictions, the latest folds first.
    The final model learns from more rows than the models whose errors are used here; that the two err alike is an
    assumption, and the test part measures it.

    Parameters
    ----------
    rows
        The rows that were judged without the test part.
    """
    if problem.evaluation.coverage is None and not problem.evaluation.quantiles:
        return None
    base = HeldOut(rows.truth, rows.predictions[WINNER], _groups(problem, rows.frame))
    scale, where = None, f"{len(base.truth):,} {rows.part} rows"
    if rows.part == "validation" and base.size < _ENOUGH:
        learnt = _out_of_fold(run, split, problem)
        latest = learnt.take(_latest(run, learnt, _ENOUGH - base.size, by_time=split.record.strategy == "time"))
        base = base.joined(latest)
        where += f" and {len(latest.truth):,} training rows with out-of-fold predictions"
    elif rows.part == "validation" and problem.task is Task.REGRESSION:
        scale = _scale(problem, _out_of_fold(run, split, problem))
    if base.groups is not None:
        where += f", in {base.size:,} groups"
    return dataclasses.replace(base, where=where, scale=scale)


def promise(problem: Problem, split: Split, what: str, *, each: str = "") -> str:
    """What a calibration promises, by how the rows were divided.

    Parameters
    ----------
    what
        The shares.
    each
        Of what they hold one by one, such as " of each class".
    """
    if split.record.strategy == "time":
        return f"Promised are {what} if the time to come is like these latest rows; time keeps no promise, so watch it."
    if problem.data.group is not None:
        return f"Promised are {what} of the rows of groups like these."
    return f"Promised are {what} of the cases{each}, if new rows are like these."


def _groups(problem: Problem, frame: pl.DataFrame) -> npt.NDArray[Any] | None:
    group = problem.data.group
    if group is None or group not in frame.columns:
        return None
    return frame[group].cast(pl.String).fill_null("").to_numpy().astype(str)


def _out_of_fold(run: StoredRun, split: Split, problem: Problem) -> HeldOut:
    """The training rows that were ever held out, in their order."""
    frame = split.train.frame
    predictions = run.out_of_fold(run.record.winner)
    known = np.isfinite(predictions if predictions.ndim == 1 else predictions[:, 0])
    truth = encode_target(frame[problem.data.target], problem.task, run.record.classes)
    groups = _groups(problem, frame)
    return HeldOut(truth[known], predictions[known], None if groups is None else groups[known])


def _latest(run: StoredRun, learnt: HeldOut, wanted: int, *, by_time: bool) -> npt.NDArray[np.intp]:
    """All rows; where rows follow one another in time, those of the last folds, until there are enough."""
    folds = run.fold_of_row()
    folds = folds[folds >= 0]
    if not by_time or len(folds) != len(learnt.truth):
        return np.arange(len(learnt.truth))
    for first in range(int(folds.max(initial=0)), -1, -1):
        rows = np.flatnonzero(folds >= first)
        if learnt.take(rows).size >= wanted:
            return rows
    return np.arange(len(learnt.truth))


def _scale(problem: Problem, learnt: HeldOut) -> LocalScale | None:
    """Made on out-of-fold rows, so that the rows of calibration stay untouched; only if it pays there."""
    errors = np.abs(learnt.truth - learnt.predictions)
    seed = derive_seed(problem.training.seed, "evaluation", "scale")
    coverage = problem.evaluation.coverage or _USUAL_COVERAGE
    if not scaling_pays(learnt.predictions, errors, coverage, learnt.units, seed=seed):
        return None
    return fit_scale(learnt.predictions, errors)
