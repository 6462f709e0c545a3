"""The model's answers on a grid of two columns, all others held."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.data.schema import Column, ColumnKind
from modelyard.evaluation.boundary.records import Boundary, HeldColumn
from modelyard.evaluation.records import Importance
from modelyard.evaluation.systems import JudgedRows
from modelyard.problem import Task
from modelyard.training.metrics import decide_labels
from modelyard.training.model import FittedModel

__all__ = ["decision_boundary", "typical_row"]

Array = npt.NDArray[np.float64]

_STEPS = 32
_ENDS = (0.01, 0.99)
_MOST_ROWS = 400
_MOST_CLASSES = 6
_FEWEST_VALUES = 5


def decision_boundary(
    model: FittedModel, rows: JudgedRows, known: pl.DataFrame, importance: Sequence[Importance], *, seed: int
) -> Boundary | None:
    """The slice along the two numeric columns that count most.

    None for values, for more than six classes, or where fewer than two numeric columns with five values or more help the
    model.

    Parameters
    ----------
    rows
        Rows to draw as points, at most 400 of them.
    known
        Training rows, which say what is typical.
    importance
        By shuffling, the largest first.
    """
    if model.task is Task.REGRESSION or len(model.classes) > _MOST_CLASSES:
        return None
    pair = _most_important(model.encoder.columns_, rows.frame, importance)
    if pair is None:
        return None
    plane = _Plane(model, rows.threshold, typical_row(known), pair)
    across, up = (_grid(rows.frame[name]) for name in pair)
    scores = plane.answers(np.tile(across, len(up)), np.repeat(up, len(across))).reshape(len(up), len(across))
    drawn = _drawn(rows, seed)
    x, y = (rows.frame[name].cast(pl.Float64).to_numpy()[drawn] for name in pair)
    shown = (across[0] <= x) & (x <= across[-1]) & (up[0] <= y) & (y <= up[-1])
    x, y, members = x[shown], y[shown], drawn[shown]
    sliced = plane.decisions(plane.answers(x, y))
    own = decide_labels(model.predict(rows.frame[members]), rows.threshold) if len(members) else sliced
    return Boundary(
        part=rows.part,
        features=pair,
        across=tuple(across.tolist()),
        up=tuple(up.tolist()),
        scores=tuple(tuple(row) for row in np.round(scores, 4).tolist()),
        threshold=rows.threshold if model.task is Task.BINARY else None,
        held=plane.held(importance),
        points=tuple(zip(x.tolist(), y.tolist(), rows.truth[members].astype(int).tolist(), strict=True)),
        rows=len(drawn),
        agreement=float((sliced == own).mean()) if len(members) else 1.0,
    )


@dataclasses.dataclass(frozen=True)
class _Plane:
    """All rows that are typical but for two columns."""

    model: FittedModel
    threshold: float
    typical: pl.DataFrame
    pair: tuple[str, str]

    def answers(self, x: Array, y: Array) -> Array:
        """Probabilities of the positive class, or codes of the decided one of several."""
        if not len(x):
            return np.empty(0)
        columns = [
            pl.Series(name, values).cast(self.typical[name].dtype)
            for name, values in zip(self.pair, (x, y), strict=True)
        ]
        rows = self.typical[np.zeros(len(x), dtype=np.intp)].with_columns(columns)
        predicted = self.model.predict(rows)
        return predicted if predicted.ndim == 1 else decide_labels(predicted)

    def decisions(self, answers: Array) -> Array:
        """Codes of classes."""
        return decide_labels(answers, self.threshold) if self.model.task is Task.BINARY else answers

    def held(self, importance: Sequence[Importance]) -> tuple[HeldColumn, ...]:
        """The model's other columns, the most important first, with their values in words."""
        names = [column.name for column in self.model.encoder.columns_]
        ranked = [item.feature for item in importance if item.feature in names]
        others = [name for name in dict.fromkeys([*ranked, *names]) if name not in self.pair]
        return tuple(HeldColumn(name, _worded(self.typical[name][0])) for name in others)


def typical_row(known: pl.DataFrame) -> pl.DataFrame:
    """One row of typical values: the middle one of numbers and dates, the commonest of all others.

    A value that is missing in most rows is missing here. The middle value is one that occurs.

    >>> typical_row(pl.DataFrame({"a": [1, 2, 9], "b": ["x", "y", "y"], "c": [None, None, 1.5]})).row(0)
    (2, 'y', None)
    """
    return pl.DataFrame([pl.Series(column.name, [_typical(column)], dtype=column.dtype) for column in known])


def _typical(column: pl.Series) -> Any:
    present = column.drop_nulls()
    if 2 * len(present) < len(column) or not len(present):
        return None
    if column.dtype.is_numeric() or column.dtype.is_temporal():
        return present.sort()[(len(present) - 1) // 2]
    return present.mode().sort()[0]


def _worded(value: Any) -> str:
    if value is None:
        return "(missing)"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _most_important(
    columns: Sequence[Column], frame: pl.DataFrame, importance: Sequence[Importance]
) -> tuple[str, str] | None:
    numeric = {
        column.name
        for column in columns
        if column.kind is ColumnKind.NUMERIC and column.name in frame.columns and _varies(frame[column.name])
    }
    found = [item.feature for item in importance if item.drop > 0 and item.feature in numeric]
    return (found[0], found[1]) if len(found) > 1 else None


def _varies(column: pl.Series) -> bool:
    """Numbers with enough values for a grid, also between the ends of the middle 98 %."""
    return column.dtype.is_numeric() and column.drop_nulls().n_unique() >= _FEWEST_VALUES and len(_grid(column)) > 1


def _grid(column: pl.Series) -> Array:
    """Even steps over the middle 98 % of the values; whole numbers stay whole."""
    low, high = np.quantile(column.drop_nulls().cast(pl.Float64).to_numpy(), _ENDS)
    steps = np.linspace(low, high, _STEPS)
    return np.unique(np.round(steps) if column.dtype.is_integer() else steps)


def _drawn(rows: JudgedRows, seed: int) -> npt.NDArray[np.intp]:
    """Places of the rows to show."""
    count = len(rows.truth)
    if count <= _MOST_ROWS:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, _MOST_ROWS, replace=False))
