"""Performance where it differs: by every declared column, with sizes, intervals and fairness rates."""

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.evaluation.intervals import Interval, bootstrap_interval
from modelyard.evaluation.records import SegmentScore
from modelyard.evaluation.systems import WINNER, JudgedRows
from modelyard.problem import Problem, Task
from modelyard.training.metrics import decide_labels

__all__ = ["OTHER", "few_rows", "mostly_chance", "score_pairs", "score_segments", "segment_labels", "segment_members"]

Array = npt.NDArray[np.float64]

_FEWEST_ROWS = 50
_FEWEST_OF_A_CLASS = 10
_OF_EACH_ROW = ("accuracy", "log_loss", "brier")
"""Metrics of two classes that are means over rows; the others stand on the rarer class."""

_MOST_VALUES = 20
_FEW_NUMBERS = 8
_MISSING = "(missing)"
_MOST_PAIRS, _MOST_OF_A_PAIR = 6, 20
OTHER = "(other values)"


def score_segments(
    problem: Problem, rows: JudgedRows, columns: Sequence[str], *, confidence: float, seed: int
) -> tuple[SegmentScore, ...]:
    """The winner's primary metric for each value of each column: in order of the values, else the largest first.

    Parameters
    ----------
    columns
        Columns of ``rows.frame``; absent ones are passed over.
    confidence
        Of each interval, on its own.
    """
    present = [column for column in dict.fromkeys(columns) if column in rows.frame.columns]
    return tuple(
        _score(problem, rows, members, (column, value), confidence=confidence, seed=derive_seed(seed, column, value))
        for column in present
        for value, members in _segments(rows.frame[column])
    )


def score_pairs(problem: Problem, rows: JudgedRows, *, confidence: float, seed: int) -> tuple[SegmentScore, ...]:
    """The winner's primary metric for each pair of values of two declared columns, segments and protected ones.

    At most six pairs of columns in the order of the project file, and of each the 20 largest pairs of values with at
    least 50 rows; the others are mostly chance.
    """
    declared = [name for name in dict.fromkeys((*problem.segments, *problem.protected)) if name in rows.frame.columns]
    found = []
    for first, second in itertools.islice(itertools.combinations(declared, 2), _MOST_PAIRS):
        parts = [segment_labels(rows.frame[name]).to_numpy().astype(str) for name in (first, second)]
        labels = np.array([" & ".join(pair) for pair in zip(*parts, strict=True)])
        names, sizes = np.unique(labels, return_counts=True)
        large = [str(names[at]) for at in np.argsort(-sizes, kind="stable") if sizes[at] >= _FEWEST_ROWS]
        for value in large[:_MOST_OF_A_PAIR]:
            segment, part = (f"{first} & {second}", value), derive_seed(seed, first, second, value)
            members = np.flatnonzero(labels == value)
            found.append(_score(problem, rows, members, segment, confidence=confidence, seed=part))
    return tuple(found)


def mostly_chance(metric: str, task: Task, truth: Array) -> str:
    """Why a metric of these rows says little, in words; empty if it says enough.

    A bootstrap interval knows only the spread of the rows at hand: with one row of the rarer class it is narrow, and
    means nothing. So fewer than 50 rows, or fewer than 10 of the rarer of two classes, are mostly chance.

    >>> mostly_chance("roc_auc", Task.BINARY, np.repeat([1.0, 0.0], [1, 155]))
    'small: 1 row of the rarer class, mostly chance'
    """
    rows = len(truth)
    if rows < _FEWEST_ROWS:
        return f"small: {rows} rows, mostly chance"
    if task is not Task.BINARY or metric in _OF_EACH_ROW:
        return ""
    rarer = int(min(truth.sum(), rows - truth.sum()))
    if 0 < rarer < _FEWEST_OF_A_CLASS:
        return f"small: {rarer} row{'s' if rarer > 1 else ''} of the rarer class, mostly chance"
    return ""


def few_rows(rows: int) -> str:
    """The caveat of a share of so few rows; empty if there are enough.

    >>> few_rows(1), few_rows(50)
    ('small: 1 row, mostly chance', '')
    """
    return f"small: {rows} row{'s' if rows > 1 else ''}, mostly chance" if rows < _FEWEST_ROWS else ""


def segment_members(frame: pl.DataFrame, columns: Sequence[str]) -> list[tuple[str, str, npt.NDArray[np.intp]]]:
    """Column, value and rows of each segment, by the value's name; absent columns are passed over."""
    labelled = {
        column: segment_labels(frame[column]).to_numpy().astype(str)
        for column in dict.fromkeys(columns)
        if column in frame.columns
    }
    return [
        (column, str(value), np.flatnonzero(labels == value))
        for column, labels in labelled.items()
        for value in np.unique(labels)
    ]


def segment_labels(values: pl.Series) -> pl.Series:
    """The segment of each row, as text: the value itself, or the range it lies in.

    Numbers with more than eight distinct values are cut at their quartiles, dates into years or months; beyond 20
    values the rarer ones are taken together. Missing values are a segment too.

    >>> segment_labels(pl.Series([1.0, 2.0, None])).to_list()
    ['1', '2', '(missing)']
    """
    if values.dtype.is_temporal():
        dates = values.cast(pl.Date)
        years = dates.dt.year().drop_nulls().n_unique()
        labels = dates.dt.strftime("%Y" if years > 2 else "%Y-%m")
    elif values.dtype.is_numeric() and values.drop_nulls().n_unique() > _FEW_NUMBERS:
        labels = _quartiles(values)
    elif values.dtype.is_float():
        labels = pl.Series([None if value is None else f"{value:g}" for value in values], dtype=pl.String)
    else:
        labels = values.cast(pl.String)
    counts = labels.drop_nulls().value_counts(sort=True)
    kept = counts[counts.columns[0]].head(_MOST_VALUES).to_list()
    rare = labels.is_not_null() & ~labels.is_in(kept)
    return labels.set(rare.fill_null(value=False), OTHER).fill_null(_MISSING)


def _quartiles(values: pl.Series) -> pl.Series:
    """Each number as the quarter it lies in: "9 to 27" for integers, "above 8.5 to 27" for others."""
    known = values.drop_nulls().to_numpy()
    edges = np.unique(np.quantile(known, [0, 0.25, 0.5, 0.75, 1], method="nearest"))
    whole = values.dtype.is_integer()
    names = [f"{edges[0]:,g} to {edges[1]:,g}"]
    names += [
        f"{low + 1:,g} to {high:,g}" if whole else f"above {low:,g} to {high:,g}"
        for low, high in itertools.pairwise(edges[1:])
    ]
    numbers = values.cast(pl.Float64).fill_null(math.nan).to_numpy()
    position = np.clip(np.searchsorted(edges, numbers, side="left"), 1, len(names))
    labels = [None if math.isnan(number) else names[at - 1] for number, at in zip(numbers, position, strict=True)]
    return pl.Series(labels, dtype=pl.String)


def _segments(values: pl.Series) -> list[tuple[str, npt.NDArray[np.intp]]]:
    """The segments with their rows: by value if the column has an order, else the largest first."""
    labels = segment_labels(values).to_numpy().astype(str)
    found = [(str(name), np.flatnonzero(labels == name)) for name in np.unique(labels)]
    if values.dtype.is_numeric() or values.dtype.is_temporal():
        least = {name: values[rows].min() for name, rows in found}
        found.sort(key=lambda segment: (least[segment[0]] is None, least[segment[0]]))
        return found
    return sorted(found, key=lambda segment: -len(segment[1]))


def _score(
    problem: Problem,
    rows: JudgedRows,
    members: npt.NDArray[np.intp],
    segment: tuple[str, str],
    *,
    confidence: float,
    seed: int,
) -> SegmentScore:
    truth, prediction = rows.truth[members], rows.predictions[WINNER][members]
    interval = bootstrap_interval(
        problem.primary_metric,
        truth,
        prediction,
        confidence=confidence,
        seed=seed,
        groups=None if rows.units is None else rows.units[members],
        repeats=400,
        threshold=rows.threshold,
    )
    bare = SegmentScore(
        column=segment[0],
        value=segment[1],
        rows=len(members),
        metric=problem.primary_metric,
        score=_known(interval.value),
        low=_known(interval.low),
        high=_known(interval.high),
        note=_note(problem, truth, interval),
        protected=segment[0] in problem.protected,
        base_rate=None if problem.task is Task.MULTICLASS else float(truth.mean()),
    )
    return _with_rates(bare, truth, decide_labels(prediction, rows.threshold)) if problem.task is Task.BINARY else bare


def _with_rates(segment: SegmentScore, truth: Array, label: Array) -> SegmentScore:
    """The rates that fairness measures compare (Hardt, Price and Srebro, 2016, "Equality of opportunity")."""
    rates: dict[str, Any] = {
        "selection_rate": _mean(label),
        "true_positive_rate": _mean(label[truth == 1]),
        "false_positive_rate": _mean(label[truth == 0]),
    }
    return dataclasses.replace(segment, **rates)


def _mean(values: Array) -> float | None:
    return float(values.mean()) if len(values) else None


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _note(problem: Problem, truth: Array, interval: Interval) -> str:
    small = mostly_chance(problem.primary_metric, problem.task, truth)
    return small or ("" if math.isfinite(interval.value) else "undefined: only one class here")
