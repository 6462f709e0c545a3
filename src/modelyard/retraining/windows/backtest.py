"""Walking forward over known rows: each window trains on what was known before a block in time, and predicts the block."""

import dataclasses
import math
import statistics
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.data.splits.gap import earlier_by
from modelyard.problem import metric_spec
from modelyard.retraining.windows.ages import ages, kept, weights
from modelyard.retraining.windows.recipe import Recipe
from modelyard.retraining.windows.records import WindowPolicy, WindowTrial
from modelyard.training.metrics import score

__all__ = ["FEWEST_BLOCKS", "Block", "KnownRows", "backtest", "blocks_of"]

Array = npt.NDArray[np.float64]
Told = Callable[[WindowPolicy], None]

FEWEST_BLOCKS = 4
"""Below this many blocks a standard error over them says nothing."""

_MOST_BLOCKS = 8
_BLOCK_ROWS = 50
_WARM_UP = 1 / 3


@dataclasses.dataclass(frozen=True)
class KnownRows:
    """Labelled rows in the order of time.

    Parameters
    ----------
    frame, truth, moments
        The rows, their encoded target, and their times, ascending.
    gap
        How long labels take to come, as ``split.gap`` says; None for no time.
    """

    frame: pl.DataFrame
    truth: Array
    moments: pl.Series
    gap: str | float | None = None

    @classmethod
    def of(cls, frame: pl.DataFrame, truth: Array, time: str, gap: str | float | None = None) -> "KnownRows":
        """A table put in order; rows without a time come first."""
        order = frame[time].arg_sort(nulls_last=False)
        return cls(frame[order], truth[order.to_numpy()], frame[time][order], gap)


@dataclasses.dataclass(frozen=True)
class Block:
    """Rows that are predicted, as positions ``begin`` to ``end``, and the ``known`` first rows that may be learnt from."""

    known: int
    begin: int
    end: int


def blocks_of(rows: KnownRows) -> tuple[Block, ...]:
    """The last two thirds of the rows in up to eight blocks of equal size; rows of one moment stay together."""
    total = len(rows.truth)
    first = math.ceil(total * _WARM_UP)
    number = min(_MOST_BLOCKS, (total - first) // _BLOCK_ROWS)
    if number < FEWEST_BLOCKS:
        return ()
    rank = rows.moments.rank("min").fill_null(1).to_numpy().astype(np.int64) - 1
    ends = np.linspace(first, total, number + 1).round().astype(np.int64)
    starts = np.unique([*(int(rank[end]) for end in ends[:-1]), total])
    limits = None if rows.gap is None else earlier_by(rows.moments, rows.gap)
    blocks = []
    for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        known = begin if limits is None else int((rows.moments <= limits[begin]).sum())
        if begin and known:
            blocks.append(Block(known, begin, end))
    return tuple(blocks)


def backtest(
    rows: KnownRows,
    blocks: Sequence[Block],
    policies: Sequence[WindowPolicy],
    recipe: Recipe,
    metric: str,
    *,
    told: Told = lambda _: None,
) -> tuple[WindowTrial, ...]:
    """Every window on every block, held against the best of them on the same blocks.

    Blocks in which the metric is not defined (one class only) are left out for all.
    """
    found = []
    for policy in policies:
        found.append(_walk(rows, blocks, policy, recipe, metric))
        told(policy)
    tried = [trial for trial in found if not trial.left_out]
    if not tried:
        return tuple(found)
    defined = [all(map(math.isfinite, values)) for values in zip(*(trial.by_block for trial in tried), strict=True)]
    scored = [
        dataclasses.replace(
            trial, by_block=tuple(value for value, use in zip(trial.by_block, defined, strict=True) if use)
        )
        for trial in tried
    ]
    compared = iter(_compared(scored, metric) if any(defined) else scored)
    return tuple(trial if trial.left_out else next(compared) for trial in found)


def _walk(rows: KnownRows, blocks: Sequence[Block], policy: WindowPolicy, recipe: Recipe, metric: str) -> WindowTrial:
    """One window over all blocks."""
    values, fitted = [], []
    for block in blocks:
        age = ages(rows.moments[: block.known], policy)
        train = np.flatnonzero(kept(age, policy))
        weight = weights(age, policy)
        truth = rows.truth[train]
        if obstacle := _obstacle(truth, recipe):
            return WindowTrial(policy, None, None, None, 0, (), obstacle)
        model = recipe.fit(rows.frame[train], truth, None if weight is None else weight[train])
        predicted = model.predict(rows.frame[block.begin : block.end])
        values.append(float(score(metric, rows.truth[block.begin : block.end], predicted)))
        fitted.append(len(train))
    return WindowTrial(policy, None, None, None, round(statistics.fmean(fitted)), tuple(values))


def _obstacle(truth: Array, recipe: Recipe) -> str:
    """Why nothing can be learnt from these rows; empty if it can."""
    if len(truth) < _BLOCK_ROWS:
        return f"it would have left {len(truth):,} rows to learn from"
    if recipe.learning.task.is_classification and len(np.unique(truth)) < 2:
        return "it would have left one class to learn from"
    return ""


def _compared(trials: Sequence[WindowTrial], metric: str) -> Iterator[WindowTrial]:
    """Each against the best, paired by block."""
    sign = 1 if metric_spec(metric).greater_is_better else -1
    means = [statistics.fmean(trial.by_block) for trial in trials]
    best = trials[max(range(len(trials)), key=lambda place: sign * means[place])]
    for trial, mean in zip(trials, means, strict=True):
        lost = [sign * (theirs - own) for theirs, own in zip(best.by_block, trial.by_block, strict=True)]
        error = statistics.stdev(lost) / math.sqrt(len(lost)) if len(lost) > 1 else 0.0
        yield dataclasses.replace(trial, mean=mean, behind=statistics.fmean(lost), behind_error=error)
