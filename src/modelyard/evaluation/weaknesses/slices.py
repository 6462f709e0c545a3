"""Weak slices, found by search: values of a column, or of two together, where the model is worse than on the whole.

Many slices are tried, so the worst of them looks bad by chance alone. The bound is therefore that of the worst of all
slices (Westfall and Young, 1993, "Resampling-based multiple testing", section 2.3): rows are judged by the rank of their
loss; the losses are dealt out anew many times, and a slice is weak if its excess is beyond all but 5 % of the largest
excesses that such dealing gives. Where rows come in groups or stretches of time, the sums of whole groups get random
signs instead (Chernozhukov, Chetverikov and Kato, 2013, on multiplier bootstraps of maxima).
"""

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from modelyard.core import derive_seed
from modelyard.evaluation.intervals import bootstrap_interval
from modelyard.evaluation.records import SliceSearch, WeakSlice
from modelyard.evaluation.segments import OTHER, mostly_chance, segment_labels
from modelyard.evaluation.systems import WINNER, JudgedRows
from modelyard.evaluation.weaknesses.losses import metric_losses
from modelyard.problem import Problem, metric_spec
from modelyard.training.metrics import score

__all__ = ["find_weak_slices"]

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_MOST_ROWS = 4000
_COLUMNS, _PAIRED_COLUMNS = 30, 8
_FEWEST_ROWS, _SMALLEST_SHARE, _LARGEST_SHARE = 50, 0.02, 0.9
_FEWEST_UNITS = 10
_DRAWS = 400
_CHANCE = 0.05
_UNEXPLAINED = 0.5
_KEPT = 5


@dataclasses.dataclass(frozen=True)
class _Slice:
    """Rows that share one value of each of one or two columns."""

    columns: tuple[str, ...]
    values: tuple[str, ...]
    members: Mask


class _Losses(NamedTuple):
    """How wrong each row is, and which rows lie in no weak slice found so far."""

    of_row: Array
    left: Mask


def find_weak_slices(problem: Problem, rows: JudgedRows, columns: Sequence[str], *, seed: int) -> SliceSearch:
    """Search the slices by one column and by pairs of columns for those where the primary metric is worse.

    Numbers are cut at their quartiles, as segments are. The chance that a model that is equally good everywhere shows
    any weak slice at all is 5 %.

    Parameters
    ----------
    columns
        The most interesting first: the first 30 are searched, and pairs of the first 8.

    Returns
    -------
    SliceSearch
        At most five slices, the surest first. Each next one is searched for among the rows that are left, and only if
        those are half of it: what overlaps a weak slice echoes it.
    """
    losses = metric_losses(problem.primary_metric, problem.task, rows.truth, rows.predictions[WINNER], rows.threshold)
    whole = score(problem.primary_metric, rows.truth, rows.predictions[WINNER], threshold=rows.threshold)
    slices = _slices(rows, columns)
    searched = SliceSearch(rows.part, len(losses), len(slices), problem.primary_metric, _known(whole), ())
    if not slices or losses.max() == losses.min():
        return searched
    left, weak = np.ones(len(losses), dtype=bool), list[WeakSlice]()
    while len(weak) < _KEPT:
        found = _surest(problem, rows, _Losses(losses, left), slices, whole, derive_seed(seed, len(weak)))
        if found is None:
            break
        weak.append(found[1])
        left &= ~found[0].members
    return dataclasses.replace(searched, slices=tuple(weak))


def _surest(
    problem: Problem, rows: JudgedRows, losses: _Losses, slices: Sequence[_Slice], whole: float, seed: int
) -> tuple[_Slice, WeakSlice] | None:
    """The slice that is weak beyond chance by the most standard errors, among the rows that are left."""
    tried = [part for part in slices if _is_judged(part.members & losses.left, rows.units)]
    tried = [part for part in tried if (part.members & losses.left).sum() >= _UNEXPLAINED * part.members.sum()]
    if not tried:
        return None
    p_values, excess = _corrected(losses, tried, rows.units, seed)
    for at in np.argsort(-excess, kind="stable"):
        if p_values[at] > _CHANCE:
            return None
        judged = _judged(problem, rows, tried[at], float(p_values[at]), derive_seed(seed, *tried[at].values))
        if _is_worse(judged, whole, problem.primary_metric):
            return tried[at], judged
    return None


def _slices(rows: JudgedRows, columns: Sequence[str]) -> list[_Slice]:
    """All slices that are large enough to judge and small enough to differ from the whole."""
    present = [column for column in dict.fromkeys(columns) if column in rows.frame.columns][:_COLUMNS]
    single = {column: _values(column, rows) for column in present}
    found = [part for parts in single.values() for part in parts]
    for one, other in itertools.combinations(present[:_PAIRED_COLUMNS], 2):
        for left, right in itertools.product(single[one], single[other]):
            both = left.members & right.members
            found.append(_Slice((one, other), left.values + right.values, both))
    return [part for part in found if _is_judged(part.members, rows.units)]


def _values(column: str, rows: JudgedRows) -> list[_Slice]:
    labels = segment_labels(rows.frame[column]).to_numpy().astype(str)
    names = [str(name) for name in np.unique(labels) if name != OTHER]
    return [_Slice((column,), (name,), labels == name) for name in names]


def _is_judged(members: Mask, units: npt.NDArray[Any] | None) -> bool:
    size, rows = int(members.sum()), len(members)
    if not max(_FEWEST_ROWS, _SMALLEST_SHARE * rows) <= size <= _LARGEST_SHARE * rows:
        return False
    return units is None or len(np.unique(units[members])) >= _FEWEST_UNITS


def _corrected(
    losses: _Losses, slices: Sequence[_Slice], units: npt.NDArray[Any] | None, seed: int
) -> tuple[Array, Array]:
    """The chance of an excess this large anywhere, and each slice's excess in standard errors.

    Beyond 4,000 rows a random 4,000 of them are searched.
    """
    generator = np.random.default_rng(seed)
    left = np.flatnonzero(losses.left)
    size = min(_MOST_ROWS, len(left))
    kept = np.sort(generator.choice(left, size, replace=False))
    ranks = _centred_ranks(losses.of_row[kept])
    members = np.stack([part.members[kept] for part in slices], axis=1).astype(np.float32)
    away = members / np.maximum(members.sum(axis=0), 1) - np.float32(1 / size)
    if units is None:
        error = np.sqrt((ranks**2).sum() / (size - 1) * (away**2).sum(axis=0))
        drawn = np.stack([generator.permutation(ranks) for _ in range(_DRAWS)]) @ away
    else:
        sums = _summed(away * ranks[:, np.newaxis], units[kept])
        error = np.sqrt((sums**2).sum(axis=0))
        drawn = generator.choice(np.array([-1, 1], dtype=np.float32), (_DRAWS, len(sums))) @ sums
    error = np.maximum(error, 1e-12)
    excess = (ranks @ away) / error
    largest = np.sort((drawn / error).max(axis=1))
    beyond = _DRAWS - np.searchsorted(largest, excess, side="left")
    return np.asarray((1 + beyond) / (_DRAWS + 1)), np.asarray(excess, dtype=np.float64)


def _centred_ranks(losses: Array) -> npt.NDArray[np.float32]:
    """Ranks between -0.5 and 0.5 around 0, the largest loss last; ties share theirs."""
    _, place, counts = np.unique(losses, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts + 1) / 2)[place.reshape(-1)] / len(losses)
    return np.asarray(ranks - ranks.mean(), dtype=np.float32)


def _summed(parts: npt.NDArray[np.float32], units: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Sums over the rows of each unit."""
    order = np.argsort(units, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], units[order][1:] != units[order][:-1]]))
    return np.asarray(np.add.reduceat(parts[order], starts, axis=0))


def _judged(problem: Problem, rows: JudgedRows, part: _Slice, p_value: float, seed: int) -> WeakSlice:
    """The slice's own figure with an interval."""
    truth, prediction = rows.truth[part.members], rows.predictions[WINNER][part.members]
    value, low, high = bootstrap_interval(
        problem.primary_metric,
        truth,
        prediction,
        confidence=0.95,
        seed=seed,
        groups=None if rows.units is None else rows.units[part.members],
        repeats=400,
        threshold=rows.threshold,
    )
    note = mostly_chance(problem.primary_metric, problem.task, truth)
    known = (_known(value), _known(low), _known(high))
    return WeakSlice(part.columns, part.values, len(truth), *known, p_value=p_value, note=note)


def _is_worse(found: WeakSlice, whole: float, metric: str) -> bool:
    """True if the metric itself agrees with the ranks of the losses, and is no chance of a few rows."""
    if found.score is None or found.note:
        return False
    return found.score < whole if metric_spec(metric).greater_is_better else found.score > whole


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
