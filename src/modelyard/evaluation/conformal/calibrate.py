"""Which held-out rows the rule is calibrated on, and what that promises."""

import dataclasses
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.conformal import ConformalRule, LocalScale, calibrate_intervals, calibrate_sets, fit_scale, scaling_pays
from modelyard.core import derive_seed
from modelyard.data import Split
from modelyard.evaluation.conformal.records import Regions
from modelyard.evaluation.systems import WINNER, JudgedRows
from modelyard.problem import Problem, Task
from modelyard.training.run import StoredRun
from modelyard.training.target import encode_target

__all__ = ["calibrate_regions"]

Array = npt.NDArray[np.float64]

_ENOUGH = 400
"""Rows, or groups, from which on the coverage strays by chance by 1.5 points (one standard deviation, at 90 %)."""


@dataclasses.dataclass(frozen=True)
class _HeldOut:
    """Rows with predictions by models that had not learnt from them; groups None if each row stands for itself."""

    truth: Array
    predictions: Array
    groups: npt.NDArray[Any] | None

    @property
    def units(self) -> npt.NDArray[Any]:
        return np.arange(len(self.truth)) if self.groups is None else self.groups

    @property
    def size(self) -> int:
        """Independent units."""
        return len(np.unique(self.units))

    def take(self, rows: npt.NDArray[np.intp]) -> Self:
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


def calibrate_regions(run: StoredRun, split: Split, problem: Problem, rows: JudgedRows) -> Regions | None:
    """The rule, on which rows it rests and what it promises; no rule, with the reason, if there are too few rows.

    None if the project file asks for none.

    Validation rows are the first choice: nothing was fitted or chosen on them. If they are fewer than 400, or fewer
    than 400 groups, rows of the training part join them with their out-of-fold predictions, the latest folds first.
    The final model learns from more rows than the models whose errors are used here; that the two err alike is an
    assumption, and the test part measures it.

    Parameters
    ----------
    rows
        The rows that were judged without the test part.
    """
    coverage = problem.evaluation.coverage
    if coverage is None:
        return None
    validation = _HeldOut(rows.truth, rows.predictions[WINNER], _groups(problem, rows.frame))
    base, scale, where = validation, None, f"{len(validation.truth):,} {rows.part} rows"
    if rows.part == "validation" and validation.size < _ENOUGH:
        learnt = _out_of_fold(run, split, problem)
        latest = learnt.take(_latest(run, learnt, _ENOUGH - validation.size, by_time=split.record.strategy == "time"))
        base = validation.joined(latest)
        where += f" and {len(latest.truth):,} training rows with out-of-fold predictions"
    elif rows.part == "validation" and problem.task is Task.REGRESSION:
        scale = _scale(problem, _out_of_fold(run, split, problem), coverage)
    if base.groups is not None:
        where += f", in {base.size:,} groups"
    rule = _rule(problem, base, coverage, scale, classes=len(run.record.classes))
    if rule is None:
        least = int(np.ceil(coverage / (1 - coverage) - 1e-9))
        unit = "rows" if base.groups is None else "groups"
        few = f"{100 * coverage:.3g} % of the cases cannot be promised from {base.size} {unit}; it takes at least {least}."
        return Regions(coverage, None, few, base.size)
    reason = f"Calibrated on {where}. {_promise(problem, split, coverage)}"
    return Regions(coverage, rule, reason, base.size, in_sample=True)


def _rule(
    problem: Problem, base: _HeldOut, coverage: float, scale: LocalScale | None, *, classes: int
) -> ConformalRule | None:
    if problem.task is Task.REGRESSION:
        intervals = calibrate_intervals(base.truth, base.predictions, coverage, groups=base.groups, scale=scale)
        return ConformalRule(coverage, intervals=intervals) if intervals else None
    sets = calibrate_sets(base.truth, base.predictions, classes, coverage, groups=base.groups)
    return ConformalRule(coverage, sets=sets) if any(sets.floors) else None


def _groups(problem: Problem, frame: pl.DataFrame) -> npt.NDArray[Any] | None:
    group = problem.data.group
    if group is None or group not in frame.columns:
        return None
    return frame[group].cast(pl.String).fill_null("").to_numpy().astype(str)


def _out_of_fold(run: StoredRun, split: Split, problem: Problem) -> _HeldOut:
    """The training rows that were ever held out, in their order."""
    frame = split.train.frame
    predictions = run.out_of_fold(run.record.winner)
    known = np.isfinite(predictions if predictions.ndim == 1 else predictions[:, 0])
    truth = encode_target(frame[problem.data.target], problem.task, run.record.classes)
    groups = _groups(problem, frame)
    return _HeldOut(truth[known], predictions[known], None if groups is None else groups[known])


def _latest(run: StoredRun, learnt: _HeldOut, wanted: int, *, by_time: bool) -> npt.NDArray[np.intp]:
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


def _scale(problem: Problem, learnt: _HeldOut, coverage: float) -> LocalScale | None:
    """Made on out-of-fold rows, so that the rows of calibration stay untouched; only if it pays there."""
    errors = np.abs(learnt.truth - learnt.predictions)
    seed = derive_seed(problem.training.seed, "evaluation", "scale")
    if not scaling_pays(learnt.predictions, errors, coverage, learnt.units, seed=seed):
        return None
    return fit_scale(learnt.predictions, errors)


def _promise(problem: Problem, split: Split, coverage: float) -> str:
    """What the calibration promises, by how the rows were divided."""
    share = f"{100 * coverage:.3g} %"
    if split.record.strategy == "time":
        return (
            f"Promised are {share} if the time to come is like these latest rows; time keeps no promise, so watch it."
        )
    if problem.data.group is not None:
        return f"Promised are {share} of the rows of groups like these."
    of = " of each class" if problem.task.is_classification else ""
    return f"Promised are {share} of the cases{of}, if new rows are like these."
