"""Folds within the training part: the same rule as the split's, so that each fold is a small split of its own."""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import DataError, derive_seed
from modelyard.data.splits.gap import earlier_by
from modelyard.problem import Problem

__all__ = ["Fold", "FoldPlan", "RowKeys", "inner_holdout", "plan_fewer_rows", "plan_folds", "wanted_folds"]

Rows = npt.NDArray[np.int64]

_INNER_FOLDS = 7
_MANY_ROWS, _FEWER_FOLDS = 20_000, 3


@dataclasses.dataclass(frozen=True)
class Fold:
    """Positions of the rows to learn from and of the rows held out, ascending."""

    train: Rows
    held: Rows


@dataclasses.dataclass(frozen=True)
class FoldPlan:
    """How the training part is divided.

    Parameters
    ----------
    strategy
        ``random``, ``stratified``, ``group`` or ``time``.
    folds
        Two or more.
    """

    strategy: str
    folds: tuple[Fold, ...]

    def fold_of_row(self, rows: int) -> Rows:
        """The fold in which each row is held out; -1 for rows that never are (the first block in time)."""
        owner = np.full(rows, -1, dtype=np.int64)
        for index, fold in enumerate(self.folds):
            owner[fold.held] = index
        return owner

    def gathered(self, parts: Sequence[npt.NDArray[np.float64]], rows: int) -> npt.NDArray[np.float64]:
        """Predictions of each fold's held-out rows, in the order of all rows; NaN where a row never is."""
        predictions = np.full((rows, *parts[0].shape[1:]), np.nan)
        for fold, part in zip(self.folds, parts, strict=True):
            predictions[fold.held] = part
        return predictions


@dataclasses.dataclass(frozen=True)
class RowKeys:
    """What decides where a row may go: one entry a row.

    Parameters
    ----------
    strategy
        ``random``, ``stratified``, ``group`` or ``time``.
    classes
        Class codes; all 0 for regression.
    keys
        Dense ranks of groups or of moments, a missing one 0 (``group``, ``time``); else empty.
    known_before
        With a gap: the first rank whose labels are not known yet at the row's moment. Empty without one.
    """

    strategy: str
    classes: Rows
    keys: Rows
    known_before: Rows = dataclasses.field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @classmethod
    def of(cls, frame: pl.DataFrame, problem: Problem, strategy: str, truth: npt.NDArray[np.float64]) -> "RowKeys":
        """The keys of a table, by the strategy of its split.

        Parts that were given by a column are folded by time if a time column is declared, else by group, else by
        chance within classes.
        """
        data = problem.data
        if strategy == "column":
            strategy = "time" if data.time is not None else "group" if data.group is not None else "random"
        is_classes = problem.task.is_classification
        if strategy == "random" and is_classes:
            strategy = "stratified"
        column = {"time": data.time, "group": data.group}.get(strategy)
        keys = np.empty(0, dtype=np.int64)
        if column is not None:
            keys = frame[column].rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
        classes = truth.astype(np.int64) if is_classes else np.zeros(len(truth), dtype=np.int64)
        if strategy != "time" or column is None or problem.split.gap is None:
            return cls(strategy, classes, keys)
        return cls(strategy, classes, keys, _known_before(frame[column], keys, problem.split.gap))

    def take(self, rows: Rows) -> "RowKeys":
        """The keys of some rows, in their order."""
        keys, known = (values[rows] if len(values) else values for values in (self.keys, self.known_before))
        return RowKeys(self.strategy, self.classes[rows], keys, known)


def _known_before(moments: pl.Series, keys: Rows, gap: str | float) -> Rows:
    """For each row the first rank that is not at least ``gap`` earlier."""
    known = moments.is_not_null()
    distinct = moments.filter(known).unique().sort()  # the moment of rank r is at r - 1
    before = np.zeros(len(keys), dtype=np.int64)
    limits = earlier_by(moments.filter(known), gap)
    before[known.to_numpy()] = distinct.cast(limits.dtype).search_sorted(limits, side="right").to_numpy() + 1
    return before


def wanted_folds(keys: RowKeys, problem: Problem) -> int:
    """As many as are named; else five, or three where there is a budget and there are 20,000 rows or more.

    What a score says hangs on the rows held out, which are the same; each fit learns from two thirds in place of four fifths, and
    twice as many candidates can be tried. Folds that walk forward in time or keep groups whole stay five.
    """
    training = problem.training
    by_chance = keys.strategy in ("random", "stratified")
    many = training.budget_s is not None and len(keys.classes) >= _MANY_ROWS
    return _FEWER_FOLDS if training.folds == "auto" and many and by_chance else training.usual_folds


def plan_folds(keys: RowKeys, folds: int, seed: int) -> FoldPlan:
    """Divide rows into folds.

    ``random`` and ``stratified`` deal rows out by chance, the latter class by class. ``group`` keeps groups whole and
    evens out the classes (or the rows), largest groups first. ``time`` walks forward: rows are cut into one block
    more than there are folds; each fold learns from all earlier blocks and holds out the next, so the rows of the
    first block are never held out. Equal moments stay together, and the plan's gap is left before each held block.

    Parameters
    ----------
    folds
        Wanted number; fewer are made if there are fewer groups, moments, or rows of a class of two.
    seed
        Of the random draws.

    Raises
    ------
    DataError
        If not even two folds can be made.
    """
    made = _walk_forward(keys, folds) if keys.strategy == "time" else _by_owner(_owners(keys, folds, seed))
    usable = tuple(fold for fold in made if _can_be_learnt(keys.classes, fold))
    if len(usable) < 2:
        raise DataError(
            "the training part cannot be divided into two folds",
            where=f"folds by {keys.strategy}",
            got=f"{len(keys.classes):,} rows",
            cure="Bring more rows, groups or moments, or choose another strategy under split",
        )
    return FoldPlan(keys.strategy, usable)


def plan_fewer_rows(keys: RowKeys, rows: int, folds: int, seed: int) -> FoldPlan:
    """Folds of a part of the rows only: in time the latest, by groups whole ones, else drawn by chance.

    Parameters
    ----------
    rows
        How many to take, about so many of whole groups.

    Raises
    ------
    DataError
        If they cannot be divided into two folds.
    """
    order = np.random.default_rng(derive_seed(seed, "fewer rows")).permutation(len(keys.classes))
    if keys.strategy == "time":
        taken = np.argsort(keys.keys, kind="stable")[-rows:]
    elif keys.strategy == "group":
        groups = keys.keys[order]
        _, first = np.unique(groups, return_index=True)
        drawn = groups[np.sort(first)]
        sizes = np.bincount(keys.keys)[drawn]
        taken = np.flatnonzero(np.isin(keys.keys, drawn[: 1 + int(np.searchsorted(np.cumsum(sizes), rows))]))
    else:
        taken = order[:rows]
    taken = np.sort(taken)
    plan = plan_folds(keys.take(taken), folds, seed)
    made = tuple(Fold(taken[fold.train], taken[fold.held]) for fold in plan.folds)
    return FoldPlan(plan.strategy, made)


def inner_holdout(keys: RowKeys, train: Rows, seed: int) -> npt.NDArray[np.bool_]:
    """Which of a fold's training rows decide when boosting stops: about a seventh, divided by the same rule.

    Parameters
    ----------
    train
        Positions of the fold's training rows.

    Returns
    -------
    NDArray
        One entry per training row; all False if the rows do not allow a division.
    """
    inside = np.zeros(len(train), dtype=bool)
    folds = _INNER_FOLDS - 1 if keys.strategy == "time" else _INNER_FOLDS
    try:
        plan = plan_folds(keys.take(train), folds, derive_seed(seed, "inner"))
    except DataError:
        return inside
    inside[plan.folds[-1].held] = True
    return inside


def _can_be_learnt(classes: Rows, fold: Fold) -> bool:
    """Rows on both sides, and two classes on both sides if there are classes."""
    if len(fold.train) == 0 or len(fold.held) == 0:
        return False
    if classes.max(initial=0) == 0:
        return True
    return len(np.unique(classes[fold.train])) > 1 and len(np.unique(classes[fold.held])) > 1


def _by_owner(owner: Rows) -> tuple[Fold, ...]:
    return tuple(
        Fold(np.flatnonzero(owner != index), np.flatnonzero(owner == index))
        for index in range(owner.max(initial=0) + 1)
    )


def _owners(keys: RowKeys, folds: int, seed: int) -> Rows:
    """The fold that holds out each row."""
    generator = np.random.default_rng(seed)
    if keys.strategy == "group":
        return _group_owners(keys, folds, generator)
    sizes = np.bincount(keys.classes)
    if len(sizes) == 2:
        folds = min(folds, int(sizes.min()))
    order = np.lexsort((generator.random(len(keys.classes)), keys.classes))
    owner = np.empty(len(order), dtype=np.int64)
    # Dealt out like cards, class after class, so that both the classes and the sizes of folds are even within one row.
    owner[order] = np.arange(len(order)) % max(folds, 1)
    return owner


def _group_owners(keys: RowKeys, folds: int, generator: np.random.Generator) -> Rows:
    """Each group to the fold where it leaves the shares of classes most even (as scikit-learn's StratifiedGroupKFold)."""
    groups, width = int(keys.keys.max(initial=-1)) + 1, int(keys.classes.max(initial=0)) + 1
    counts = np.zeros((groups, width))
    np.add.at(counts, (keys.keys, keys.classes), 1.0)
    counts = counts / np.maximum(counts.sum(axis=0), 1.0)
    present = np.flatnonzero(counts.sum(axis=1) > 0)
    folds = min(folds, len(present))
    shuffled = generator.permutation(present)
    order = shuffled[np.argsort(-counts[shuffled].max(axis=1), kind="stable")]
    filled, owner_of_group = np.zeros((folds, width)), np.zeros(groups, dtype=np.int64)
    for group in order:
        # Adding to fold f changes the sum of squares by 2·filled·count + constant: the least is the most even.
        cost = filled @ counts[group]
        best = int(np.lexsort((filled.sum(axis=1), cost))[0])
        owner_of_group[group] = best
        filled[best] += counts[group]
    return owner_of_group[keys.keys]


def _walk_forward(keys: RowKeys, folds: int) -> tuple[Fold, ...]:
    """Blocks of about equal size in time; fold i learns from blocks 0 … i and holds out block i + 1, after the gap."""
    rows = len(keys.keys)
    rank = np.searchsorted(np.sort(keys.keys), keys.keys)  # rows before the first row of the same moment
    starts = np.unique(rank)
    edges = sorted({int(starts[np.argmin(np.abs(starts - rows * part / (folds + 1)))]) for part in range(1, folds + 1)})
    edges = [edge for edge in edges if edge > 0]
    known_before = keys.known_before if len(keys.known_before) else keys.keys
    folds_made = []
    for start, end in itertools.pairwise([*edges, rows]):
        held = np.flatnonzero((rank >= start) & (rank < end))
        known = known_before[held[np.argmin(rank[held])]]
        folds_made.append(Fold(np.flatnonzero((rank < start) & (keys.keys < known)), held))
    return tuple(folds_made)
