"""Boosting that is watched on held-out rows: what it would answer after ten rounds, twenty, and so on.

One fit serves for all numbers of rounds, so that the folds can agree on one: joint stopping, which Holzmüller, Grinsztajn
and Steinwart (2024, section 5.1 and table B.3) found to be better than letting each fold stop by itself, at half the cost of
finding the rounds on rows of their own first.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from modelyard.problem import Task
from modelyard.training.families.family import Family, FitData
from modelyard.training.losses import fitting_losses

__all__ = ["STAGES", "HeldRows", "WatchedFamily", "WatchedFit", "Watcher", "joint_rounds", "linked", "reached"]

Array = npt.NDArray[np.float64]

STAGES = (
    *(10, 20, 30, 40, 50, 60, 80, 100, 120, 150, 180, 220, 260, 310, 370, 440, 520, 620, 730, 860),
    *(1_000, 1_200, 1_450, 1_700, 2_000),
)
"""Numbers of rounds after which answers are kept."""

_LOOK = 10
"""Rounds after which held rows are looked at."""


@dataclasses.dataclass(frozen=True)
class HeldRows:
    """Rows held out, on which boosting is watched.

    Parameters
    ----------
    matrix
        Encoded rows.
    target
        As in :class:`~modelyard.training.families.family.FitData`.
    known
        Rows whose class the rows learnt from hold too; at least one.
    """

    matrix: Array
    target: Array
    known: npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class WatchedFit:
    """An estimator, and what it answered on the way.

    Parameters
    ----------
    estimator
        With all its rounds, up to the best one at least.
    rounds
        Ascending: :data:`STAGES` up to where it stopped, and where it stopped.
    answers
        For the held rows after so many rounds: shape (stages, rows) of the second of two classes or of values, or
        (stages, rows, classes).
    """

    estimator: Any
    rounds: tuple[int, ...]
    answers: Array


@runtime_checkable
class WatchedFamily(Family, Protocol):
    """A boosted family that can be watched on held-out rows."""

    def watch(self, data: FitData, params: Mapping[str, Any], held: HeldRows, *, seed: int) -> WatchedFit:
        """Fit on all rows of ``data`` until the loss of the held rows has not improved for a while."""


class Watcher:
    """Looks at held rows while a booster is trained, keeps their answers stage by stage, and says when it is enough.

    Trees are summed up over the held rows once, for the answers and for the loss. A library that judges every round by itself
    does it twice, and takes a third of a fit's time for it.

    Parameters
    ----------
    patience
        Rounds without a better loss after which it is enough.
    sums
        Of a booster's trees from a round on, up to before another: shape (rows,) or (rows, classes) for the held rows.
    """

    def __init__(self, task: Task, held: HeldRows, patience: int, sums: Callable[[Any, int, int], Any]) -> None:
        self._task, self._held, self._patience, self._sums = task, held, patience, sums
        self._margins: Any = 0.0
        self._rounds = 0
        self._kept: dict[int, Array] = {}
        self._best, self._best_at = np.inf, 0

    def enough(self, booster: Any, trained: int) -> bool:
        """Whether training shall end after so many rounds, of which the booster may have kept fewer."""
        if trained % _LOOK:
            return False
        answers, known = self._look(booster, trained), self._held.known
        loss = float(fitting_losses(self._task, self._held.target[known], answers[known]).mean())
        if loss < self._best:
            self._best, self._best_at = loss, trained
        return trained - self._best_at >= self._patience

    def watched(self, estimator: Any, booster: Any, trained: int) -> WatchedFit:
        """What was seen of a booster, now that it has so many rounds in all."""
        if trained > self._rounds:
            self._look(booster, trained)
        self._kept[self._rounds] = self._answers()
        return WatchedFit(estimator, tuple(sorted(self._kept)), np.stack([self._kept[at] for at in sorted(self._kept)]))

    def _look(self, booster: Any, trained: int) -> Array:
        """The answers after so many rounds."""
        self._margins = self._margins + np.asarray(self._sums(booster, self._rounds, trained), dtype=np.float64)
        self._rounds = trained
        answers = self._answers()
        if trained in STAGES:
            self._kept[trained] = answers
        return answers

    def _answers(self) -> Array:
        return linked(self._task, self._margins)


def reached(trained: int) -> tuple[int, ...]:
    """The stages of so many rounds.

    >>> reached(45)
    (10, 20, 30, 40, 45)
    """
    return (*(stage for stage in STAGES if stage < trained), trained)


def linked(task: Task, margins: Array) -> Array:
    """Sums of trees as answers: (rows,) or (rows, classes) to probabilities or values of the same shape."""
    if task is Task.REGRESSION:
        return margins
    if margins.ndim == 1:
        return np.asarray(1 / (1 + np.exp(-margins)))
    risen = np.exp(margins - margins.max(axis=1, keepdims=True))
    return np.asarray(risen / risen.sum(axis=1, keepdims=True))


def joint_rounds(
    task: Task, rounds: Sequence[Sequence[int]], answers: Sequence[Array], truths: Sequence[Array]
) -> tuple[int, list[Array]]:
    """The number of rounds at which the folds' mean loss is least, and each fold's answers there.

    A fold that stopped earlier answers with its last rounds.

    Parameters
    ----------
    rounds, answers
        Of each fold, as :class:`WatchedFit` has them, the classes spread to all of the run's.
    truths
        Encoded target of each fold's held rows.
    """
    stages = sorted({stage for fold in rounds for stage in fold})
    places = [np.searchsorted(fold, stages, side="right") - 1 for fold in rounds]
    losses = [
        np.array([fitting_losses(task, truth, answer).mean() for answer in fold])
        for fold, truth in zip(answers, truths, strict=True)
    ]
    mean = np.mean([loss[np.maximum(place, 0)] for loss, place in zip(losses, places, strict=True)], axis=0)
    best = int(np.argmin(mean))
    return stages[best], [fold[max(int(place[best]), 0)] for fold, place in zip(answers, places, strict=True)]
